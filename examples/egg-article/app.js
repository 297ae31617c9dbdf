'use strict';

const Redis = require('ioredis');

// Runs in each worker process.
module.exports = class AppBoot {
  constructor(app) {
    this.app = app;
  }

  didLoad() {
    const { app } = this;
    app.redis = new Redis(app.config.store);
    // Longer than the 50 s for which nginx keeps an idle connection, so that it sends no request on
    // one that is being closed here.
    app.once('server', server => { server.keepAliveTimeout = 60_000; });
  }

  // The worker accepts requests when this has returned.
  async willReady() {
    await this.app.createAnonymousContext().service.queue.consume();
  }

  beforeClose() {
    this.app.redis.disconnect();
  }
};
