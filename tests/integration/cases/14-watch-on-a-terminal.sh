# The terminal prompt: a hostile command is shown escaped, yes is proved by the approver key, and
# the terminal is as it was afterwards.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 60s, hold: 30s}'
policy <<'EOF'
tools:
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
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
down
verify_ok
