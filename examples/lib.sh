#!/usr/bin/env bash
# Helpers of the examples' run.sh: start servers on loopback, wait for them, stop them by their pid.
# The caller sets WORK, the folder of logs and of what is installed. Sourced, not run.

pids=()
scratch=$(mktemp -d)

say() { printf '%s\n' "$*" >&2; }

# Stops what start began, the last one first, and removes the throw-away data.
stop_all() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill "${pids[i]}" 2>/dev/null || true
        wait "${pids[i]}" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND...: runs it in the background, with its output in WORK/NAME.log.
start() {
    local name=$1
    shift
    "$@" >"$WORK/$name.log" 2>&1 </dev/null &
    pids+=($!)
}

# Stops what was started last.
stop_last() {
    kill "${pids[-1]}"
    wait "${pids[-1]}" 2>/dev/null || true
    unset 'pids[-1]'
}

# wait_for NAME COMMAND...: repeats it until it succeeds, for a minute at most.
wait_for() {
    local name=$1 i
    shift
    for ((i = 0; i < 300; i++)); do
        "$@" >/dev/null 2>&1 && return
        if ! kill -0 "${pids[-1]}" 2>/dev/null; then break; fi
        sleep 0.2
    done
    say "$name did not start; the end of $WORK/$name.log:"
    tail -n 15 "$WORK/$name.log" >&2
    return 1
}

# need_free PORT...: refuses a port that something answers on.
need_free() {
    local port
    for port in "$@"; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            say "port $port of 127.0.0.1 is taken"
            return 1
        fi
    done
}

need() {
    command -v "$1" >/dev/null || { say "$1 is not installed (Debian package $2)"; return 1; }
}

# start_postgres PORT NAME: a throw-away cluster with a role and a database of this name.
start_postgres() {
    local port=$1 name=$2 bin as=() data=$scratch/postgres
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
        chmod 755 "$scratch"
        chown postgres: "$data"
        as=(setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/)
    fi
    "${as[@]}" "$bin/initdb" -D "$data" -U "$name" --auth=trust -E UTF8 --locale=C.UTF-8 \
        >"$WORK/initdb.log" 2>&1
    start postgres "${as[@]}" "$bin/postgres" -D "$data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200
    wait_for postgres "$bin/createdb" -h 127.0.0.1 -p "$port" -U "$name" "$name"
}

# start_redis PORT: keeps nothing on disk.
start_redis() {
    need redis-server redis-server
    start redis redis-server --bind 127.0.0.1 --port "$1" --save '' --dir "$scratch"
    wait_for redis redis-cli -p "$1" ping
}

# venv REQUIREMENTS: WORK/venv with exactly these packages.
venv() {
    if ! cmp -s "$1" "$WORK/venv/requirements.txt"; then
        say "installing $(grep -c == "$1") Python packages into $WORK/venv"
        rm -rf "$WORK/venv"
        python3 -m venv "$WORK/venv"
        "$WORK/venv/bin/pip" --disable-pip-version-check -q install --no-deps -r "$1"
        cp "$1" "$WORK/venv/requirements.txt"
    fi
}

# start_mariadb PORT PASSWORD NAME: a throw-away server with this password of root and a database.
start_mariadb() {
    local data=$scratch/mariadb as=() server
    server=$(PATH=$PATH:/usr/sbin command -v mariadbd) || need mariadbd mariadb-server
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then as=(--user=root); fi
    mariadb-install-db --no-defaults "${as[@]}" --datadir="$data" --skip-test-db \
        --auth-root-authentication-method=normal >"$WORK/install-db.log" 2>&1
    start mariadb "$server" --no-defaults "${as[@]}" --datadir="$data" --port="$1" \
        --bind-address=127.0.0.1 --socket="$scratch/mariadb.sock" --pid-file="$scratch/mariadb.pid"
    wait_for mariadb mysql --no-defaults -u root -S "$scratch/mariadb.sock" -e "
        alter user root@localhost identified by '$2'; create database $3"
}

# start_rabbitmq PORT: a throw-away node with the user guest, and its port mapper.
start_rabbitmq() {
    local dir=$scratch/rabbitmq bin=/usr/lib/rabbitmq/bin/rabbitmq-server
    [ -x "$bin" ] || need rabbitmq-server rabbitmq-server
    mkdir "$dir"
    export ERL_EPMD_PORT=1$1 ERL_EPMD_ADDRESS=127.0.0.1
    start epmd epmd -port "1$1" -address 127.0.0.1
    start rabbitmq env HOME="$dir" RUNNING_UNDER_SYSTEMD=true RABBITMQ_NODENAME="e$1@localhost" \
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$1" RABBITMQ_DIST_PORT="2$1" \
        RABBITMQ_MNESIA_BASE="$dir" RABBITMQ_LOG_BASE="$dir" RABBITMQ_PID_FILE="$dir/pid" \
        RABBITMQ_CONF_ENV_FILE="$dir/env" RABBITMQ_CONFIG_FILE="$dir/conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" "$bin"
    wait_for rabbitmq answers_amqp "$1"
}

# answers_amqp PORT: whether a broker answers the protocol's header.
answers_amqp() (
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'AMQP\0\0\x09\x01' >&3
    IFS= read -r -t 2 -n 1 -u 3 _
)

# node_modules FOLDER: WORK/node_modules with exactly the packages of the folder's lock file, and
# the folder's scripts beside it, so that they find these packages.
node_modules() {
    if [ ! -f "$WORK/installed" ] || ! cmp -s "$1/package-lock.json" "$WORK/installed"; then
        say "installing $(grep -c '^    "node_modules/' "$1/package-lock.json") npm packages"
        cp "$1/package.json" "$1/package-lock.json" "$WORK/"
        if ! (cd "$WORK" && npm ci --no-audit --no-fund >npm.log 2>&1); then
            tail -n 15 "$WORK/npm.log" >&2
            return 1
        fi
        cp "$1/package-lock.json" "$WORK/installed"
    fi
    find "$1" -maxdepth 1 -name '*.*js' -exec cp {} "$WORK/" \;
}
