'use strict';

const { setTimeout: sleep } = require('timers/promises');
const amqplib = require('amqplib');

// The pause before another try, be it to connect or to decide a purchase.
const RETRY_DELAY_MS = 500;

// One connection to RabbitMQ with one channel, for all requests of a worker process and for its
// consumer. It is opened again when it breaks.
module.exports = class Broker {
  // `take` decides one purchase. While it fails, the purchase stays in the queue.
  constructor(config, logger, take) {
    Object.assign(this, { config, logger, take, channel: null, isClosed: false });
  }

  async connect() {
    const { url, name, connectTimeout } = this.config;
    const connection = await amqplib.connect(url, { timeout: connectTimeout });
    connection.on('error', error => this.logger.warn(error));
    connection.on('close', () => this.reconnect());
    this.connection = connection;

    const channel = await connection.createConfirmChannel();
    // A channel that the broker closes takes its connection with it: `reconnect` opens both.
    const giveUp = () => connection.close().catch(() => {});
    channel.on('error', error => this.logger.warn(error));
    channel.on('close', giveUp);
    await channel.assertQueue(name, { durable: true });
    await channel.prefetch(50);
    // The broker sends null when the queue was deleted.
    await channel.consume(name, message => (message ? this.consume(channel, message) : giveUp()));
    this.channel = channel;
  }

  async reconnect() {
    this.channel = null;
    while (!this.isClosed) {
      await sleep(RETRY_DELAY_MS);
      try {
        return await this.connect();
      } catch (error) {
        this.logger.warn(error);
      }
    }
  }

  // Publishes a purchase, and waits for the confirm: 'confirmed', 'not sent' or 'unknown'.
  async send(purchase) {
    const { channel, config: { name, confirmTimeout } } = this;
    const content = Buffer.from(JSON.stringify(purchase));
    let timer;
    try {
      if (!channel) return 'not sent';
      return await new Promise((resolve, reject) => {
        timer = setTimeout(resolve, confirmTimeout, 'unknown');
        // It throws if the channel is closed. A message that the broker refuses, or whose channel
        // closes before the confirm comes, is an error for the callback.
        channel.sendToQueue(name, content, { persistent: true }, error => {
          resolve(error ? 'unknown' : 'confirmed');
        });
      });
    } catch (error) {
      return 'not sent';
    } finally {
      clearTimeout(timer);
    }
  }

  // A message is acknowledged when its purchase is decided. When that fails, it is delivered again.
  async consume(channel, message) {
    try {
      await this.take(JSON.parse(message.content));
      channel.ack(message);
    } catch (error) {
      this.logger.error(error);
      await sleep(RETRY_DELAY_MS);
      // A closed channel cannot: its messages are delivered again anyway.
      if (channel === this.channel) channel.nack(message);
    }
  }

  async close() {
    this.isClosed = true;
    await this.connection.close().catch(() => {});
  }
};
