#!/bin/bash
# usage: daemon.sh BUILD CALLGATED PROBE held|breached
# The control group's wall, with a real daemon: CALLGATED of one build among the roles of BUILD runs
# the probe's tree_memory as a tool. held: the kernel ends the tree and the wall is attested.
# breached: CALLGATED leaves the wall out, the probe sees it, and a tool that requires it is refused.
set -u
build=$1 callgated=$2 probe=$3 wanted=$4
place=$(mktemp -d /tmp/callgate-wall.XXXXXX) || exit 2
programs=$(mktemp -d /tmp/callgate-bin.XXXXXX) || exit 2
daemon=''
end() {
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null
		wait "$daemon" 2>/dev/null
	fi
	rm -rf "$place" "$programs"
}
trap end EXIT
fail() {
	echo "$*"
	exit 1
}
chmod 755 "$programs"
mkdir -m 755 "$programs/bin" && cp "$build"/callgate "$build"/callgate-* "$callgated" "$probe" "$programs/bin" || exit 2
mkdir -m 700 "$place/workspace" && cd "$place" || exit 2
cat >callgate.yaml <<END
version: 1
server: {socket: {path: run/callgate.sock}}
roles: {agent: {tools: ["*"], permissions: [daemon:control]}}
principals: [{peer_uid: 0, roles: [agent]}]
namespaces: {default: {working_directory: ./workspace}}
defaults: {decision: allow}
tools:
  probe: {type: command, deny_by_default: true, allowed_commands: ["$programs/bin/probe"], sandbox: {memory: 32MiB, disk: 96MiB}}
  strict: {type: command, deny_by_default: true, allowed_commands: ["$programs/bin/probe"], sandbox: {require: [cgroup]}}
END
chmod 600 callgate.yaml
export CALLGATE_SOCKET=$PWD/run/callgate.sock CALLGATE_HOME=$PWD/state
if [ "$wanted" = breached ]; then
	export CALLGATE_TEST_WALL_OFF=cgroup
fi
"$programs/bin/callgated" --config callgate.yaml --state state >daemon.log 2>&1 &
daemon=$!
for _ in $(seq 200); do
	"$programs/bin/callgate" status >/dev/null 2>&1 && break
	kill -0 "$daemon" 2>/dev/null || fail "the daemon did not start: $(tail -n 3 daemon.log)"
	sleep 0.05
done
json=$("$programs/bin/callgate" --output json call probe argv:="[\"$programs/bin/probe\",\"tree_memory\"]")
said=$(jq -r '._meta["callgate/call"] | [.outcome, (.layers | join(" "))] | join(" ")' <<<"$json")
code=$(jq -r '.structuredContent.exit_code' <<<"$json")
strict=$("$programs/bin/callgate" call strict argv:="[\"$programs/bin/probe\",\"exit_7\"]" 2>&1)
case $wanted in
held)
	[[ $said == oom\ *cgroup:[vh]* && $said == *limits:cgroup* ]] || fail "not ended by its group: $said, exit $code"
	[[ $strict != *refused* ]] || fail "a required wall that stands was not seen: $strict"
	;;
breached)
	[[ $said == @(completed|disk)\ * && $said != *cgroup:[vh]* && $code = 1 ]] || fail "the gap was not seen: $said, exit $code"
	[[ $strict == *cgroup* ]] || fail "a required wall that is missing was not named: $strict"
	;;
esac
echo "as expected: $said, exit $code"
