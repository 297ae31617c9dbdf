# What the steps of action.yml share. Inputs and contexts of GitHub come as environment variables,
# never as text within a script. Variables of the action do not begin with SECKILL_, since those are
# flags of the program.
# shellcheck shell=bash

# Escapes a text for a command of the runner, which would end at a line break.
escaped() {
    local text=${1//'%'/%25}
    text=${text//$'\r'/%0D}
    printf '%s' "${text//$'\n'/%0A}"
}

warn() { printf '::warning title=seckill::%s\n' "$(escaped "$1")"; }

# Reports a wrong input or a failed step, and ends the step.
fail() {
    printf '::error title=seckill::%s\n' "$(escaped "$1")"
    exit "${2:-1}"
}

# Sets an output of the step.
output() {
    [[ $2 != *$'\n'* ]] || fail "the value of $1 has a line break" 2
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}
