#!/usr/bin/env bash
# Installs pretix, starts a shop with one ticket and runs the command that follows:
#   examples/pretix/run.sh seckill bench --profile examples/pretix/shop.toml --reset
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK/data"
. "$here/../lib.sh"

port=8102 db=5502 redis=6502
export SHOP_STOCK=${SHOP_STOCK:-10} SHOP_TOKEN=${SHOP_TOKEN:-a-token-for-a-throw-away-shop}
export DATA_DIR=$WORK/data PRETIX_CONFIG_FILE=$scratch/pretix.cfg PYTHONDONTWRITEBYTECODE=1
need_free "$port" "$db" "$redis"
venv "$here/requirements.txt"
start_postgres "$db" pretix
start_redis "$redis"

# The configuration of pretix' guide to a manual installation, without its mail server.
cat >"$PRETIX_CONFIG_FILE" <<CONFIG
[pretix]
instance_name=A throw-away shop
url=http://127.0.0.1:$port
datadir=$WORK/data
[database]
backend=postgresql
name=pretix
user=pretix
host=127.0.0.1
port=$db
[redis]
location=redis://127.0.0.1:$redis/0
sessions=true
[celery]
backend=redis://127.0.0.1:$redis/1
broker=redis://127.0.0.1:$redis/2
CONFIG
# The hundreds of migrations take a minute or two, so what they made is kept for the next time.
url=postgres://pretix@127.0.0.1:$db/pretix
dump=$WORK/migrated-$(cksum <"$here/requirements.txt" | cut -d " " -f 1).sql
if [ -f "$dump" ]; then
    psql -qo /dev/null -v ON_ERROR_STOP=1 -f "$dump" "$url"
else
    "$WORK/venv/bin/python" -m pretix migrate --verbosity 0 >"$WORK/migrate.log" 2>&1
    pg_dump -f "$WORK/migrated.tmp" "$url"
    mv "$WORK/migrated.tmp" "$dump"
fi
"$WORK/venv/bin/python" -m pretix shell <"$here/seed.py" >"$WORK/seed.log" 2>&1

start worker "$WORK/venv/bin/celery" -A pretix.celery_app worker --loglevel info --concurrency 1
start shop "$WORK/venv/bin/gunicorn" --bind "127.0.0.1:$port" --name pretix \
    --workers "${SHOP_WORKERS:-5}" --max-requests 1200 --max-requests-jitter 50 pretix.wsgi
wait_for shop curl -fsS "http://127.0.0.1:$port/flash/sale/"
say "pretix sells $SHOP_STOCK tickets at http://127.0.0.1:$port/flash/sale/"
"$@"
