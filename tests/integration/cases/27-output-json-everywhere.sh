# --output json: every command of the table prints one JSON document (or lines, where it streams) on
# stdout and nothing else; an error is one line {"error": {"message", "code"}} on stderr, its code
# the exit status.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 60s, hold: 1s}'
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, "false"], denied_commands: [rm]}
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
  once: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true, approval: {grants: [always], max_grant_ttl: 1h}}
POLICY
up
echo 'correct horse battery' >pass
commands=$("$callgate" --output json help | jq -r '.commands[].name')
# is_json WHAT FILE: exactly one document
is_json() {
	expect "documents of $1" "$(jq -s length <"$2" 2>/dev/null)" 1
}
# each line is one complaint in one of its forms
is_complaints() { # WHAT FILE
	[ "$(wc -l <"$2")" = "$(grep -c '^{"\(error\|warning\|note\)":{"message":".*}$' "$2")" ] ||
		fail "stderr of $1: $(cat "$2")"
	jq -s . <"$2" >/dev/null || fail "stderr of $1: $(cat "$2")"
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
	is_complaints "$*" err
	[ "$status" != 0 ] || expect "errors of $*" "$(grep -c '^{"error"' err)" 0
}
refused() { # STATUS WORD...: nothing on stdout, and the last line of stderr says why
	local want=$1 status
	shift
	timeout 30 "$callgate" --output json "$@" >out 2>err </dev/null
	status=$?
	expect "exit of $*" "$status" "$want"
	expect "stdout of $*" "$(cat out)" ''
	is_complaints "$*" err
	expect "code of $*" "$(tail -n 1 err | jq .error.code)" "$want"
}
either() { # WORD...: done or refused, in the form of the one or the other
	timeout 30 "$callgate" --output json "$@" >out 2>err </dev/null
	local status=$?
	is_complaints "$*" err
	if [ $status = 0 ]; then
		is_json "$*" out
	else
		expect "stdout of $*" "$(cat out)" ''
		expect "code of $*" "$(tail -n 1 err | jq .error.code)" $status
	fi
}
pend() { # leaves a call that waits, and its id
	"$callgate" --output json call ask command="touch $1" >/dev/null
	id=$("$callgate" --output json pending | jq -r ".approvals[] | select(.command == \"touch $1\") | .id")
}
decide() { # WORD...: approve or deny with a passphrase
	CALLGATE_PASSPHRASE_FD=3 "$callgate" --output json "$@" >out 2>err 3<pass
	[ $? = 0 ] || fail "exit of $*: $(cat err)"
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
		json 126 run -- rm x
		expect 'error of a refused run' "$(jq .error.code <err)" 126
		json 126 run --tool ask --no-wait -- touch r
		;;
	mcp)
		printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"ping"}' |
			timeout 20 "$callgate" --output json mcp >out || fail "mcp: $?"
		is_json mcp out
		;;
	keys)
		"$callgate" --output json keys create --approver --name tester <pass >out 2>err || fail "keys"
		is_json keys out
		either keys create --label x
		either keys list
		either keys rotate key_0000000000000000
		either keys revoke key_0000000000000000
		refused 1 keys rotate
		;;
	token)
		either token issue --role agent --tool bash
		refused 1 token issue --calls none
		;;
	login)
		json 0 login --status
		refused 1 login
		;;
	logout) refused 1 logout ;;
	whoami) either whoami ;;
	config)
		either config get
		either config check callgate.yaml
		refused 1 config check absent.yaml
		;;
	diff)
		json 0 diff
		refused 1 diff ffffffff
		;;
	commit) refused 1 commit ffffffff ;;
	discard) refused 1 discard ffffffff ;;
	undo) refused 1 undo ffffffff ;;
	approve) ;; # after keys
	deny) ;;
	watch)
		pend w
		timeout 3 "$callgate" --output json watch >out 2>err
		is_complaints watch err
		expect 'id in watch' "$(jq -r "select(.command == \"touch w\") | .id" <out)" "$id"
		;;
	audit)
		json 0 audit verify state/audit
		json 0 audit prove 0 state/audit
		"$callgate" --output json audit tail -n 3 state/audit >out || fail "audit tail"
		expect 'lines of audit tail' "$(jq -s length <out)" 3
		cp -R state/audit bad-audit
		sed -i '2s/"type":"/"type":"x/' bad-audit/*.jsonl
		json 2 audit verify bad-audit
		expect 'verdict' "$(jq -r .verdict <out)" TAMPERED
		refused 2 audit prove 0 bad-audit
		refused 1 audit prove 999999 state/audit
		refused 1 audit verify nowhere
		refused 1 audit tail nowhere
		refused 1 audit verify --pin nowhere state/audit
		;;
	policy)
		json 0 policy check callgate.yaml
		json 0 policy explain bash command=ls
		json 0 policy test callgate.yaml
		json 0 policy schema
		expect 'lines of the schema' "$(wc -l <out)" 1
		json 0 policy explain --config callgate.yaml bash command=ls
		refused 1 policy explain --config callgate.yaml absent
		refused 1 policy explain bash comand=ls
		{
			sed 's/^version: 1/version: "2"\nllms: {}/; s/\[rm\]/[rm], tests: [{args: {command: ls}, expect: deny}]/' callgate.yaml
		} >fails.yaml
		json 1 policy test fails.yaml
		expect 'a failing test' "$(jq -c '[.ok, .failed, (.failures | length)]' <out)" '[false,1,1]'
		expect 'warnings of it' "$(jq -c .warning.message <err | grep -c 'fails.yaml:')" 2
		refused 1 policy check fails.yaml
		expect 'errors of it' "$(grep -c '^{"error"' err)" 2
		sed 's/expect: deny/expect: allow/' fails.yaml >warns.yaml
		json 0 policy check warns.yaml
		expect 'warnings, each once' "$(grep -c '^{"warning"' err) $(jq .warnings <out)" '2 2'
		sed 's/\[cat,/[no-such-program, cat,/; s/ls, cat,/ls, no-such-program, cat,/' callgate.yaml >lacks.yaml
		json 0 policy check lacks.yaml
		expect_match 'a missing program' "$(jq -r '.warning.message // empty' <err)" 'no-such-program is in no directory'
		sed 's/\.\/workspace/.\/absent/' callgate.yaml >place.yaml
		refused 1 policy check place.yaml
		expect_match 'a place' "$(jq -r '.error.message // empty' <err)" 'absent'
		for verb in check test; do
			refused 1 policy $verb nowhere.yaml
			echo nonsense >broken.yaml
			refused 1 policy $verb broken.yaml
			json 0 policy $verb
		done
		;;
	completion) json 0 completion bash ;;
	*) fail "no test of --output json for $name" ;;
	esac
done
pend a
decide approve "$id"
expect 'state of an approval' "$(jq -r .state <out)" approved
refused 1 approve ffffffff
refused 1 deny ffffffff
refused 1 approve "$id" --scope weekly
refused 1 grants revoke ffffffff
refused 1 keys create --approver
"$callgate" --output json call once command='touch g' >/dev/null
id=$("$callgate" --output json pending | jq -r '.approvals[] | select(.tool == "once") | .id')
decide approve "$id" --scope always
json 0 grants
grant=$(jq -r '.grants[0].id' <out)
json 0 grants revoke "$grant"
pend b
decide deny "$id" --reason no
expect 'state of a denial' "$(jq -r .state <out)" denied
json 0 reload
cp callgate.yaml good.yaml
echo nonsense >>callgate.yaml
refused 1 reload
refused 1 up --config callgate.yaml --state other
cp good.yaml callgate.yaml
json 0 up --config callgate.yaml
expect 'up again' "$(jq .already <out)" true

# every command complains in one form: of an option it does not have, ...
for name in $commands; do
	"$callgate" --output json "$name" --nonsense >out 2>err </dev/null
	status=$?
	expect "exit of $name --nonsense" $status "$([ "$name" = run ] && echo 125 || echo 1)"
	is_error "$name --nonsense" $status
	[ "$name" = call ] || [ "$name" = run ] || refused 1 "$name" a b c d e f
	refused $status "$name" --agent
done
refused 1
refused 1 statsu
refused 1 --nonsense
refused 1 help nothing
refused 1 completion tcsh
refused 1 audit nothing
refused 1 policy nothing
refused 1 keys nothing
refused 1 grants nothing x
refused 125 run -c
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
