#!/usr/bin/env bash
# Packs a program as an archive of a release, with its SHA-256, as `program.sh download` reads them:
#
#     package.sh target/release/seckill 0.1.0 DIR
set -euo pipefail

program=$1 version=$2 to=$3
archive=seckill-$version-$(uname -m)-unknown-linux-gnu.tar.gz
mkdir -p "$to"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
install -m 755 "$program" "$folder/bin/seckill"
tar --create --gzip --owner=0 --group=0 --directory "$folder" --file "$to/$archive" bin/seckill
cd "$to"
sha256sum "$archive" >"$archive.sha256"
