#!/bin/bash
# usage: install.sh BUILD   `make install` gives a tree that runs from where it was put, and
# `make uninstall` takes it away again.
set -u
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/callgate-install.XXXXXX") || exit 2
export CALLGATE_HOME=$dir/state CALLGATE_SOCKET=$dir/run/callgate.sock
fail() {
	echo "FAILED: install: $*"
	echo "install: 0 passed, 1 failed, 0 skipped"
	exit 1
}
trap '"$dir/moved tree/usr/bin/callgate" down >/dev/null 2>&1; rm -rf "$dir"' EXIT
make -s -C "$top" install DESTDIR="$dir/d d" PREFIX=/usr ${build:+B="$build"} >/dev/null || fail "make install"
mv "$dir/d d" "$dir/moved tree"
mkdir "$dir/workspace"
cat >"$dir/callgate.yaml" <<EOF
version: 1
server: {socket: {path: run/callgate.sock}}
roles: {agent: {tools: ["*"], permissions: [daemon:control]}}
principals: [{peer_uid: $(id -u), roles: [agent]}]
namespaces: {default: {working_directory: ./workspace}}
tools: {look: {type: command, deny_by_default: true, allowed_commands: [ls]}}
EOF
chmod 600 "$dir/callgate.yaml"
"$dir/moved tree/usr/bin/callgate" up --config "$dir/callgate.yaml" >/dev/null || fail "up from the installed tree"
"$dir/moved tree/usr/bin/callgate" call look command='ls -a' | grep -q '^\.\.$' || fail "a call"
"$dir/moved tree/usr/bin/callgate" down >/dev/null || fail "down"
"$dir/moved tree/usr/bin/callgate" --url http://127.0.0.1:1 status 2>&1 | grep -q 'does a callgate .* listen there' ||
	fail "HTTP from the installed tree"
for page in callgate.1 callgated.8 callgate.yaml.5 callgate-audit.7; do
	[ -s "$dir/moved tree/usr/share/man/man${page##*.}/$page" ] || fail "no man page $page"
done
for file in bash-completion/completions/callgate zsh/site-functions/_callgate fish/vendor_completions.d/callgate.fish; do
	[ -s "$dir/moved tree/usr/share/$file" ] || fail "no completion $file"
done
make -s -C "$top" uninstall DESTDIR="$dir/moved tree" PREFIX=/usr >/dev/null || fail "make uninstall"
[ -z "$(find "$dir/moved tree" -type f)" ] || fail "uninstall left files"
echo "install: 1 passed, 0 failed, 0 skipped"
