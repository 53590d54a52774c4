# A refusal is a normal result that names the rule, and leaves decision and outcome; nothing runs.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash:
    type: command
    deny_by_default: true
    allowed_commands: [ls, cat, sh]
    denied_commands: [rm]
  closed: {type: command, visibility: private, deny_by_default: true, allowed_commands: [ls]}
EOF
touch workspace/keep
up
for command in 'rm keep' 'curl http://127.0.0.1/' './keep' 'ls; rm keep' 'ls && touch marker' 'env rm keep'; do
	out=$("$callgate" call bash command="$command")
	expect "exit of '$command'" $? 2
	expect_match "text of '$command'" "$out" '[Rr]efused'
	expect_match "rule of '$command'" "$out" 'callgate.yaml:[0-9]+:[0-9]+'
done
[ -e workspace/keep ] || fail "keep is gone"
[ ! -e workspace/marker ] || fail "marker appeared"
# the kernel says no where strings cannot: sh is allowed, what it starts is not
"$callgate" call bash command='sh -c "/usr/bin/touch marker"' >/dev/null
[ ! -e workspace/marker ] || fail "sh started touch"
out=$("$callgate" call bash command='cat /etc/shadow' 2>&1) && fail "cat /etc/shadow succeeded"
out=$("$callgate" call bash command='sh -c "echo x >/usr/marker; echo x >/etc/marker; echo x >../marker"' 2>&1)
[ ! -e marker ] && [ ! -e /usr/marker ] && [ ! -e /etc/marker ] || fail "a write outside succeeded"
# hidden and absent look the same
a=$(rpc '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"closed","arguments":{"command":"ls"}}}')
b=$(rpc '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"absent","arguments":{"command":"ls"}}}')
expect 'code of hidden' "$(jq -r .error.code <<<"$a")" -32602
expect 'text of hidden' "$(jq -r .error.message <<<"$a")" 'Unknown tool: closed'
expect 'text of absent' "$(jq -r .error.message <<<"$b")" 'Unknown tool: absent'
expect 'shape' "$(jq -c '.error.data["callgate/call"] | keys' <<<"$a")" "$(jq -c '.error.data["callgate/call"] | keys' <<<"$b")"
down
verify_ok
expect 'every call has one outcome' "$(records call.outcome)" "$(records call.decision)"
