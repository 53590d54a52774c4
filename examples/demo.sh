#!/bin/bash
# The five-minute tour: a private daemon in a folder of its own, five things shown, nothing left.
# usage: demo.sh BUILD-FOLDER   (make demo calls it)
set -u
build=$(cd "$1" && pwd) || exit 1
callgate=$build/callgate
demo=$(mktemp -d "${TMPDIR:-/tmp}/callgate-demo.XXXXXX") || exit 1
export CALLGATE_HOME=$demo/state CALLGATE_SOCKET=$demo/run/callgate.sock XDG_CONFIG_HOME=$demo/config
cleanup() {
	"$callgate" status >/dev/null 2>&1 && "$callgate" down >/dev/null 2>&1
	rm -rf "$demo"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

bold='' plain='' # colour only on a terminal
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] && bold=$'\e[1m' plain=$'\e[0m'
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() {
	local word line='$'
	for word in "$@"; do
		case $word in *=*' '*) word="${word%%=*}='${word#*=}'" ;; esac
		line+=" $word"
	done
	printf '%s\n' "$line" | sed "s|$demo/||g; s|$build/||g"
	"$@" 2>&1 | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}
die() {
	echo "demo: $*" >&2
	[ -s "$demo/state/callgated.log" ] && tail -n 5 "$demo/state/callgated.log" >&2
	exit 1
}

mkdir -m 700 "$demo/workspace" "$demo/config"
printf 'the answer is 42\n' >"$demo/workspace/notes.txt"
cat >"$demo/callgate.yaml" <<EOF
version: 1
server: {socket: {path: run/callgate.sock}}
approvals: {timeout: 2m, hold: 30s}
roles:
  agent: {tools: ["*"]}
  human: {approve: ["*"], permissions: [approvals:read, approvals:decide, daemon:control]}
principals:
  - {peer_uid: $(id -u), roles: [agent, human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [ls, cat, grep]}
  copy: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: true}
EOF
chmod 600 "$demo/callgate.yaml"

title "A private daemon, with this policy:"
sed 's/^/    /' "$demo/callgate.yaml"
show "$callgate" up --config "$demo/callgate.yaml" || die "the daemon did not start"

title "1. An allowed call runs, behind every wall:"
show "$callgate" call look command='grep answer notes.txt' || die "an allowed call failed"

title "2. A refused one says why:"
show "$callgate" call look command='rm notes.txt'
[ $? -eq 2 ] || die "rm was not refused"
[ -s "$demo/workspace/notes.txt" ] || die "rm ran"

title "3. One that waits for a human (an approver key proves who answers):"
printf 'a demo passphrase\n' >"$demo/passphrase"
show "$callgate" keys create --approver --name demo <"$demo/passphrase" || die "no key was made"
printf '$ callgate call copy command="cp notes.txt copy.txt" &\n'
"$callgate" call copy command='cp notes.txt copy.txt' >"$demo/call.out" 2>&1 &
call=$!
for _ in $(seq 100); do
	id=$("$callgate" pending --output json 2>/dev/null | sed -n 's/.*"id": "\([^"]*\)".*/\1/p' | head -n 1)
	[ -n "$id" ] && break
	sleep 0.1
done
[ -n "${id:-}" ] || die "nothing is pending"
show "$callgate" pending
printf '$ callgate approve %s\n' "$id"
CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$id" 3<"$demo/passphrase" 2>&1 | sed 's/^/    /' | tail -n 1
wait "$call" || die "the approved call failed: $(cat "$demo/call.out")"
show cat "$demo/workspace/copy.txt" || die "the approved call had no effect"

title "4. What happened can be proved without the daemon:"
show "$callgate" down || die "the daemon did not stop"
show "$callgate" audit verify "$demo/state/audit" || die "the trail does not verify"

title "5. And one edited byte shows:"
segment=$(ls "$demo"/state/audit/*.jsonl | head -n 1)
size=$(wc -c <"$segment")
cp "$segment" "$demo/original"
printf X | dd of="$segment" bs=1 seek=$((size / 2)) conv=notrunc status=none
show "$callgate" audit verify "$demo/state/audit"
[ $? -eq 2 ] || die "an edited byte went unseen"
title "That is callgate. Read on: README.md, man callgate, examples/."
