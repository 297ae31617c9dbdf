'use strict';

// `seckill lab` sets the addresses. Logs and the like go to EGG_HOME, which run.js sets to a
// temporary folder.
module.exports = app => ({
  keys: 'this sale has no cookies',
  store: process.env.SECKILL_STORE || 'redis://127.0.0.1:6379',
  queue: {
    url: process.env.SECKILL_QUEUE || 'amqp://127.0.0.1:5672',
    name: 'seckill',
    // The article's machines ran Windows, which gives up a TCP connection after 21 s. On Linux that
    // takes minutes, and nginx answers 504 before: so the app gives up earlier than nginx does.
    connectTimeout: 5000,
  },
  cluster: { listen: { hostname: '127.0.0.1' } },
  rundir: `${app.HOME}/run`,
  // An API without cookies needs no protection against forged forms.
  security: { csrf: { enable: false } },
});
