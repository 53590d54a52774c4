# The socket is an MCP server itself: initialize of 2025-11-25 and older, the stateless 2026-07-28,
# both on one connection; cancel by notification; the bridge passes both.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, sleep]}
EOF
up
modern='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
for old in 2025-11-25 2025-06-18 2025-03-26 2024-11-05; do
	out=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"$old\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}")
	expect "initialize $old" "$(jq -r .result.protocolVersion <<<"$out")" "$old"
done
expect 'initialize of the future' "$(rpc '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2099-01-01","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' | jq -r .result.protocolVersion)" 2025-11-25
out=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"server/discover\",\"params\":{$modern}}" \
	"{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"tools/list\",\"params\":{$modern}}" \
	"{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/call\",\"params\":{\"name\":\"bash\",\"arguments\":{\"command\":\"ls\"},$modern}}" \
	'{"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' \
	'{"jsonrpc":"2.0","method":"notifications/initialized"}' \
	'{"jsonrpc":"2.0","id":5,"method":"tools/list"}')
answer() { jq -c "select(.id == $1)" <<<"$out"; }
expect_match discover "$(answer '"a"' | jq -c .result.supportedVersions)" '2026-07-28'
expect 'resultType' "$(answer '"b"' | jq -r .result.resultType)" complete
expect_match 'ttlMs' "$(answer '"b"' | jq -r .result.ttlMs)" '^[0-9]+$'
expect 'cacheScope' "$(answer '"b"' | jq -r .result.cacheScope)" private
expect 'modern call' "$(answer '"c"' | jq -r .result.isError)" false
expect 'legacy after modern' "$(answer 4 | jq -r .result.protocolVersion)" 2025-11-25
expect 'tools of legacy' "$(answer 5 | jq -r '.result.tools[0].name')" bash
expect 'unsupported version' "$(rpc '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}' | jq -r .error.code)" -32022
expect 'missing capabilities' "$(rpc '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}' | jq -r .error.code)" -32602
# cancel by notification: the tree dies, no answer comes, the connection goes on
out=$({
	printf '%s\n' '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"bash","arguments":{"command":"sleep 4545"}}}'
	sleep 1
	printf '%s\n' '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9,"reason":"enough"}}'
	sleep 1
	printf '%s\n' '{"jsonrpc":"2.0","id":10,"method":"ping"}'
} | timeout 20 "$callgate" mcp)
pgrep -f 'sleep 4545' >/dev/null && fail "the cancelled tree lives"
expect 'no answer to the cancelled call' "$(jq -c 'select(.id == 9)' <<<"$out")" ''
expect 'ping after the cancel' "$(jq -r 'select(.id == 10) | .id' <<<"$out")" 10
grep -hq '"outcome":"cancelled"' state/audit/*.jsonl || fail "no cancelled outcome"
# the bridge adds the claims that were given on its command line
out=$(printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' | "$callgate" mcp --agent nobody)
expect_match 'unknown agent through the bridge' "$out" 'error|"tools":\[\]'
down
verify_ok
