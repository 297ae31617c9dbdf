'use strict';

// Opens the sale: no orders, no messages, and SHOP_STOCK units (default 10).
const amqplib = require('amqplib');
const Redis = require('ioredis');
const config = require('./config/config.default')({});

module.exports = async function reset() {
  const connection = await amqplib.connect(config.queue.url);
  const channel = await connection.createChannel();
  // The two apps declare the queue differently, so the one of the other app has to go.
  await channel.deleteQueue(config.queue.name);
  await connection.close();

  const redis = new Redis(config.store);
  await redis.del('buslist', 'buyers', 'requests');
  await redis.set('count', process.env.SHOP_STOCK || '10');
  redis.disconnect();
};
