#!/usr/bin/env bash
# Starts an installed checkout of frayhan94/flash-sale-ordering-system and runs the command that
# follows; README.md says how to get the checkout:
#   FLASH_SALE_DIR=… examples/flash-sale-ordering-system/run.sh seckill bench --profile …/shop.toml
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK"
. "$here/../lib.sh"

backend=${FLASH_SALE_DIR:?the folder of the checkout, see README.md}/backend
port=8103 db=5503 redis=6503
need node nodejs
need_free "$port" "$db" "$redis"
(cd "$backend" && node --input-type=module -e 'import "fastify"') 2>/dev/null ||
    { say "the packages of $backend are not installed"; exit 1; }
start_postgres "$db" flashsale
start_redis "$redis"

export NODE_ENV=production HOST=127.0.0.1 PORT=$port REDIS_URL=redis://127.0.0.1:$redis
export DATABASE_URL=postgres://flashsale@127.0.0.1:$db/flashsale
psql -q "$DATABASE_URL" -f "$backend/src/db/init.sql"
(cd "$backend" && node src/db/seed.js >"$WORK/seed.log" 2>&1)
start shop node "$backend/src/index.js"
wait_for shop curl -fsS "http://127.0.0.1:$port/health"
say "flash-sale-ordering-system listens on http://127.0.0.1:$port"
"$@"
