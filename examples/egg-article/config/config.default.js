'use strict';

// `seckill lab` sets the addresses. Logs and the like go to EGG_HOME, which run.js sets to a
// temporary folder.
module.exports = app => ({
  keys: 'this sale has no cookies',
  store: process.env.SECKILL_STORE || 'redis://127.0.0.1:6379',
  queue: {
    url: process.env.SECKILL_QUEUE || 'amqp://127.0.0.1:5672',
    name: 'seckill',
    // How long the connection may be silent until it is open. The article's machines ran Windows,
    // which gives up a TCP connection after 21 s. Linux takes minutes, and nginx answers 504 after
    // 10 s: so the app gives up before, at the latest after twice this time.
    connectTimeout: 4000,
  },
  cluster: { listen: { hostname: '127.0.0.1' } },
  rundir: `${app.HOME}/run`,
  // An API without cookies needs no protection against forged forms.
  security: { csrf: { enable: false } },
});
