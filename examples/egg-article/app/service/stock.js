'use strict';

const { Service } = require('egg');

module.exports = class StockService extends Service {
  // Sells a unit if there is one. Between GET and DECR another consumer may see the same unit.
  async take({ uid }) {
    const { redis } = this.app;
    const count = Number(await redis.get('count'));
    if (count > 0) {
      await redis.multi().rpush('buslist', uid).decr('count').exec();
    }
  }

  async result() {
    const { redis } = this.app;
    const [ count, buslist ] = await Promise.all([
      redis.get('count'),
      redis.lrange('buslist', 0, -1),
    ]);
    return { count: Number(count), buslist };
  }
};
