#!/usr/bin/env bash
# Installs what the tests need, runs every check and every test, and ends with one line that says
# what passed, what failed, what was skipped, and how long it took. A failed step does not keep the
# later ones from running. Exits with 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

# Incremental compilation would double the size of the target folder and help no later run.
export CARGO_INCREMENTAL=0
# Without debug information the programs build faster. A panic names its line all the same.
export CARGO_PROFILE_DEV_DEBUG=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed_steps=()
# The fuzz targets are a workspace of their own, with the same versions of the same packages.
fuzz_targets=(cargo check --manifest-path fuzz/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}")
with_tls=(--lib --bins --test tls --features tls)

# Runs a command as the step of this name.
step() {
    printf '\n== %s\n' "$1"
    "${@:2}" 2>&1 | tee -a "$log" || failed_steps+=("$1")
}

step setup tests/setup.sh
step format cargo fmt --all --check
step 'shell scripts' shellcheck -x tests/*.sh tests/cli/action/bin/* deploy/github/*.sh .ci/run
step clippy cargo clippy --locked --all-targets -- -D warnings
RUSTDOCFLAGS='-D warnings' step docs cargo doc --locked --no-deps --quiet
step 'build of the tests' cargo test --locked --no-run
cp Cargo.lock fuzz/
# Most tests wait more than they compute: meanwhile the programs of the later steps are built, at
# the lowest priority. Those steps report what does not compile. Of the tests with TLS only those of
# the library: the others would replace the program that the tests run.
{
    nice -n 19 cargo test --locked --no-run --benches
    nice -n 19 cargo test --locked --no-run --features tls --lib
    nice -n 19 cargo clippy --locked "${with_tls[@]}"
    nice -n 19 "${fuzz_targets[@]}"
} >/dev/null 2>&1 &
build_ahead=$!
# Most tests wait more than they compute, so more of them run at a time than there are cores.
RUST_TEST_THREADS=$(($(nproc) + 1)) step tests cargo test --locked --no-fail-fast
wait "$build_ahead"
# Each in its shortest form: whether they still run, not how fast.
step benches cargo test --locked --no-fail-fast --benches
step 'fuzz targets' "${fuzz_targets[@]}"
# With TLS, what it changes.
step 'tests with TLS' cargo test --locked --features tls --no-fail-fast --lib --test tls
step 'clippy with TLS' cargo clippy --locked "${with_tls[@]}" -- -D warnings
step 'flags with TLS' cargo test --locked --features tls --no-fail-fast --test cli bad_input

# Adds up the numbers before this word in the harness's lines "test result: ok. 7 passed; …".
sum() {
    grep '^test result: ' "$log" | grep -o "[0-9]* $1" | awk '{ sum += $1 } END { print sum + 0 }'
}
# The harness counts a test as passed that returned early because it cannot run here.
skipped=$(grep -o 'skipped: .*' "$log" | sort -u)
skipped_count=$(grep -c . <<<"$skipped")
reasons=$(sed -n 's/.*skipped\( in part\)\?: [^(]* (\(.*\))$/\2/p' "$log" | sed 's/, /\n/g' | sort -u |
    awk '{ line = line (NR > 1 ? "; " : "") $0 } END { print line }')
summary="tests: $(($(sum passed) - skipped_count)) passed, $(sum failed) failed"
summary+=", $((skipped_count + $(sum ignored))) skipped${reasons:+ ($reasons)}"
steps=
[ ${#failed_steps[@]} -eq 0 ] || printf -v steps ', %s' "${failed_steps[@]}"
printf '\n%s in %dm%ds%s\n' "$summary" $((SECONDS / 60)) $((SECONDS % 60)) \
    "${steps:+ (failed steps: ${steps:2})}"
[ ${#failed_steps[@]} -eq 0 ]
