# A call that asks waits; a signed answer lets exactly that plan run, once; a bare same-uid answer
# does not count; a changed script voids it; no answer is "expired", not "denied".
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 6s, hold: 2s}'
policy <<'EOF'
tools:
  copy: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: true}
  script: {type: command, deny_by_default: true, allowed_commands: [sh, touch], require_approval: true}
EOF
echo one >workspace/a
printf 'touch ran-first\n' >workspace/s.sh
up
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >keys.out || fail "keys create: $(cat keys.out)"
pending_id() {
	for _ in $(seq 60); do
		id=$("$callgate" --output json pending | jq -r '.approvals[0].id // empty')
		[ -n "$id" ] && return 0
		sleep 0.05
	done
	fail "nothing pending"
}
approve() { CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$1" 3<pass; }

"$callgate" --output json call copy command='cp a b' >call.json &
call=$!
pending_id
# a bare answer over the socket, from the same uid
plan=$("$callgate" --output json pending | jq -r '.approvals[0].plan')
bare=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"callgate/approvals/decide\",\"params\":{\"id\":\"$id\",\"plan\":\"$plan\",\"decision\":\"approve\"}}")
expect 'bare answer' "$(jq -r .error.code <<<"$bare")" 403
[ ! -e workspace/b ] || fail "a bare answer let it run"
approve "$id" >/dev/null || fail "approve: $?"
wait $call || fail "approved call: $(cat call.json)"
expect by "$(jq -r '._meta["callgate/call"].by' call.json)" approval
[ -s workspace/b ] || fail "the approved call had no effect"
approve "$id" 2>/dev/null && fail "the same approval was accepted twice"

# single use: the identical call asks again; held 2 s, then pending; the answer is picked up later
"$callgate" --output json call copy command='cp a b' >call.json
expect 'exit of a pending call' $? 2
expect outcome "$(jq -r '._meta["callgate/call"].outcome' call.json)" pending
pending_id
approve "$id" >/dev/null || fail "approve 2"
"$callgate" --output json call copy command='cp a b' >call.json || fail "not picked up: $(cat call.json)"
expect by "$(jq -r '._meta["callgate/call"].by' call.json)" approval

# what was approved is not what would run: void
"$callgate" --output json call script command='sh s.sh' >call.json
pending_id
printf 'touch ran-second\n' >workspace/s.sh
approve "$id" >/dev/null || fail "approve 3"
"$callgate" --output json call script command='sh s.sh' >call.json
[ ! -e workspace/ran-second ] && [ ! -e workspace/ran-first ] || fail "a swapped script ran"
pending_id # it asks anew for the new plan
CALLGATE_PASSPHRASE_FD=3 "$callgate" deny "$id" --reason 'not this one' 3<pass >/dev/null || fail deny

# nobody answers: expired
"$callgate" --output json call copy command='cp a c' >call.json
sleep 7
expect 'records of expiry' "$([ "$(records approval.expire)" -ge 1 ] && echo yes)" yes
[ ! -e workspace/c ] || fail "an unanswered call ran"
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
