#!/usr/bin/env bash
# Installs what the tests need on a Debian machine with Rust, then runs all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

# A linker for Rust, mount for the test that fills a disk, openssl for certificates, and the
# engines: the tests start their own on free ports, so Debian's services are not started.
missing=()
needs() { command -v "$1" >/dev/null || missing+=("${@:2}"); }
PATH=$PATH:/usr/sbin:/sbin
needs cc gcc libc6-dev
needs mount mount
needs openssl openssl
needs redis-server redis-server
needs rabbitmq-server rabbitmq-server
needs nginx nginx
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    # Whoever has a policy of their own keeps it: see invoke-rc.d(8).
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap '"${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod +x $policy
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "${missing[@]}"
    [ -z "$(trap -p EXIT)" ] || { "${as_root[@]}" rm -f "$policy"; trap - EXIT; }
fi
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

# Another implementation of HdrHistogram, to read what is written in its format. Where it cannot be
# installed, its test says that it is skipped.
python=${CARGO_TARGET_DIR:-target}/python
if [ ! -e "$python/bin/python3" ] && python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if ! { python3 -m venv "$python" && "$python/bin/pip" install -q 'hdrhistogram>=0.10.3,<1'; }; then
        rm -rf "$python"
    fi
fi

step() { printf '\n== %s\n' "$*"; "$@"; }

step cargo fmt --all --check
step cargo clippy --locked --all-targets -- -D warnings
step cargo clippy --locked --all-targets --features tls -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --quiet
# The benches too, each in its shortest form: that they still run, not how fast.
step cargo test --locked --all-targets --no-fail-fast
# With TLS, what it changes.
step cargo test --locked --features tls --no-fail-fast --lib --test tls --test cli
