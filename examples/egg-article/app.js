'use strict';

const Redis = require('ioredis');

// Runs in each worker process.
module.exports = class AppBoot {
  constructor(app) {
    this.app = app;
  }

  didLoad() {
    this.app.redis = new Redis(this.app.config.store);
  }

  // The worker accepts requests when this has returned.
  async willReady() {
    await this.app.createAnonymousContext().service.queue.consume();
  }

  beforeClose() {
    this.app.redis.disconnect();
  }
};
