# A reload leaves running calls alone and judges waiting ones by the new version: what it denies is
# refused, what it allows runs, what it still asks waits with a new plan, and no old answer counts.
. "$IT_TESTS/lib.sh"
write() { # GONE FREED STILL HOLD
	extra="approvals: {timeout: 60s, hold: ${4:-40s}}" policy <<EOF2
tools:
  slow: {type: command, deny_by_default: true, allowed_commands: [sleep, ls]}
  gone: {type: command, deny_by_default: true, allowed_commands: [$1], require_approval: true}
  freed: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: $2}
  still: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: true, approval_prompt: "$3"}
EOF2
}
write cp true first 1s
echo one >workspace/a
up
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >keys.out || fail "keys create: $(cat keys.out)"
approve() { CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$1" 3<pass; }
pending_of() { # TOOL: id and plan, or nothing
	"$callgate" --output json pending | jq -r ".approvals[] | select(.tool == \"$1\") | .id + \" \" + .plan"
}
await() { # TOOL: sets id and plan
	for _ in $(seq 100); do
		read -r id plan <<<"$(pending_of "$1")"
		[ -n "$id" ] && return 0
		sleep 0.05
	done
	fail "nothing of $1 is pending"
}
meta() { jq -r "._meta[\"callgate/call\"].$2" "$1"; }

# answered while nobody waits: the next identical call would pick it up, if nothing changed
"$callgate" --output json call still command='cp a early' >early.json
expect 'outcome of the early one' "$(meta early.json outcome)" pending
await still
early_id=$id
approve "$early_id" >/dev/null || fail "approve of the early one: $?"
write cp true first
"$callgate" reload >/dev/null || fail "the first reload: $?"

"$callgate" --output json call slow command='sleep 10' >slow.json &
slow=$!
for tool in gone freed still; do
	"$callgate" --output json call $tool command="cp a $tool" >$tool.json &
	eval "$tool=\$!"
done
await gone
await freed
await still
old_id=$id old_plan=$plan
[ -z "$(ls workspace | grep -v '^a$')" ] || fail "a waiting call ran: $(ls workspace)"
kill -0 $slow || fail "the slow call is over too early"

write touch false second
"$callgate" reload >/dev/null || fail "reload: $?"
wait $gone
expect 'exit of what is denied now' $? 2
expect 'outcome of what is denied now' "$(meta gone.json outcome)" refused
[ ! -e workspace/gone ] || fail "what is denied now ran"
wait $freed || fail "what is allowed now: $(cat freed.json)"
expect 'by of what is allowed now' "$(meta freed.json by)" policy
[ -s workspace/freed ] || fail "what is allowed now did not run"
await still
[ "$id" != "$old_id" ] && [ "$plan" != "$old_plan" ] || fail "the question is the old one"
out=$(approve "$old_id" 2>&1) && fail "the old question was approved"
expect_match 'why the old question is void' "$out" '[a-z]'
[ ! -e workspace/still ] || fail "an old answer let it run"
approve "$id" >/dev/null || fail "approve of the new question: $?"
wait $still || fail "what is approved anew: $(cat still.json)"
expect 'by of what is approved anew' "$(meta still.json by)" approval
expect 'plan of what ran' "$(meta still.json plan)" "$plan"
kill -0 $slow || fail "the slow call did not survive the reload"
wait $slow || fail "the slow call: $(cat slow.json)"
expect 'outcome of the slow call' "$(meta slow.json outcome)" completed

# the answer of before the reload is spent by nobody
"$callgate" --output json call still command='cp a early' >early.json &
early=$!
await still
[ ! -e workspace/early ] || fail "an answer of before the reload counted"
CALLGATE_PASSPHRASE_FD=3 "$callgate" deny "$id" 3<pass >/dev/null || fail "deny: $?"
wait $early
expect 'exit of the denied one' $? 2

# the same policy again changes nothing: the question stays
"$callgate" --output json call still command='cp a same' >same.json &
same=$!
await still
before=$id
"$callgate" reload >/dev/null || fail "reload of the same: $?"
await still
expect 'question after a reload of the same policy' "$id" "$before"
approve "$id" >/dev/null || fail "approve: $?"
wait $same || fail "approved: $(cat same.json)"
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
