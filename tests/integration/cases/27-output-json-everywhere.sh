# --output json: every command of the table prints one JSON document (or lines, where it streams) on
# stdout and nothing else; an error is one line {"error": {"message", "code"}} on stderr, its code
# the exit status.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 60s, hold: 1s}'
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, "false"], denied_commands: [rm]}
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
POLICY
up
echo 'correct horse battery' >pass
commands=$("$callgate" --output json help | jq -r '.commands[].name')
# is_json WHAT FILE: exactly one document
is_json() {
	expect "documents of $1" "$(jq -s length <"$2" 2>/dev/null)" 1
}
is_error() { # WHAT STATUS: of what json() or plain text left in out and err
	expect "stdout of $1" "$(cat out)" ''
	expect "lines on stderr of $1" "$(wc -l <err)" 1
	expect "code of $1" "$(jq .error.code <err)" "$2"
	expect_match "message of $1" "$(jq -r .error.message <err)" '.'
}
json() { # STATUS WORD...: runs it, checks stdout, stderr and the exit status
	local want=$1 status
	shift
	timeout 30 "$callgate" --output json "$@" >out 2>err </dev/null
	status=$?
	expect "exit of $*" "$status" "$want"
	is_json "$*" out
	[ ! -s err ] || jq -e .warning <err >/dev/null || fail "stderr of $*: $(cat err)"
}
pend() { # leaves a call that waits, and its id
	"$callgate" --output json call ask command="touch $1" >/dev/null
	id=$("$callgate" --output json pending | jq -r '.approvals[0].id')
}
decide() { # WORD...: approve or deny with a passphrase
	CALLGATE_PASSPHRASE_FD=3 "$callgate" --output json "$@" >out 2>err 3<pass
	expect "exit of $1" $? 0
	is_json "$1" out
}

for name in $commands; do
	case $name in
	up) json 0 up --config callgate.yaml ;;
	down | reload) ;; # at the end
	status | tools | agents | pending | grants | help | version) json 0 "$name" ;;
	call)
		json 0 call bash command=ls
		json 5 call bash command=false
		json 2 call bash command='rm x'
		;;
	run)
		json 0 run -- ls
		json 1 run -- false
		;;
	mcp)
		printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"ping"}' |
			timeout 20 "$callgate" --output json mcp >out || fail "mcp: $?"
		is_json mcp out
		;;
	keys)
		"$callgate" --output json keys create --approver --name tester <pass >out 2>err || fail "keys"
		is_json keys out
		;;
	approve) ;; # after keys
	deny) ;;
	watch)
		pend w
		timeout 3 "$callgate" --output json watch >out 2>err
		is_json watch out
		expect 'id in watch' "$(jq -r .id <out)" "$id"
		;;
	audit)
		json 0 audit verify state/audit
		json 0 audit prove 0 state/audit
		"$callgate" --output json audit tail -n 3 state/audit >out || fail "audit tail"
		expect 'lines of audit tail' "$(jq -s length <out)" 3
		;;
	policy)
		json 0 policy check callgate.yaml
		json 0 policy explain bash command=ls
		json 0 policy test callgate.yaml
		json 0 policy schema
		;;
	completion) json 0 completion bash ;;
	*) fail "no test of --output json for $name" ;;
	esac
done
pend a
decide approve "$id"
expect 'state of an approval' "$(jq -r .state <out)" approved
pend b
decide deny "$id" --reason no
expect 'state of a denial' "$(jq -r .state <out)" denied
json 0 reload

# every command complains in one form: of an option it does not have, ...
for name in $commands; do
	"$callgate" --output json "$name" --nonsense >out 2>err </dev/null
	status=$?
	expect "exit of $name --nonsense" $status "$([ "$name" = run ] && echo 125 || echo 1)"
	is_error "$name --nonsense" $status
done
# ... and without a daemon
for words in status tools agents 'call bash' mcp pending 'approve x' 'deny x' watch grants reload down; do
	# shellcheck disable=SC2086
	timeout 20 "$callgate" --output json --socket "$IT_DIR/nowhere" $words >out 2>err </dev/null
	expect "exit of $words without a daemon" $? 4
	is_error "$words without a daemon" 4
done
"$callgate" --output json --socket nowhere run -- ls >out 2>err </dev/null
expect 'exit of run without a daemon' $? 125
is_error 'run without a daemon' 125
# what the daemon says is there whole
"$callgate" --output json call absent >out 2>err
expect 'exit of an unknown tool' $? 2
is_error 'an unknown tool' 2
expect "the daemon's code" "$(jq .error.daemon.code <err)" -32602
"$callgate" --output json call bash comand=ls >out 2>err
expect 'exit of a wrong name' $? 1
is_error 'a wrong name' 1
expect_match 'the names there are' "$(jq -r .error.message <err)" 'command'
"$callgate" --output xml status >/dev/null 2>err
expect 'an unknown form' $? 1
# text stays text
"$callgate" call absent >out 2>err
expect_match 'a complaint in text' "$(cat err)" '^callgate: tools/call: Unknown tool: absent'
json 0 down
wait "$daemon"
daemon=''
verify_ok
