#!/bin/sh
# usage: run.sh BUILD   tokens of every algorithm both ways between the verifier and npm's jose
# (pinned in tests/integration/package.json). Last line: "jose: N passed, N failed, 0 skipped".
set -eu
build=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/callgate-identity.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# node looks for a module beside the script
cp "$top/tests/identity/jose.mjs" "$scratch/"
ln -s "$top/build/npm/node_modules" "$scratch/node_modules"
node "$scratch/jose.mjs" "$build/identity/tool"
