#!/usr/bin/env bash
# Installs EverShop, starts a shop with one product and runs the command that follows:
#   examples/evershop/run.sh seckill bench --profile examples/evershop/shop.toml --reset
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK/media" "$WORK/public"
. "$here/../lib.sh"

export PORT=8113 SHOP_STOCK=${SHOP_STOCK:-3} NODE_ENV=production
export DB_HOST=127.0.0.1 DB_PORT=5513 DB_NAME=evershop DB_USER=evershop DB_PASSWORD=none
export DB_SSLMODE=disable JWT_ADMIN_SECRET=a-secret JWT_ADMIN_REFRESH_SECRET=b-secret
export JWT_CUSTOMER_SECRET=c-secret JWT_CUSTOMER_REFRESH_SECRET=d-secret
need node nodejs
need_free "$PORT" "$DB_PORT"
node_modules "$here"
start_postgres "$DB_PORT" evershop

cd "$WORK"
evershop=node_modules/.bin/evershop
if ! cmp -s package-lock.json .evershop/of; then
    say "building EverShop's pages, which takes two minutes of a processor"
    "$evershop" build >build.log 2>&1
    cp package-lock.json .evershop/of
fi
start shop "$evershop" start
# It leaves its two helper processes behind, and PostgreSQL waits for their connections.
trap 'pkill -P "${pids[-1]}" || true; stop_all' EXIT
wait_for shop curl -sS "http://127.0.0.1:$PORT/"
admin=(admin@example.com a-passw0rd)
"$evershop" user:create --name Admin --email "${admin[0]}" --password "${admin[1]}" >user.log 2>&1
node seed.mjs "${admin[@]}"
cd - >/dev/null
say "EverShop sells $SHOP_STOCK units at http://127.0.0.1:$PORT/api"
"$@"
