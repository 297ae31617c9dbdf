'use strict';

// Starts one app: node start.js [FOLDER] (default: this one, the article's app).
// PORT and SHOP_WORKERS are its port and its number of worker processes.
const path = require('path');
const egg = require('egg');

egg.startCluster({
  baseDir: path.resolve(process.argv[2] || __dirname),
  framework: path.dirname(require.resolve('egg/package.json')),
  port: Number(process.env.PORT || 7001),
  workers: Number(process.env.SHOP_WORKERS || 4),
});

// Ends with the script that started it, even if that was killed.
if (process.send) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
