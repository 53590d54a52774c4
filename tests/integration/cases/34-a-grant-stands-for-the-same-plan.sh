# An answer may stand for more than one call where the policy says so: for exactly that plan, until
# it is revoked or the policy changes; a reason and several approvers can be demanded.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 2m, hold: 40s}'
policy <<'EOF'
tools:
  copy:
    type: command
    deny_by_default: true
    allowed_commands: [cp]
    require_approval: true
    approval: {grants: [once, session, always], max_grant_ttl: 1h, reason_required: true}
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
"$callgate" keys create --approver --name one --key "$PWD/again.pem" <pass >/dev/null || fail "keys create, again"
"$callgate" keys create --approver --name two --key "$PWD/two.pem" <pass >/dev/null || fail "keys create, two"
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
approve "$id" --scope forever --reason 'why not' 2>err.txt && fail "a scope that there is not"
approve "$id" --scope always --reason 'copying is fine' >out.txt || fail "approve: $(cat err.txt)"
wait $call || fail "the approved call: $(cat call.json)"
expect 'the first' "$(by)" approval
grep -q 'approved; grant g.* until 2' out.txt || fail "approve does not name its grant: $(cat out.txt)"
grep -h '"type":"approval.grant"' state/audit/*.jsonl | grep -q '"grant":"always"' || fail "no record says what the answer stands for"
"$callgate" --output json call copy command='cp a b' >call.json || fail "by grant: $(cat call.json)"
expect 'the same again' "$(by)" grant
"$callgate" --output json policy explain copy command='cp a b' >explain.json || fail "explain"
expect 'explain: the same plan' "$(jq -c '[.result.decision, .grant.in_force]' explain.json)" '["ask",true]'
[ "$uid" = 0 ] && runs_as=cell || runs_as=user
expect 'explain: who runs it' "$(jq -r .walls.run_as explain.json)" $runs_as
expect 'explain: which' "$(jq -r .grant.id explain.json)" "$("$callgate" --output json grants | jq -r '.grants[0].id')"
"$callgate" policy explain copy command='cp a b' | grep -q 'answered by grant g.*: allow' || fail "explain as text"
"$callgate" --output json policy explain copy command='cp a c' >explain.json || fail "explain"
expect 'explain: another plan' "$(jq -c .grant.in_force explain.json)" false
timeout 2 "$callgate" --output json call copy command='cp a c' >call.json
[ ! -e workspace/c ] || fail "a grant stood for another plan"
grant=$("$callgate" --output json grants | jq -r '.grants[0].id')
"$callgate" grants revoke "$grant" >/dev/null || fail "revoke"
expect 'none left' "$("$callgate" --output json grants | jq '.grants | length')" 0
rm workspace/b
timeout 2 "$callgate" --output json call copy command='cp a b' >call.json
[ ! -e workspace/b ] || fail "a revoked grant stood"

# a session is the asker's connection: that of a call on the command line is over at once
"$callgate" --output json call copy command='cp a f' >call.json &
call=$!
pending_id
approve "$("$callgate" --output json pending | jq -r '.approvals[] | select(.command == "cp a f") | .id')" --scope session --reason once >out.txt 2>err.txt || fail "session: $(cat err.txt)"
grep -q 'the session ends with the connection' err.txt || fail "no word of when the session ends: $(cat err.txt)"
wait $call
expect 'no session left' "$("$callgate" --output json grants | jq '.grants | length')" 0

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
expect 'before the first' "$("$callgate" --output json pending | jq -c '.approvals[] | select(.tool == "pair") | [.agreed, .quorum]')" '[0,2]'
approve "$id" --reason one >out.txt || fail "the first of two"
grep -q 'pending, 1 of 2 agreed' out.txt || fail "approve does not tell of the quorum: $(cat out.txt)"
"$callgate" pending | grep -q '1 of 2 agreed' || fail "pending does not tell of the quorum"
approve "$id" --reason again >/dev/null 2>&1 && fail "one approver counted twice"
approve "$id" --reason again --key "$PWD/again.pem" >/dev/null 2>err.txt && fail "a second key of one person counted"
grep -q 'agreed already' err.txt || fail "it does not say why: $(cat err.txt)"
[ ! -e workspace/d ] || fail "one of two was enough"
approve "$id" --reason two --key "$PWD/two.pem" >out.txt || fail "the second of two: $(cat out.txt)"
grep -q 'pending, ' out.txt && fail "two of two were not enough: $(cat out.txt)"
kill $call 2>/dev/null
wait $call 2>/dev/null
grep -hq '"type":"approval.grant"' state/audit/*.jsonl || fail "the answers are not recorded"
grep -hq '"by":"grant"' state/audit/*.jsonl || fail "the grant is not in the decision's record"
down
verify_ok
