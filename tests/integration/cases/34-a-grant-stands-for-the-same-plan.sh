# An answer may stand for more than one call where the policy says so: for exactly that plan, until
# it is revoked or the policy changes; a reason and several approvers can be demanded.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 20s, hold: 5s}'
policy <<'EOF'
tools:
  copy:
    type: command
    deny_by_default: true
    allowed_commands: [cp]
    require_approval: true
    approval: {grants: [once, always], max_grant_ttl: 1h, reason_required: true}
  pair:
    type: command
    deny_by_default: true
    allowed_commands: [cp]
    require_approval: true
    approval: {quorum: 2}
EOF
echo one >workspace/a
up
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name one <pass >/dev/null || fail "keys create"
pending_id() {
	for _ in $(seq 60); do
		id=$("$callgate" --output json pending | jq -r '.approvals[0].id // empty')
		[ -n "$id" ] && return 0
		sleep 0.05
	done
	fail "nothing pending"
}
approve() { CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$@" 3<pass; }
by() { jq -r '._meta["callgate/call"].by' call.json; }

"$callgate" --output json call copy command='cp a b' >call.json &
call=$!
pending_id
approve "$id" 2>err.txt && fail "approved without the reason that the policy wants"
grep -q reason err.txt || fail "the refusal does not say why: $(cat err.txt)"
approve "$id" --scope session --reason 'why not' 2>err.txt && fail "a scope that the policy forbids"
approve "$id" --scope always --reason 'copying is fine' >/dev/null || fail "approve: $(cat err.txt)"
wait $call || fail "the approved call: $(cat call.json)"
expect 'the first' "$(by)" approval
grep -h '"type":"approval.grant"' state/audit/*.jsonl | grep -q '"grant":"always"' || fail "no record says what the answer stands for"
"$callgate" --output json call copy command='cp a b' >call.json || fail "by grant: $(cat call.json)"
expect 'the same again' "$(by)" grant
timeout 2 "$callgate" --output json call copy command='cp a c' >call.json
[ ! -e workspace/c ] || fail "a grant stood for another plan"
grant=$("$callgate" --output json grants | jq -r '.grants[0].id')
"$callgate" grants revoke "$grant" >/dev/null || fail "revoke"
expect 'none left' "$("$callgate" --output json grants | jq '.grants | length')" 0
rm workspace/b
timeout 2 "$callgate" --output json call copy command='cp a b' >call.json
[ ! -e workspace/b ] || fail "a revoked grant stood"

# standard input is shown to whoever approves, and what cannot be shown whole is not asked about
for id in $("$callgate" --output json pending | jq -r '.approvals[].id'); do
	"$callgate" deny "$id" >/dev/null 2>&1
done
"$callgate" call copy --json '{"command":"cp a e","stdin":"what-the-tool-reads"}' >/dev/null 2>&1 &
call=$!
pending_id
"$callgate" --output json pending | jq -r '.approvals[].details' | grep -q what-the-tool-reads ||
	fail "standard input is not shown to the approver"
kill $call 2>/dev/null
wait $call 2>/dev/null
{
	printf '{"command":"cp a e","stdin":"'
	head -c 280000 /dev/zero | sed 's/\x00/\\\\/g'
	printf '"}'
} >long.json
printf '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"copy","arguments":%s}}\n' "$(cat long.json)" |
	timeout 20 socat -t 5 - "UNIX-CONNECT:$CALLGATE_SOCKET" >long.out
grep -q 'too long to be shown whole' long.out || fail "not refused: $(head -c 300 long.out)"
"$callgate" --output json pending | jq -e .approvals >/dev/null || fail "the list of approvals is broken"

# two must agree, and one cannot be two
for _ in 1 2; do
	id=$("$callgate" --output json pending | jq -r '.approvals[0].id // empty')
	[ -z "$id" ] || "$callgate" deny "$id" >/dev/null 2>&1
done
"$callgate" --output json call pair command='cp a d' >call.json &
call=$!
for _ in $(seq 60); do
	id=$("$callgate" --output json pending | jq -r '.approvals[] | select(.tool == "pair") | .id')
	[ -n "$id" ] && break
	sleep 0.05
done
approve "$id" --reason one >/dev/null || fail "the first of two"
approve "$id" --reason again >/dev/null 2>&1 && fail "one approver counted twice"
[ ! -e workspace/d ] || fail "one of two was enough"
kill $call 2>/dev/null
wait $call 2>/dev/null
grep -hq '"type":"approval.grant"' state/audit/*.jsonl || fail "the answers are not recorded"
grep -hq '"by":"grant"' state/audit/*.jsonl || fail "the grant is not in the decision's record"
down
verify_ok
