'use strict';

const article = require('../../config/config.default');

module.exports = app => {
  const config = article(app);
  // How long a request waits for RabbitMQ's confirm.
  config.queue.confirmTimeout = 5000;
  return config;
};
