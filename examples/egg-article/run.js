'use strict';

// See run.sh.
const { fork, spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const reset = require('./reset');

// nginx of `seckill lab` balances over these.
const PORTS = [ 7001, 7002 ];

const SIGNALS = [ 'SIGINT', 'SIGTERM', 'SIGHUP' ];

async function main(args) {
  const isFixed = args[0] === '--fixed';
  const command = isFixed ? args.slice(1) : args;
  if (!command.length) throw new Error('no command: run.sh [--fixed] COMMAND…');
  for (const name of [ 'SECKILL_QUEUE', 'SECKILL_STORE', 'SECKILL_TARGET' ]) {
    if (!process.env[name]) {
      throw new Error(`${name} is not set: start this under ` +
        '`seckill lab --with redis,rabbitmq,nginx --`');
    }
  }

  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'egg-article-'));
  const apps = [];
  try {
    await Promise.race([ start(apps, isFixed, home), interrupted() ]);
    return await run(command);
  } finally {
    await Promise.all(apps.map(stop));
    fs.rmSync(home, { recursive: true, force: true });
  }
}

// Rejects at the first signal.
async function interrupted() {
  const signal = await Promise.race(SIGNALS.map(async name => {
    await once(process, name);
    return name;
  }));
  throw Object.assign(new Error(`stopped by ${signal}`), { code: exitCode(null, signal) });
}

// Opens the sale, and starts both apps.
async function start(apps, isFixed, home) {
  await Promise.all(PORTS.map(assertFree));
  await reset();
  for (const port of PORTS) apps.push(startApp(port, isFixed, home));
  await Promise.all(apps.map(ready));
}

// Rejects if a server listens on the port.
async function assertFree(port) {
  const server = net.createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

// Starts an app. It is in a session of its own, so that a Ctrl-C reaches only the command, which
// may still need the app.
function startApp(port, isFixed, home) {
  const log = path.join(home, `${port}.log`);
  const file = fs.openSync(log, 'w');
  const baseDir = isFixed ? path.join(__dirname, 'fixed') : __dirname;
  const child = fork(path.join(__dirname, 'start.js'), [ baseDir ], {
    detached: true,
    stdio: [ 'ignore', file, file, 'ipc' ],
    env: {
      ...process.env,
      PORT: port,
      NODE_ENV: 'production',
      EGG_SERVER_ENV: 'prod',
      EGG_HOME: path.join(home, String(port)),
    },
  });
  fs.closeSync(file);
  return { port, log, child, exited: once(child, 'exit') };
}

// Waits for the message that Egg sends when all worker processes of an app accept requests.
async function ready({ port, log, child, exited }) {
  const started = new Promise(resolve => {
    child.on('message', message => message.action === 'egg-ready' && resolve(true));
  });
  if (await Promise.race([ started, exited.then(() => false) ])) return;
  const end = fs.readFileSync(log, 'utf8').split('\n').slice(-20).join('\n');
  throw new Error(`the app on port ${port} has not started:\n${end}`);
}

// Stops an app and its worker processes.
async function stop({ child, exited }) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exited;
  clearTimeout(timer);
}

// Runs the command, passes signals on to it, and returns its exit code.
async function run([ program, ...args ]) {
  const child = spawn(program, args, { stdio: 'inherit' });
  const forward = signal => {
    // The terminal sends Ctrl-C to the command as well.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  const [ code, name ] = await once(child, 'exit').catch(error => {
    throw new Error(`cannot run \`${program}\`: ${error.message}`);
  });
  return exitCode(code, name);
}

// The exit code that a shell would report.
function exitCode(code, signal) {
  return code === null ? 128 + os.constants.signals[signal] : code;
}

main(process.argv.slice(2)).then(
  code => process.exit(code),
  error => {
    console.error(`run.sh: ${error.message}`);
    process.exit(Number.isInteger(error.code) ? error.code : 1);
  }
);
