#!/bin/bash
# Tries one of the examples: a private daemon with its policy in a temporary folder, each line of its
# calls.txt, and what came of it. Nothing is left.
# usage: run.sh EXAMPLE [FOLDER-OF-callgate]
set -u
here=$(cd "$(dirname "$0")" && pwd)
example=$here/${1:?usage: run.sh EXAMPLE [FOLDER-OF-callgate]}
callgate=${2:+$(cd "$2" && pwd)/}callgate
work=$(mktemp -d "${TMPDIR:-/tmp}/callgate-example.XXXXXX") || exit 1
export CALLGATE_UID=$(id -u) CALLGATE_HOME=$work/state CALLGATE_SOCKET=$work/run/callgate.sock
export XDG_CONFIG_HOME=$work/config GIT_CONFIG_GLOBAL=/dev/null
down() {
	# Not every example lets its caller stop the daemon; its lock names it.
	[ -s "$work/state/lock" ] && kill "$(head -n 1 "$work/state/lock")" 2>/dev/null
	for _ in $(seq 200); do
		[ -s "$work/state/lock" ] && kill -0 "$(head -n 1 "$work/state/lock")" 2>/dev/null || break
		sleep 0.1
	done
}
cleanup() {
	down
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
die() {
	echo "run.sh: $*" >&2
	exit 1
}

cp -R "$example/." "$work/" && mkdir -p "$work/workspace" "$work/config" || exit 1
chmod -R u+rwX,go-w "$work"
chmod 600 "$work/callgate.yaml"
chmod 700 "$work/config"
(
	cd "$work/workspace" && git init -q . && git config user.name example &&
		git config user.email example@localhost && git add -A && git commit -q --allow-empty -m first
) || die "git: no repository"
cd "$work" || exit 1
"$callgate" policy check callgate.yaml >check.out 2>&1 || die "$(cat check.out)"
"$callgate" up --config callgate.yaml >/dev/null || die "the daemon did not start"
echo "a passphrase for once" >passphrase
"$callgate" keys create --approver --name example <passphrase >/dev/null 2>&1 || die "no approver key"

failed=0 count=0
bad() {
	echo "WRONG: $*"
	failed=1
}
answer() { # approve|deny: the one call that waits
	local id
	for _ in $(seq 200); do
		id=$("$callgate" pending --output json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -n 1)
		[ -n "$id" ] && break
		sleep 0.05
	done
	[ -n "$id" ] || bad "nothing waits" && CALLGATE_PASSPHRASE_FD=3 "$callgate" "$1" "$id" \
		3<passphrase >/dev/null 2>&1
}
try() { # EXPECTED TOOL COMMAND, or the arguments as a JSON object
	local call status arguments=(command="$3")
	[ "${3:0:1}" = '{' ] && arguments=(--json "$3")
	"$callgate" call "$2" "${arguments[@]}" >text 2>&1 &
	call=$!
	case $1 in
	ask) answer approve ;;
	no) answer deny ;;
	esac
	wait $call
	status=$?
	count=$((count + 1))
	printf '%-7s %-8s %s\n' "$1" "$2" "$3"
	case $1:$status in
	allow:0 | ask:0 | refuse:2 | no:2 | fail:5) ;;
	*) bad "exit status $status: $(cat text)" ;;
	esac
}
while IFS= read -r line <&4; do
	read -r first tool command <<<"$line"
	case $first in
	'' | '#'*) ;;
	'~') grep -Eq -- "${line#*~ }" text || bad "no '${line#*~ }' in: $(cat text)" ;;
	allow | refuse | ask | no | fail) try "$first" "$tool" "$command" ;;
	*) bad "what is '$line'?" ;;
	esac
done 4<calls.txt
down
"$callgate" audit verify "$work/state/audit" >verify.out 2>&1 || bad "$(cat verify.out)"
echo "$count calls, $(head -n 1 verify.out)"
exit $failed
