#!/usr/bin/env bash
# Installs what the tests need on a Debian machine with Rust. Does nothing where all of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

# A linker for Rust, a compiler for libFuzzer, mount for the tests that fill a disk, openssl for
# certificates, a browser for pages, jq and shellcheck for the scripts of the GitHub action, Python
# for a shop to be tested, the command-line clients of databases, and the services: the tests start
# their own on free ports, so Debian's are not started.
missing=()
needs() { command -v "$1" >/dev/null || missing+=("${@:2}"); }
PATH=$PATH:/usr/sbin:/sbin
needs cc gcc libc6-dev
needs c++ g++
needs mount mount
needs openssl openssl
needs jq jq
needs shellcheck shellcheck
needs python3 python3
needs sqlite3 sqlite3
needs psql postgresql-client
needs redis-server redis-server
needs rabbitmq-server rabbitmq-server
needs nginx nginx
command -v google-chrome >/dev/null || needs chromium chromium
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    # A policy that forbids starting services during the installation, see invoke-rc.d(8). One that
    # is already there is kept.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap '"${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod +x $policy
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "${missing[@]}"
fi
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

# Another implementation of HdrHistogram, which reads the files that are written in its format.
# Where it cannot be installed, the test that needs it is skipped.
python=${CARGO_TARGET_DIR:-target}/python
if [ ! -e "$python/bin/python3" ] && python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if ! { python3 -m venv "$python" && "$python/bin/pip" install -q 'hdrhistogram>=0.10.3,<1'; }; then
        rm -rf "$python"
    fi
fi
