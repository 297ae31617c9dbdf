#!/bin/bash
# Starts the article's app twice, on the ports 7001 and 7002, with four worker processes each, runs
# COMMAND, and stops both. `seckill lab` starts RabbitMQ, Redis and nginx for it:
#
#     seckill lab --with redis,rabbitmq,nginx -- examples/egg-article/run.sh [--fixed] COMMAND…
#
# --fixed starts the corrected app of fixed/ instead. SHOP_STOCK (10) is the number of units on
# sale, SHOP_WORKERS (4) that of the worker processes of each app. Needs Node 20 or later, and
# installs the packages of package-lock.json beside it when they are not installed yet.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v npm >/dev/null; then
    echo "run.sh: npm is not installed: install Node 20 or later" >&2
    exit 1
fi
# npm writes this file last.
if [ ! "$here/node_modules/.package-lock.json" -nt "$here/package-lock.json" ]; then
    (cd "$here" && npm ci --no-progress) >&2
fi
exec node "$here/run.js" "$@"
