# An ordinary user's daemon may read a policy that root owns, which he cannot change himself: at its
# start, and again at a reload, when it sees files from inside its own user namespace.
# shellcheck shell=bash
# shellcheck source=tests/integration/lib.sh
. "$IT_TESTS/lib.sh"
them=64999 wanted=64999
if [ "$uid" != 0 ]; then # nobody else to own it: his own file, by the same road
	them=$uid wanted=''
fi
chmod 711 .
mkdir -m 755 theirs
mkdir -m 700 theirs/run theirs/state theirs/workspace
cd theirs || exit 1
write() { # PROGRAMS
	cat >callgate.yaml <<EOF
version: 1
server: {socket: {path: run/callgate.sock}}
roles: {agent: {tools: ["*"]}}
principals: [{peer_uid: $them, roles: [agent]}]
namespaces: {default: {working_directory: ./workspace}}
tools:
  show: {type: command, deny_by_default: true, allowed_commands: [$1]}
EOF
	chmod 644 callgate.yaml
}
write ls
as_them=()
if [ -n "$wanted" ]; then
	chown -R "$them:$them" run state workspace
	as_them=(setpriv --reuid "$them" --regid "$them" --clear-groups --)
fi
"${as_them[@]}" env -u XDG_RUNTIME_DIR HOME="$PWD/state" "$IT_BIN/callgated" --config callgate.yaml \
	--state state >../daemon.log 2>&1 &
daemon=$!
for _ in $(seq 400); do
	grep -q 'ready on' ../daemon.log && break
	kill -0 "$daemon" 2>/dev/null || fail "it did not start: $(cat ../daemon.log)"
	sleep 0.05
done
write 'ls, cat'
kill -HUP "$daemon"
for _ in $(seq 400); do
	grep -q 'policy reloaded\|chown' ../daemon.log && break
	sleep 0.05
done
grep -q 'policy reloaded' ../daemon.log || fail "not reloaded: $(cat ../daemon.log)"
if [ -n "$wanted" ]; then # one whom the policy's owner is a stranger to is still refused
	chown 64998 callgate.yaml
	kill -HUP "$daemon"
	for _ in $(seq 400); do
		grep -q 'belongs to uid 64998' ../daemon.log && break
		sleep 0.05
	done
	grep -q 'belongs to uid 64998' ../daemon.log || fail "a stranger's policy: $(cat ../daemon.log)"
fi
kill "$daemon"
wait "$daemon"
daemon=''
