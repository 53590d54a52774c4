# An allowed call runs in the workspace, says how it was decided, and leaves its records.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, grep]}
EOF
echo 'the answer is 42' >workspace/notes.txt
up
out=$("$callgate" call bash command='grep answer notes.txt') || fail "call: $?"
expect stdout "$out" 'the answer is 42'
json=$("$callgate" --output json call bash command='cat notes.txt')
meta() { printf '%s' "$json" | jq -r "._meta[\"callgate/call\"]$1"; }
expect decision "$(meta .decision)" allow
expect by "$(meta .by)" policy
expect outcome "$(meta .outcome)" completed
expect code "$(meta .exit.code)" 0
expect_match plan "$(meta .plan)" '^sha256:[0-9a-f]{64}$'
expect_match rule "$(meta .rule)" '^[^ ]*callgate.yaml:[0-9]+:[0-9]+ '
for layer in userns mntns pidns netns ipcns utsns root proc caps nnp allowlist seccomp memfd fds; do
	printf '%s' "$json" | jq -e --arg l "$layer" '._meta["callgate/call"].layers | index($l)' \
		>/dev/null || fail "layer $layer is not attested: $(meta .layers)"
done
expect_match landlock "$(meta .layers)" 'landlock:[0-9]+'
expect 'receipt size' "$(meta '.receipt.size > .receipt.n')" true
expect structured "$(printf '%s' "$json" | jq -r .structuredContent.stdout)" 'the answer is 42'
expect exit_code "$(printf '%s' "$json" | jq -r .structuredContent.exit_code)" 0
# a program that exits non-zero is an error result, completed
"$callgate" call bash command='grep nothing notes.txt' >/dev/null
expect 'exit of grep without a match' $? 5
"$callgate" run -- cat notes.txt >/dev/null || fail "run: $?"
"$callgate" run -- grep nothing notes.txt
expect 'run exit' $? 1
down
verify_ok
expect decisions "$(records call.decision)" 5
expect outcomes "$(records call.outcome)" 5
expect starts "$(records exec.start)" 5
expect exits "$(records exec.exit)" 5
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic verify: $?"
