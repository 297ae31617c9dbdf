#!/usr/bin/env bash
# Starts a checkout of li-jintong/FlashSale-Py and runs the command that follows; README.md says
# how to get the checkout:
#   FLASHSALE_PY_DIR=… examples/flashsale-py/run.sh seckill bench --profile …/shop.toml
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK"
. "$here/../lib.sh"

source=${FLASHSALE_PY_DIR:?the folder of the checkout, see README.md}
[ -f "$source/consumer.py" ] || { say "$source is not the checkout"; exit 1; }
port=8104
need_free "$port" 3307 6380 5672 # the last three are in the shop's source
venv "$here/requirements.txt"
start_mariadb 3307 password123 flash_sale
start_redis 6380
start_rabbitmq 5672

export PYTHONDONTWRITEBYTECODE=1
cd "$source"
uvicorn() { start shop "$WORK/venv/bin/uvicorn" main:app --host 127.0.0.1 --port "$port"; }
uvicorn
wait_for shop curl -fsS "http://127.0.0.1:$port/docs"
curl -fsS -X POST "http://127.0.0.1:$port/init_data" >/dev/null
"$WORK/venv/bin/python" seed_users.py >"$WORK/seed.log" 2>&1
stop_last # the shop puts the stock into Redis when it starts
uvicorn
wait_for shop curl -fsS "http://127.0.0.1:$port/docs"
start consumer "$WORK/venv/bin/python" -u consumer.py
wait_for consumer grep -q CTRL "$WORK/consumer.log"
cd - >/dev/null
say "FlashSale-Py listens on http://127.0.0.1:$port"
"$@"
