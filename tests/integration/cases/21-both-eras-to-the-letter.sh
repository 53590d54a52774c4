# Every revision of MCP on the socket as it was published: handshakes, pages, per-request _meta, what
# a revision does not know, batches, progress, notices of a changed list, streams and their ends.
. "$IT_TESTS/lib.sh"
extra='approvals: {hold: 2s}'
policy <<'YAML'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, sh, sleep, printf], annotations: {title: Shell, read_only: false}}
  asks: {type: command, deny_by_default: true, allowed_commands: [ls], require_approval: true}
YAML
sed -i 's/^namespaces:.*/namespaces: {default: {working_directory: .\/workspace}, other: {working_directory: .\/other}}/' callgate.yaml
sed -i 's/roles: \[agent, human\]/&, namespaces: [default, other]/' callgate.yaml
mkdir -p other
for i in $(seq 100 329); do
	echo "  tool_$i: {type: command, deny_by_default: true, allowed_commands: [ls]}"
done >>callgate.yaml
sed 's/^  tool_329.*//' callgate.yaml >policy.next.1
sed 's/^  tool_32.*//' callgate.yaml >policy.next.2
chmod 600 policy.next.*
touch workspace/hello
up
# the bridge puts its claims into each message of a batch, too
out=$(printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}' \
	'[{"jsonrpc":"2.0","id":2,"method":"tools/list"}]' | "$callgate" mcp --agent nobody)
expect 'tools of a batch for an unknown agent' "$(jq -c 'select(.id == 2) | .result.tools' <<<"$out")" '[]'
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
cp "$IT_TESTS"/{raw,mcp_eras}.mjs .
CALLGATE=$callgate timeout 50 "$node" mcp_eras.mjs || fail "mcp_eras: $?"
wait "$daemon" || fail "the daemon ended with $?"
daemon=''
verify_ok
