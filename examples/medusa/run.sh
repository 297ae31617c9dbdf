#!/usr/bin/env bash
# Installs Medusa, starts a shop with one product and runs the command that follows:
#   examples/medusa/run.sh seckill bench --profile examples/medusa/shop.toml --reset
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK"
. "$here/../lib.sh"

port=8112
export SHOP_URL=http://127.0.0.1:$port SHOP_STOCK=${SHOP_STOCK:-10} NODE_ENV=production
export DATABASE_URL=postgres://medusa@127.0.0.1:5512/medusa MEDUSA_DISABLE_TELEMETRY=true
need node nodejs
need_free "$port" 5512
node_modules "$here"
start_postgres 5512 medusa

cd "$WORK"
medusa=node_modules/.bin/medusa
"$medusa" db:migrate >migrate.log 2>&1 || { tail migrate.log >&2; exit 1; }
start shop "$medusa" start --host 127.0.0.1 --port "$port"
wait_for shop curl -fsS "$SHOP_URL/health"
admin=(admin@example.com a-passw0rd)
"$medusa" user --email "${admin[0]}" --password "${admin[1]}" >user.log 2>&1
ids=$(node seed.mjs "${admin[@]}")
export ${ids?}
cd - >/dev/null
say "Medusa sells $SHOP_STOCK units at $SHOP_URL/store"
"$@"
