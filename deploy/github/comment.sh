#!/usr/bin/env bash
# Step of action.yml that keeps one comment on the pull request up to date. It finds its comment by
# a marker in the first line, which is not displayed. Whatever goes wrong here is a warning: the
# exit code of the job is that of the bench.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

# GitHub accepts 65,536 characters. It may count characters outside the basic plane as two.
length_max=60000
# Lengths are in characters, not bytes.
export LC_ALL=C.UTF-8
# For a GitHub server of a company, too.
server=${GITHUB_SERVER_URL:-https://github.com}
export GH_HOST=${server#https://}

marker="<!-- seckill: $INPUT_NAME -->"
comments=repos/$GITHUB_REPOSITORY/issues

give_up() {
    warn "the comment on the pull request was not written: $1"
    exit 0
}

# Calls the API of GitHub. If it fails, the message is in $problem.
problem=$(mktemp)
body=$(mktemp)
trap 'rm -f "$problem" "$body"' EXIT
api() { gh api "$@" 2>"$problem"; }

why() {
    head -c 300 "$problem"
    ! grep -q 'HTTP 40[34]' "$problem" ||
        printf '(the job needs the permission pull-requests: write, which the token of a pull %s' \
            'request from a fork does not have)'
}

# The id of the comment with the marker; none if there is no such comment. Anybody can write a
# comment with the marker, and would remain its author: only those of bots and of people who belong
# to the repository count.
existing() {
    api --paginate "$comments/$1/comments?per_page=100" |
        jq -rs --arg marker "$marker" '[add // [] | .[]
            | select(.user.type == "Bot"
                or (.author_association | IN("OWNER", "MEMBER", "COLLABORATOR")))
            | select((.body // "") | split("\n")[0] | rtrimstr("\r") == $marker)
            | .id][0] // empty'
}

# The text, or as many of its first lines as fit into so many characters.
shortened() {
    local text=$1
    if [ "${#text}" -gt "$2" ]; then
        text=${text:0:$2}
        text=${text%$'\n'*}$'\n\n'
        text+="The summary is too long for a comment: it is in the job's summary."
    fi
    printf '%s' "$text"
}

write_body() {
    local job=$server/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
    local links="[Job]($job)"
    [ -z "$ARTIFACT_URL" ] || links+=" · [report and recorded run]($ARTIFACT_URL)"
    local summary="### The bench could not run"
    [ ! -s "$INPUT_OUT/summary.md" ] || summary=$(<"$INPUT_OUT/summary.md")
    {
        printf '%s\n' "$marker"
        shortened "$summary" "$length_max"
        printf '\n\nExit code %s · %s\n' "$EXIT_CODE" "$links"
    } >"$body"
}

main() {
    local number
    number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH") || number=
    if [[ ! $number =~ ^[0-9]+$ ]]; then
        echo 'This is no run for a pull request: no comment is written.'
        return
    fi
    [[ $INPUT_NAME =~ ^[A-Za-z0-9._\ -]{1,64}$ ]] ||
        give_up 'the input name may have letters, digits, spaces and the characters . _ -'
    command -v gh >/dev/null || give_up 'gh is not installed'
    write_body
    local id
    id=$(existing "$number") || give_up "$(why)"
    if [ -n "$id" ]; then
        api --method PATCH "$comments/comments/$id" -F "body=@$body" >/dev/null
    else
        api --method POST "$comments/$number/comments" -F "body=@$body" >/dev/null
    fi || give_up "$(why)"
}

main
