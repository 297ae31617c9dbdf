'use strict';

const { Controller } = require('egg');

const isId = value => typeof value === 'string' && value.length > 0 && value.length <= 100;

module.exports = class SaleController extends Controller {
  // POST /seckill {"uid": …, "request_id": …}: success means that RabbitMQ has it on disk.
  async buy() {
    const { ctx, app } = this;
    const { uid, request_id } = ctx.request.body;
    if (!isId(uid) || !isId(request_id)) ctx.throw(400, 'uid and request_id must be strings');

    const sent = await app.broker.send({ uid, request_id });
    if (sent === 'confirmed') {
      ctx.body = { success: true };
    } else {
      // 503: it was not sent. 504: nobody knows. Either can be sent again with its request_id.
      ctx.status = sent === 'not sent' ? 503 : 504;
      ctx.body = { success: false, reason: 'try_again' };
    }
  }

  // GET /result: units left, and who has bought one.
  async result() {
    const { ctx, app } = this;
    const [ count, buslist ] = await Promise.all([
      app.redis.get('count'),
      app.redis.lrange('buslist', 0, -1),
    ]);
    ctx.body = { count: Number(count), buslist };
  }
};
