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
