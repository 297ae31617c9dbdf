#!/bin/bash
# Checks in about three minutes that `seckill bench` finds both faults of the article's app, and
# none in the corrected one. `seckill` must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# sale LAB_FLAGS APP BENCH_FLAGS: prints the run, and sets `code` to its exit code. APP is empty or
# --fixed.
sale() {
    echo "== seckill lab $1 -- run.sh $2 seckill bench $3"
    code=0
    # shellcheck disable=SC2086 # Each of the three is a list of words.
    seckill lab --with redis,rabbitmq,nginx $1 -- examples/egg-article/run.sh $2 \
        seckill bench $3 2>&1 | tee "$output" || code=$?
}

fail() {
    echo "check.sh: $1" >&2
    exit 1
}

# 141 connections for 300 attempts.
few="--profile profiles/egg-article.toml --threads 100 --ramp 2s --loops 3"
sale '--broker-files 256' '' "$few"
[ $code != 0 ] || fail 'the article'\''s app passed without enough connections'
grep -q "the broker's connections were at" "$output" || fail 'the report does not name the cause'
sale '--broker-files 256' --fixed "$few"
[ $code = 0 ] || fail "the corrected app failed with few connections: exit $code"

# Two consumers meet at the last units in 21 of 22 bursts.
for _ in 1 2 3; do
    sale '' '' '--profile profiles/egg-burst.toml'
    [ $code != 3 ] || break
done
[ $code = 3 ] || fail "the burst did not oversell: exit $code"
sale '' --fixed '--profile profiles/egg-burst.toml'
[ $code = 0 ] || fail "the corrected app failed in the burst: exit $code"
