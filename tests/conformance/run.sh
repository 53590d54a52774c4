#!/bin/bash
# usage: run.sh BUILD
# The MCP conformance suite and the Inspector CLI, from npm, in both eras against the real daemon's
# POST /mcp. What callgate does not offer stands in baseline-REVISION.yaml, each entry with its
# reason; an entry that passes, or a failure that is not there, fails. CONFORMANCE_URL: test that
# endpoint instead of the daemon's own; PORT_OF_HTTP: 0 to start it without a listener.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd) || exit 2
modules=$top/build/conformance/node_modules
node=$(echo "$top"/build/npm/node_modules/node-linux-*/bin/node)
work=$(mktemp -d /tmp/callgate-conformance.XXXXXX) || exit 2
daemon='' changer=''
failed=0

# shellcheck disable=SC2317 # by the trap
cleanup() {
	[ -z "$changer" ] || kill "$changer" 2>/dev/null
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
	[ -n "${KEEP:-}" ] && echo "kept: $work" || rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
die() {
	echo "conformance: $*" >&2
	tail -n 5 "$work/daemon.log" >&2 2>/dev/null
	exit 1
}
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cd "$work" || exit 2
chmod 700 .
mkdir -m 700 workspace home
cp "$here/fixture.py" workspace/
port=$(free_port)
sed -e "s/PORT/$port/" -e "s/UID/$(id -u)/" "$here/policy.yaml" >callgate.yaml
[ "${PORT_OF_HTTP:-}" != 0 ] || sed -i '/^  port:/d; /^  listen:/d' callgate.yaml
chmod 600 callgate.yaml
export CALLGATE_HOME=$work/state CALLGATE_SOCKET=$work/run/callgate.sock HOME=$work/home
export PATH=${node%/node}:$PATH NO_COLOR=1
"$build/callgated" --config callgate.yaml --state state >daemon.log 2>&1 &
daemon=$!
for _ in $(seq 400); do
	"$build/callgate" status >/dev/null 2>&1 && break
	kill -0 "$daemon" 2>/dev/null || die "the daemon did not start"
	sleep 0.05
done
url=${CONFORMANCE_URL:-http://127.0.0.1:$port/mcp}
until curl -s -o /dev/null "${url%/mcp}/health"; do
	kill -0 "$daemon" 2>/dev/null || die "the daemon is gone"
	[ $((tries = ${tries:-0} + 1)) -lt 100 ] || die "nothing listens at $url"
	sleep 0.05
done

# The operator: the tool test_trigger_tool_change leaves a note, and he changes what tools there are.
change_tools() {
	local round=0
	while sleep 0.05; do
		[ -e workspace/change ] || continue
		rm -f workspace/change
		round=$((round + 1))
		sed -i "s/^  test_simple_text: {type: command, description: [^,]*,/  test_simple_text: {type: command, description: Says something $round,/" callgate.yaml
		"$build/callgate" reload >>reload.log 2>&1
	done
}
change_tools &
changer=$!

suite() { # REVISION
	local status
	"$node" "$modules/@modelcontextprotocol/conformance/dist/index.js" server --url "$url" \
		--requirements "$1" --expected-failures "$here/baseline-$1.yaml" -o "out-$1" >"suite-$1.log" 2>&1
	status=$?
	if [ $status -ne 0 ]; then
		failed=1
		sed -n '/^=== SUMMARY/,$p' "suite-$1.log" | tail -n 120
	fi
	echo "conformance $1: $([ $status -eq 0 ] && echo ok || echo FAILED), $(grep -h '^Total:' "suite-$1.log" | tail -n 1)"
}
# One that the requirements do not score, and that must pass all the same.
scenario() { # NAME REVISION
	if "$node" "$modules/@modelcontextprotocol/conformance/dist/index.js" server --url "$url" \
		--scenario "$1" --spec-version "$2" >"$1-$2.log" 2>&1; then
		echo "conformance $2: ok, $1"
	else
		failed=1
		tail -n 40 "$1-$2.log"
		echo "conformance $2: FAILED, $1"
	fi
}
inspect() { # ERA ARGS...
	local era=$1
	shift
	timeout 30 "$node" "$top/build/npm/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js" \
		--cli "$url" --transport http --protocol-era "$era" --format json -q "$@"
}
inspected() { # ERA WHAT STATUS PATTERN ARGS...
	local era=$1 what=$2 status=$3 pattern=$4 out got
	shift 4
	out=$(inspect "$era" "$@" 2>&1)
	got=$?
	if [ $got -eq "$status" ] && [[ $out =~ $pattern ]]; then
		echo "inspector $era: ok, $what"
	else
		failed=1
		echo "inspector $era: FAILED, $what: status $got, ${out:0:600}"
	fi
}

suite 2026-07-28
suite 2025-11-25
scenario http-header-validation 2026-07-28
scenario json-schema-2020-12 2025-11-25
for era in modern legacy; do
	inspected $era 'tools/list --strict' 0 '"test_simple_text"' --method tools/list --strict
	inspected $era 'an image' 0 'image/png' --method tools/call --tool-name test_image_content --tool-args-json '{}'
	inspected $era 'an error of a tool' 5 'intentionally' --method tools/call --tool-name test_error_handling --tool-args-json '{}'
	inspected $era 'an unknown tool' 5 'tool_not_found' --method tools/call --tool-name absent --tool-args-json '{}'
done
kill "$changer"
wait "$changer" 2>/dev/null
changer=''
"$build/callgate" down >/dev/null 2>&1
wait "$daemon"
daemon=''
verdict=$("$build/callgate" audit verify state/audit 2>&1)
[[ $verdict == OK* ]] || { failed=1; echo "audit verify: $verdict"; }
exit $failed
