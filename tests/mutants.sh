#!/usr/bin/env bash
# Runs cargo-mutants on the judge with its unit tests. So that a mutant builds in seconds, the judge
# is copied into a package of its own below target/mutants/, which uses the rest of the project as a
# library. Arguments are for cargo-mutants: `tests/mutants.sh -f src/judge/rules/views.rs`.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo mutants --version >/dev/null 2>&1; then
    echo 'cargo-mutants is missing: cargo install --locked cargo-mutants' >&2
    exit 1
fi
# The library is built once for both packages.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
package=target/mutants
rm -rf $package/src
mkdir -p $package/{src,.cargo}
cp -r src/judge $package/src/
cp .cargo/mutants.toml $package/.cargo/
cp Cargo.lock $package/
cat >$package/src/lib.rs <<'END'
pub mod judge;
pub use base::{escape, history, ids, random, settings, similar, stats, units};
END
{
    # The library keeps its name, which is part of the names of snapshots.
    printf '[workspace]\n[package]\nname = "judge"\nedition = "2024"\n'
    printf '[lib]\nname = "seckill"\n'
    printf '[dependencies]\nbase = { package = "seckill", path = "../.." }\n'
    grep -E '^(insta|serde|serde_json|uuid) = ' Cargo.toml
    sed -n '/^\[profile.dev/,/^$/p' Cargo.toml
} >$package/Cargo.toml
cd $package
exec cargo mutants --in-place "$@"
