#!/usr/bin/env bash
# Step of action.yml that runs the bench. It sets the outputs exit-code, verdict and report, and
# leaves with the exit code of the bench. The bench itself adds its summary to that of the job.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

flags=()

# Ends the step before the bench. The comment says then that there was no run.
refuse() {
    output exit-code 2
    fail "$1" 2
}

# The profile, from the workspace or else from the checkout of the action.
add_profile() {
    local profile=$INPUT_PROFILE
    [ -n "$profile" ] || return 0
    if [ ! -e "$profile" ] && [ -e "$GITHUB_ACTION_PATH/$profile" ]; then
        profile=$GITHUB_ACTION_PATH/$profile
    fi
    flags+=("--profile=$profile")
}

# The thresholds, and the recorded run that relative ones refer to. Before there is such a run, as
# on the first one of a repository, the relative ones are left out.
add_thresholds() {
    local has_baseline=
    if [ -n "$INPUT_BASELINE" ] && [ -e "$INPUT_BASELINE/run.json" ]; then
        has_baseline=true
        flags+=("--baseline=$INPUT_BASELINE")
    fi
    local threshold
    while IFS= read -r threshold; do
        [[ $threshold =~ [^[:space:]] ]] || continue
        if [ -n "$INPUT_BASELINE" ] && [ -z "$has_baseline" ] &&
            [[ $threshold =~ [0-9][xX][[:space:]]*$ ]]; then
            warn "there is no run in $INPUT_BASELINE: ${threshold//[[:space:]]/} is left out"
            continue
        fi
        flags+=("--fail-if=$threshold")
    done < <(tr ',' '\n' <<<"$INPUT_FAIL_IF")
}

# The input args as words, split and unquoted as xargs does it: nothing is expanded or executed.
add_args() {
    local words
    words=$(mktemp)
    xargs -r printf '%s\0' <<<"$INPUT_ARGS" >"$words" || refuse 'the input args cannot be split'
    local word
    while IFS= read -r -d '' word; do
        flags+=("$word")
    done <"$words"
    rm -f "$words"
}

# Removes what an earlier run left in the folder, so that it is not taken for this one.
forget_earlier_run() {
    local file
    for file in run.json summary.md report.html junit.xml; do
        rm -f -- "$INPUT_OUT/$file"
    done
}

verdict() {
    [ ! -e "$INPUT_OUT/run.json" ] || jq -r '.audit.verdict // empty' "$INPUT_OUT/run.json"
}

main() {
    [[ -n $INPUT_OUT && $INPUT_OUT != *$'\n'* ]] || fail 'the input out is no folder' 2
    if [ -n "$INPUT_BASELINE" ] && [ "$INPUT_BASELINE" -ef "$INPUT_OUT" ]; then
        refuse 'the inputs baseline and out are the same folder: the run would replace its baseline'
    fi
    forget_earlier_run
    add_profile
    flags+=("--out=$INPUT_OUT")
    add_thresholds
    # The last ones, since they may end with flags of the spawned server, after --.
    add_args
    local code=0
    "$PROGRAM" bench "${flags[@]}" || code=$?
    output exit-code "$code"
    output verdict "$(verdict || true)"
    output report "$([ ! -e "$INPUT_OUT/report.html" ] || echo "$INPUT_OUT/report.html")"
    exit "$code"
}

main
