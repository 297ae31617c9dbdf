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
    const { url, connectTimeout } = this.config;
    const connection = await amqplib.connect(url, { timeout: connectTimeout });
    connection.on('error', error => this.logger.warn(error));
    this.connection = connection;
    try {
      this.channel = await this.open(connection);
    } catch (error) {
      close(connection);
      throw error;
    }
    connection.on('close', () => this.reconnect());
  }

  // Opens the channel. When the broker closes it, its connection is closed as well, so that
  // `reconnect` opens both.
  async open(connection) {
    const { name } = this.config;
    const channel = await connection.createConfirmChannel();
    channel.on('error', error => this.logger.warn(error));
    channel.on('close', () => close(connection));
    await channel.assertQueue(name, { durable: true });
    await channel.prefetch(50);
    await channel.consume(name, message => {
      // The broker sends null when the queue was deleted.
      if (message) this.consume(channel, message);
      else close(connection);
    });
    return channel;
  }

  async reconnect() {
    this.channel = null;
    for (;;) {
      await sleep(RETRY_DELAY_MS);
      if (this.isClosed) return;
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
    await close(this.connection);
  }
};

// It is no error if the connection is closed already.
async function close(connection) {
  await connection.close().catch(() => {});
}
