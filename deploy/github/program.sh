#!/usr/bin/env bash
# Steps of action.yml that provide the program:
#
#     program.sh find        decides where it comes from: INPUT_BINARY, a release, or the source
#     program.sh build       builds it from the checkout of the action
#     program.sh download    fetches the archive of a release and checks its SHA-256
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

root=$RUNNER_TEMP/seckill

find_program() {
    [ -z "$INPUT_BINARY" ] || [ -z "$INPUT_VERSION" ] ||
        fail 'give either the input binary or the input version, not both' 2
    if [ -n "$INPUT_BINARY" ]; then
        if [ ! -f "$INPUT_BINARY" ] || [ ! -x "$INPUT_BINARY" ]; then
            fail "the input binary, $INPUT_BINARY, is no program" 2
        fi
        output from binary
        output program "$(realpath "$INPUT_BINARY")"
        return
    fi
    output from "$([ -n "$INPUT_VERSION" ] && echo release || echo source)"
    output program "$root/bin/seckill"
    output root "$root"
    output key "seckill-${RUNNER_OS:-}-${RUNNER_ARCH:-}-${ImageOS:-}-$(source_hash)"
}

# A hash of everything that the program is built from.
source_hash() {
    cd "$GITHUB_ACTION_PATH"
    find Cargo.toml Cargo.lock src templates deploy -type f -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sha256sum | cut -c1-32
}

build() {
    CARGO_TARGET_DIR=$RUNNER_TEMP/seckill-target cargo install --locked --features tls \
        --path "$GITHUB_ACTION_PATH" --root "$root"
    # The cache keeps the program alone.
    rm -rf "$RUNNER_TEMP/seckill-target"
}

download() {
    local version=${INPUT_VERSION#v}
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+([-.][0-9A-Za-z.-]+)?$ ]] ||
        fail "the input version, $INPUT_VERSION, is no version such as 0.1.0" 2
    [ -n "$ACTION_REPOSITORY" ] ||
        fail 'the repository of the action is not known: give the input binary instead' 2
    local archive
    archive=seckill-$version-$(uname -m)-unknown-linux-gnu.tar.gz
    local url=${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY
    url+=/releases/download/v$version
    mkdir -p "$root"
    cd "$root"
    local file
    for file in "$archive" "$archive.sha256"; do
        curl --fail --silent --show-error --location --retry 3 --proto '=https' \
            --output "$file" "$url/$file" || fail "cannot fetch $url/$file"
    done
    # The file names the archive itself, and not another one.
    [ "$(awk '{ print $2 }' "$archive.sha256")" = "$archive" ] ||
        fail "$archive.sha256 is not about $archive alone"
    sha256sum --check --strict --quiet "$archive.sha256" ||
        fail "$archive does not have the SHA-256 of $archive.sha256"
    tar --extract --gzip --file "$archive" --no-same-owner bin/seckill
}

case ${1:-} in
    find) find_program ;;
    build) build ;;
    download) download ;;
    *) fail "program.sh: ${1:-nothing} is no step" 2 ;;
esac
