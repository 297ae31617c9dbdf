#!/usr/bin/env bash
# Installs django-oscar, starts a shop with one product and runs the command that follows:
#   examples/django-oscar/run.sh seckill bench --profile examples/django-oscar/shop.toml
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$here/.work
mkdir -p "$WORK"
. "$here/../lib.sh"

export SHOP_PORT=8101 SHOP_DB_PORT=5501 SHOP_WORK=$WORK SHOP_STOCK=${SHOP_STOCK:-10}
export DJANGO_SETTINGS_MODULE=frobshop.settings PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
need_free "$SHOP_PORT" "$SHOP_DB_PORT"
venv "$here/requirements.txt"
start_postgres "$SHOP_DB_PORT" oscar
"$WORK/venv/bin/django-admin" migrate --verbosity 0
"$WORK/venv/bin/django-admin" shell --verbosity 0 <"$here/frobshop/seed.py"

# Gunicorn's own advice for the number of workers: twice the cores and one.
start shop "$WORK/venv/bin/gunicorn" --bind "127.0.0.1:$SHOP_PORT" \
    --workers "${SHOP_WORKERS:-$((2 * $(nproc) + 1))}" frobshop.wsgi
wait_for shop curl -fsS "http://127.0.0.1:$SHOP_PORT/catalogue/phone_1/"
say "django-oscar sells $SHOP_STOCK units at http://127.0.0.1:$SHOP_PORT/catalogue/phone_1/"
"$@"
