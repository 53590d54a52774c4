# The policy's logger counts in every role: one JSON object a line with the same first keys, one
# line for each finished call, hostile bytes escaped; the level is a threshold; text stays text.
. "$IT_TESTS/lib.sh"
write() { # LEVEL FORMAT
	extra="logger: {level: $1, format: $2}" policy <<"EOF2"
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, sleep]}
EOF2
}
write info json
up
"$callgate" call bash command='ls' >/dev/null || fail "call: $?"
"$callgate" call bash command='rm x' >/dev/null
expect refused $? 2
# a name of another's making, with all that could break a line or a terminal
rpc '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\"b\\c\n\u001b[31m\u202e{\"level\":\"error\"}","arguments":{"command":"ls"}}}' >/dev/null
rpc '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"bash","arguments":{"command":"ls"},"_meta":{"callgate/agent":"x\ny","callgate/namespace":"\u0007"}}}' >/dev/null
echo nonsense >>callgate.yaml
"$callgate" reload >/dev/null 2>&1 && fail "nonsense was loaded"
write info json
"$callgate" reload >/dev/null || fail "reload: $?"
down
# shellcheck disable=SC2016
jq -es 'all(.[]; type == "object" and (.timestamp | test("^2[0-9]{3}-.*Z$")) and
	(.level | IN("error", "warn", "info", "debug")) and (.component | type == "string") and
	(.pid | type == "number") and (.message | type == "string"))' daemon.log >/dev/null ||
	fail "a line is not what it should be: $(cat daemon.log)"
expect 'one object a line' "$(jq -s length daemon.log)" "$(wc -l <daemon.log)"
LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' daemon.log && fail "a control character is in the log"
grep -q $'\u202e' daemon.log && fail "an invisible character is in the log"
for role in warden engine front; do
	grep -q "\"component\":\"$role\"" daemon.log || fail "$role said nothing as JSON: $(cat daemon.log)"
done
expect 'start, reload and stop' \
	"$(jq -r 'select(.component == "warden" and .action) | .action' daemon.log | paste -sd' ')" \
	'start reload-refused reload stop'
calls() { jq -c 'select(.action == "call")' daemon.log; }
expect 'one line a call' "$(calls | wc -l)" "$(records call.outcome)"
line=$(calls | sed -n 1p)
id=$(grep -h '"type":"call.outcome"' state/audit/*.jsonl | head -n 1 | jq -r .call)
expect 'call id, as in the trail' "$(jq -r .call <<<"$line")" "$id"
expect fields "$(jq -c '[.component, .tool, .principal, .decision, .by, .outcome]' <<<"$line")" \
	"[\"engine\",\"bash\",\"uid:$uid\",\"allow\",\"policy\",\"completed\"]"
expect duration "$(jq '.duration_us > 0' <<<"$line")" true
expect 'refused fields' "$(calls | sed -n 2p | jq -c '[.tool, .decision, .outcome]')" '["bash","deny","refused"]'
expect_match 'rule' "$(calls | sed -n 2p | jq -r .rule)" 'callgate.yaml:[0-9]+:[0-9]+ '
expect_match 'hostile name' "$(calls | sed -n 3p | jq -r .tool)" '^a"b\\c\\x0a\\x1b\[31m\\u\{202e\}'

: >daemon.log
write warn text
up
"$callgate" call bash command='ls' >/dev/null || fail "call: $?"
down
grep -E ' (info|debug) ' daemon.log && fail "lines below the level were written"
: >daemon.log
write debug text
up
"$callgate" call bash command='ls' >/dev/null || fail "call: $?"
down
grep -Eq '^2[^ ]+Z info  engine\[[0-9]+\]: call c[0-9a-f]+: bash for uid:[0-9]+: allow by policy, completed' daemon.log ||
	fail "no text line for the call: $(cat daemon.log)"

# a reload changes form and level in every part at once
: >daemon.log
write error json
up
"$callgate" call bash command='ls' >/dev/null || fail "call: $?"
grep -q '"level":"info"' daemon.log && fail "lines below the level were written"
write info text
"$callgate" reload >/dev/null || fail "reload: $?"
grep -q 'logger changed' daemon.log && fail "the logger waits for a start"
: >daemon.log
"$callgate" call bash command='ls' >/dev/null || fail "call: $?"
down
for role in warden engine front auditor; do
	grep -Eq "^2[^ ]+Z info  $role\[" daemon.log || fail "$role does not log as text at info: $(cat daemon.log)"
done
grep '^{' daemon.log && fail "some part still writes JSON"
verify_ok
