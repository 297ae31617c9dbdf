#!/usr/bin/env bash
# Installs Vendure, starts a shop with one product and runs the command that follows:
#   examples/vendure/run.sh seckill bench --profile examples/vendure/shop.toml --reset
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK"
. "$here/../lib.sh"

export SHOP_PORT=8111 SHOP_STOCK=${SHOP_STOCK:-10} SHOP_SCRATCH=$scratch
export SHOP_DB=postgres://vendure@127.0.0.1:5511/vendure
export VENDURE_DISABLE_TELEMETRY=true
need node nodejs
need_free "$SHOP_PORT" 5511
node_modules "$here"
start_postgres 5511 vendure
(cd "$WORK" && node seed.js >seed.log 2>&1) || { tail "$WORK/seed.log" >&2; exit 1; }
start shop node "$WORK/index.js"
wait_for shop curl -fsS "http://127.0.0.1:$SHOP_PORT/health"
say "Vendure sells $SHOP_STOCK units at http://127.0.0.1:$SHOP_PORT/shop-api"
"$@"
