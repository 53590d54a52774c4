# A call that asks waits; a signed answer lets exactly that plan run, once; a bare same-uid answer
# does not count; a changed script voids it; no answer is "expired", not "denied".
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 6s, hold: 2s}'
policy <<'EOF'
tools:
  copy: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: true}
  script: {type: command, deny_by_default: true, allowed_commands: [sh, touch, cat], require_approval: true}
  python: {type: command, deny_by_default: true, allowed_commands: [python3], require_approval: true}
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

# swapped TOOL COMMAND FILE: FILE, which the command runs, changes once it was approved
details() { "$callgate" --output json pending | jq -r '.approvals[0].details'; }
swapped() {
	"$callgate" --output json call "$1" command="$2" >call.json
	expect "exit of '$2'" $? 2
	pending_id
	details >details.txt
	printf '%s\n' "$4" >"workspace/$3"
	approve "$id" >/dev/null || fail "approve '$2'"
	"$callgate" --output json call "$1" command="$2" >call.json
	[ ! -e workspace/ran-other ] || fail "'$2' was approved, and another $3 ran"
	pending_id
	CALLGATE_PASSPHRASE_FD=3 "$callgate" deny "$id" 3<pass >/dev/null || fail "deny '$2'"
}
unseen='^warning +may run files that are not part of this plan$'
# a decoy with the name of an option's value; a line for a shell
echo '#' >workspace/ignore
echo 'print(1)' >workspace/s.py
swapped python 'python3 -W ignore s.py' s.py 'open("ran-other", "w")'
grep -q '^reads  *\./s\.py sha256:' details.txt || fail "s.py is not shown: $(cat details.txt)"
grep -Eq "$unseen" details.txt || fail "what a script imports is not told: $(cat details.txt)"
swapped script 'sh ./s.sh; cat a' s.sh 'touch ran-other'
grep -q '^reads  *\./s\.sh sha256:' details.txt || fail "s.sh is not shown: $(cat details.txt)"
# a module is named by no file: whoever approves is told so
echo 'print(1)' >workspace/mm.py
"$callgate" --output json call python command='python3 -m mm' >call.json
pending_id
details >details.txt
grep -Eq "$unseen" details.txt || fail "a module is not told: $(cat details.txt)"
CALLGATE_PASSPHRASE_FD=3 "$callgate" deny "$id" 3<pass >/dev/null || fail "deny the module"

# nobody answers: expired
"$callgate" --output json call copy command='cp a c' >call.json
sleep 7
expect 'records of expiry' "$([ "$(records approval.expire)" -ge 1 ] && echo yes)" yes
[ ! -e workspace/c ] || fail "an unanswered call ran"
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
