#!/usr/bin/env bash
# Runs cargo-mutants on the judge, with its unit tests and those of tests/library/audit. So that a
# mutant builds in seconds, the judge is copied into a package of its own below target/mutants/,
# which uses the rest of the project as a library. Further arguments are for cargo-mutants, for
# example `tests/mutants.sh --list` or `tests/mutants.sh --re 'in last_agrees$'`.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo mutants --version >/dev/null 2>&1; then
    echo 'cargo-mutants is missing: cargo install --locked cargo-mutants' >&2
    exit 1
fi
# What the package depends on is built once for both.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
package=target/mutants
rm -rf $package/{src,tests}
mkdir -p $package/{src,tests/library,.cargo}
cp -r src/judge tests/library/audit $package/src/
# The recorded runs are read from here.
cp -r tests/library/audit $package/tests/library/
cp .cargo/mutants.toml $package/.cargo/
cp Cargo.lock $package/

cat >$package/src/lib.rs <<'END'
pub mod judge;
pub use base::{history, ids, random, settings, stats, sut};
#[cfg(test)]
extern crate self as seckill;
#[cfg(test)]
mod audit;
END
{
    printf '[workspace]\n[package]\nname = "judge"\nedition = "2024"\n'
    printf '[dependencies]\nbase = { package = "seckill", path = "../.." }\n'
    grep -E '^(serde|serde_json|uuid) = ' Cargo.toml
    sed -n -e '/^\[dev-dependencies/,/^$/p' -e '/^\[profile.dev/,/^$/p' Cargo.toml
} >$package/Cargo.toml

cd $package
exec cargo mutants --in-place "$@"
