# require_approval: effects. It runs first; a human sees what it changed; only a yes writes it, and
# only then is the output released. No, no answer, and a swap after the answer keep nothing.
. "$IT_TESTS/lib.sh"
extra="approvals: {timeout: $((8 * IT_SLOW))s, hold: 3s}"
policy <<'EOP'
tools:
  asks: {type: command, deny_by_default: true, allowed_commands: [sh, cp, cat], require_approval: effects, sandbox: {workspace: overlay}}
EOP
echo one >workspace/a
up
overlay_or_skip asks 'cp a b'
approver_key
pending_id() {
	for _ in $(seq 200); do
		id=$("$callgate" --output json pending | jq -r '.approvals[0].id // empty')
		[ -n "$id" ] && return 0
		sleep 0.05
	done
	fail "nothing pending"
}
answer() { CALLGATE_PASSPHRASE_FD=3 "$callgate" "$@" 3<pass >/dev/null; }
outcome() { jq -r '._meta["callgate/call"].outcome' call.json; }
call_id() { jq -r '._meta["callgate/call"].id' call.json; }
state_of() { "$callgate" --output json diff "$1" | jq -r .state; }
becomes() { # CALL STATE
	for _ in $(seq $((400 * IT_SLOW))); do
		[ "$(state_of "$1")" = "$2" ] && return 0
		sleep 0.05
	done
	fail "call $1 is $(state_of "$1"), not $2"
}

"$callgate" --output json call asks command="sh -c 'echo told; cp a b'" >call.json &
call=$!
pending_id
[ ! -e workspace/b ] || fail "written before anybody was asked"
"$callgate" pending | grep -q 'added *b ' || fail "the change is not shown: $("$callgate" pending)"
answer approve "$id" || fail approve
wait $call
# the client may have been let go under load; the answer counts all the same
becomes "$(call_id)" committed
expect b "$(cat workspace/b)" one
[ "$(outcome)" = pending ] || grep -q told call.json || fail "the output is missing: $(cat call.json)"

# no
"$callgate" --output json call asks command="sh -c 'echo told; cp a c'" >call.json &
call=$!
pending_id
answer deny "$id" --reason 'not this one' || fail deny
wait $call
becomes "$(call_id)" discarded
[ ! -e workspace/c ] || fail "written after a no"
! grep -q '"told' call.json || fail "the output of what was denied is released"

# the client is let go; the identical call does not run again; the yes writes it
"$callgate" --output json call asks command='cp a d' >call.json
expect outcome "$(outcome)" pending
held=$(call_id)
"$callgate" --output json call asks command='cp a d' >call.json
expect 'the same again' "$(outcome)" pending
grep -q "$held" call.json || fail "it does not say which call it is"
pending_id
answer approve "$id" || fail "approve later"
becomes "$held" committed
[ -e workspace/d ] || fail "the late yes wrote nothing"

# nobody answers
"$callgate" --output json call asks command='cp a e' >call.json
held=$(call_id)
becomes "$held" discarded
[ ! -e workspace/e ] || fail "written without an answer"

# somebody else writes there while it is asked about
"$callgate" --output json call asks command='cp a f' >call.json &
call=$!
pending_id
echo mine >workspace/f
answer approve "$id" || fail "approve f"
wait $call
expect 'not written over' "$(cat workspace/f)" mine

# nothing changed: nobody is asked
"$callgate" --output json call asks command='cat a' >call.json || fail "cat: $(cat call.json)"
expect outcome "$(outcome)" completed
down
verify_ok
