'use strict';

const { Service } = require('egg');
const amqplib = require('amqplib');

module.exports = class QueueService extends Service {
  // Sends one purchase: over a connection of its own, to a queue in memory, without a confirm. The
  // connection is never closed.
  async send(purchase) {
    const { channel, name } = await this.connect();
    channel.sendToQueue(name, Buffer.from(JSON.stringify(purchase)));
  }

  // Each of the eight worker processes is a consumer, and takes one message at a time. Whatever
  // happens to the purchase, its message is acknowledged.
  async consume() {
    const { service, logger } = this;
    const { channel, name } = await this.connect();
    await channel.prefetch(1);
    await channel.consume(name, async message => {
      try {
        await service.stock.take(JSON.parse(message.content));
      } catch (error) {
        logger.error(error);
      }
      channel.ack(message);
    });
  }

  async connect() {
    const { url, name, connectTimeout } = this.config.queue;
    const connection = await amqplib.connect(url, { timeout: connectTimeout });
    const channel = await connection.createChannel();
    await channel.assertQueue(name, { durable: false });
    return { channel, name };
  }
};
