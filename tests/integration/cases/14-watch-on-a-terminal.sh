# The terminal prompt: a hostile command is shown escaped, yes is proved by the approver key, and
# the terminal is as it was afterwards.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 60s, hold: 30s}'
policy <<'EOF'
tools:
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
  reasons:
    type: command
    deny_by_default: true
    allowed_commands: [touch]
    require_approval: true
    approval: {grants: [once, always], reason_required: true}
EOF
up
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >/dev/null || fail "keys create"
"$callgate" --output json call ask --json '{"argv":["touch","\u202ex\u200b\u009b2J"]}' >call.json &
call=$!
CALLGATE=$callgate python3 "$IT_TESTS/watch.py" >watch.out 2>&1 || fail "watch: $(cat -v watch.out)"
wait $call || fail "the approved call: $(cat call.json)"
expect by "$(jq -r '._meta["callgate/call"].by' call.json)" approval
ls workspace | grep -q x || fail "no effect"

# letters that are not what they look like
"$callgate" --output json call ask --json '{"argv":["touch","p\u0430ypal","\ue000o\u0336"]}' >call.json &
call=$!
for _ in $(seq 100); do
	"$callgate" pending >pending.txt
	grep -q '^  command' pending.txt && break
	sleep 0.05
done
grep -q '^  warning *mixed scripts: U+0430 Cyrillic within a word' pending.txt || fail "no warning: $(cat pending.txt)"
grep -qF '\u{e000}o\u{0336}' pending.txt || fail "private use or overlay unescaped: $(cat pending.txt)"
kill $call
wait $call 2>/dev/null

# a reason and a scope are asked for where the policy has them
"$callgate" --output json call reasons --json '{"argv":["touch","\u202ey"]}' >call.json &
call=$!
WATCH_ASKS=1 CALLGATE=$callgate python3 "$IT_TESTS/watch.py" >watch.out 2>&1 || fail "watch: $(cat -v watch.out)"
wait $call || fail "the approved call: $(cat call.json)"
expect 'its grant' "$("$callgate" --output json grants | jq -r '.grants[0] | .tool + " " + .scope')" 'reasons always'
down
verify_ok
