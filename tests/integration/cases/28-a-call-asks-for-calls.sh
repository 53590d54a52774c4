# sandbox.callgate: a running call reaches private tools and agents through a gate of its own, and
# nobody else does; nesting has an end, and what was nested ends with its parent.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
agents:
  coder: {visibility: internal, tools: [nest, plain]}
  worker: {visibility: private, tools: [secret]}
tools:
  nest:
    type: command
    deny_by_default: true
    allowed_commands: [sh, seq, sleep, cat]
    sandbox: {callgate: true}
  plain: {type: command, deny_by_default: true, allowed_commands: [sh, echo]}
  secret: {type: command, visibility: private, deny_by_default: true, allowed_commands: [echo, sleep]}
  stray: {type: command, visibility: private, deny_by_default: true, allowed_commands: [echo]}
EOF
up
inside() { # SCRIPT: what it says when it runs in a gated call
	printf '%s\n' "$1" >workspace/script.sh
	"$callgate" call --agent coder nest argv:='["sh","script.sh"]' 2>&1
}

# outside, what is private is as unknown as what is not there
for tool in secret stray nothing; do
	out=$("$callgate" call --agent coder $tool command='echo x' 2>&1)
	expect "outside: $tool" "$out" "callgate: tools/call: Unknown tool: $tool"
done
"$callgate" call --agent worker secret command='echo x' >/dev/null 2>&1 && fail "a private agent was taken outside"
[[ $("$callgate" agents 2>&1) != *worker* ]] || fail "a private agent is listed outside"
[[ $("$callgate" tools --agent coder) != *secret* ]] || fail "a private tool is listed outside"

# inside, the agent's own limits still hold
expect 'the private agent' "$(inside 'callgate call --agent worker secret command="echo from-inside"')" from-inside
expect_match 'not of that agent' "$(inside 'callgate call --agent worker stray command="echo x"')" 'Unknown tool: stray'
expect_match 'not of the own agent' "$(inside 'callgate call secret command="echo x"')" 'Unknown tool: secret'
expect 'the own agent' "$(inside 'callgate call plain command="echo plain"')" plain
expect_match 'asks for tools only' "$(inside 'callgate pending')" 'may ask for tools only'
expect_match 'no other namespace' "$(inside 'callgate call --namespace other plain command="echo x"')" 'namespace'
# a tool without a gate has none
out=$("$callgate" call --agent coder plain argv:='["sh","-c","echo x >&3"]' 2>&1)
[[ $out != x ]] || fail "descriptor 3 is open without a gate"

# nesting has an end
cat >workspace/deep.sh <<'EOF'
[ "$1" -gt 0 ] || { echo bottom; exit; }
callgate call nest argv:="[\"sh\",\"deep.sh\",\"$(($1 - 1))\"]"
EOF
expect 'four deep' "$("$callgate" call --agent coder nest argv:='["sh","deep.sh","4"]' 2>&1)" bottom
expect_match 'too deep' "$("$callgate" call --agent coder nest argv:='["sh","deep.sh","5"]' 2>&1)" 'nested too deep'

# many at once, and nonsense on the gate
out=$(inside 'for i in $(seq 12); do callgate call plain command="echo $i" & done; wait')
expect 'twelve at once' "$(wc -l <<<"$out")" 12
out=$(inside 'echo nonsense >&3; callgate call plain command="echo still-served"')
expect_match 'after nonsense' "$out" '(still-served|gate)'
"$callgate" status >/dev/null || fail "not serving"

# what was nested ends with its parent
echo 'callgate call --agent worker secret command="sleep 50"' >workspace/script.sh
timeout 2 "$callgate" call --agent coder nest argv:='["sh","script.sh"]' >/dev/null 2>&1
for _ in $(seq 100); do
	[ "$(records call.decision)" = "$(records call.outcome)" ] && break
	sleep 0.1
done
expect 'one outcome each' "$(records call.outcome)" "$(records call.decision)"
grep -h '"tool":"secret"' state/audit/*.jsonl | grep '"type":"call.outcome"' | grep -q '"outcome":"cancelled"' ||
	fail "the nested call outlived its parent"
last() { grep -h '"type":"call.outcome"' state/audit/*.jsonl | grep "\"tool\":\"$1\"" | tail -n 1 | jq '."@n"'; }
[ "$(last nest)" -gt "$(last secret)" ] || fail "the outcome of the parent was not the last word"
grep -h '"type":"call.decision"' state/audit/*.jsonl | grep -q '"parent":"c' || fail "the parent is not recorded"
down
verify_ok
