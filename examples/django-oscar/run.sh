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
need_free "$SHOP_PORT" "$SHOP_DB_PORT" 5601
need nginx nginx
venv "$here/requirements.txt"
start_postgres "$SHOP_DB_PORT" oscar
"$WORK/venv/bin/django-admin" migrate --verbosity 0
"$WORK/venv/bin/django-admin" shell --verbosity 0 <"$here/frobshop/seed.py"

# Gunicorn's own advice: as many workers as twice the cores and one, behind nginx, since a worker
# that accepts a connection waits for its request.
cat >"$scratch/nginx.conf" <<CONFIG
pid $scratch/nginx.pid;
error_log stderr;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $scratch/body;
    proxy_temp_path $scratch/proxy;
    server {
        listen 127.0.0.1:$SHOP_PORT backlog=4096;
        location / {
            proxy_pass http://127.0.0.1:5601;
            proxy_set_header Host \$http_host;
            proxy_redirect off;
        }
    }
}
CONFIG
start nginx nginx -e stderr -p "$scratch" -c "$scratch/nginx.conf" -g 'daemon off;'
start shop "$WORK/venv/bin/gunicorn" --bind 127.0.0.1:5601 --no-control-socket \
    --workers "${SHOP_WORKERS:-$((2 * $(nproc) + 1))}" frobshop.wsgi
wait_for shop curl -fsS "http://127.0.0.1:$SHOP_PORT/catalogue/phone_1/"
say "django-oscar sells $SHOP_STOCK units at http://127.0.0.1:$SHOP_PORT/catalogue/phone_1/"
"$@"
