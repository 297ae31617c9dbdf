// Starts the shop's server and its worker in one process, as Vendure's guide allows.
const { bootstrap, bootstrapWorker } = require('@vendure/core');
const { config } = require('./vendure-config');

bootstrap(config)
    .then(() => bootstrapWorker(config))
    .then(worker => worker.startJobQueue())
    .catch(error => { console.error(error); process.exit(1); });
