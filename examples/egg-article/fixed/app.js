'use strict';

const fs = require('fs');
const path = require('path');
const Redis = require('ioredis');
const Broker = require('./lib/broker');

const TAKE = fs.readFileSync(path.join(__dirname, 'lib/take.lua'), 'utf8');

// Runs in each worker process.
module.exports = class AppBoot {
  constructor(app) {
    this.app = app;
  }

  didLoad() {
    const { app } = this;
    app.redis = new Redis(app.config.store);
    // As in the article's app.
    app.once('server', server => { server.keepAliveTimeout = 60_000; });
    app.redis.defineCommand('take', { numberOfKeys: 4, lua: TAKE });
    const take = ({ uid, request_id }) =>
      app.redis.take('count', 'buslist', 'buyers', 'requests', uid, request_id);
    app.broker = new Broker(app.config.queue, app.logger, take);
  }

  // The worker accepts requests when this has returned.
  async willReady() {
    await this.app.broker.connect();
  }

  async beforeClose() {
    await this.app.broker.close();
    this.app.redis.disconnect();
  }
};
