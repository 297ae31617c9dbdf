#!/usr/bin/env bash
# Installs what the tests need on a Debian machine with Rust, then runs all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

# A linker for Rust, mount for the test that fills a disk, openssl for certificates.
missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v mount >/dev/null || missing+=(mount)
command -v openssl >/dev/null || missing+=(openssl)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

step() { printf '\n== %s\n' "$*"; "$@"; }

step cargo fmt --all --check
step cargo clippy --locked --all-targets -- -D warnings
step cargo clippy --locked --all-targets --features tls -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --quiet
# The benches too, each in its shortest form: that they still run, not how fast.
step cargo test --locked --all-targets --no-fail-fast
# With TLS, what it changes.
step cargo test --locked --features tls --no-fail-fast --lib --test tls --test cli
