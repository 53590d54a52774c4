# What the daemon would refuse at its start, and what a good file leaves undone, `policy check` says
# before, once, with the place and what to do; and the socket's folder lets in whom the socket does.
. "$IT_TESTS/lib.sh"
head="version: 1
roles: {agent: {tools: ['*']}}
principals: [{peer_uid: $uid, roles: [agent]}]
namespaces: {default: {working_directory: ./workspace}}"
check() { # TEXT: sets out and status
	printf '%s\n' "$1" >check.yaml
	chmod 600 check.yaml
	out=$("$callgate" policy check check.yaml 2>&1)
	status=$?
}
refused() { # WHAT REGEX
	expect "exit: $1: $out" "$status" 1
	expect_match "$1" "$out" "(^|"$'\n'")callgate: $2"
	[[ $out != *callgated:* ]] || fail "$1: a log line: $out"
}
warned() { # WHAT REGEX
	expect "exit: $1: $out" "$status" 0
	expect_match "$1" "$out" "$2"
	expect "$1, once" "$(grep -cE "$2" <<<"$out")" 1
}
check "$head
server: {socket: {path: run/callgate.sock, group: no-such-group}}
tools: {}"
refused 'a group that is not there' 'check.yaml:5:44: server.socket.group no-such-group: no such group; make it'
mkdir -p full/run
: >full/run/callgate.sock
check "$head
server: {socket: {path: full/run/callgate.sock}}
tools: {}"
refused 'something in the place of the socket' 'check.yaml:5:19: server.socket.path .*: is there and is not a socket'
if [ "$uid" != 0 ]; then
	check "$head
server: {socket: {path: /run/x.sock}}
tools: {}"
	refused 'a folder that is not ours' 'check.yaml:5:19: server.socket.path /run/x.sock: uid [0-9]+ cannot make'
	check "$head
server: {socket: {path: run/callgate.sock, group: root}}
tools: {}"
	refused 'a group that is not ours' 'check.yaml:5:44: server.socket.group root: uid [0-9]+ is no member'
fi
cp /bin/true weak
chmod 777 weak
check "$head
tools:
  t:
    type: command
    deny_by_default: true
    allowed_commands:
      - ls
      - $PWD/weak"
refused 'a program that tools could change' 'check.yaml:11:9: tool t: allowed command '
[ ! -e run ] && [ ! -e state ] || fail "policy check made something"
check "$head
tools: {t: {type: command, exec: {program: lss}}}"
warned 'a program of a typed tool that is missing' 'check.yaml:5:28: tool t: lss is in no directory of defaults.path'
warned 'nobody may answer' 'check.yaml:5:9: tools.t: defaults.decision can ask, and nobody may answer'
check "version: 1
namespaces: {default: {working_directory: ./workspace}}
tools: {t: {type: command}}"
warned 'a file without anybody' 'check.yaml:1:1: principals: there are none, so nobody may do anything'
warned 'everything runs' 'check.yaml:3:9: tools.t: without deny_by_default every program'

# the folder that the daemon makes for the socket
mode_for() { # MODE: of the folder, made for it
	rm -rf run
	policy <<'EOF'
tools: {t: {type: command, deny_by_default: true, allowed_commands: [ls]}}
EOF
	sed -i "s|run/callgate.sock|run/callgate.sock, mode: \"$1\"|" callgate.yaml
	up
	stat -c %a run
	down
}
expect 'mode for 0600' "$(mode_for 0600)" 700
expect 'mode for 0660' "$(mode_for 0660)" 710
expect 'mode for 0666' "$(mode_for 0666)" 711
