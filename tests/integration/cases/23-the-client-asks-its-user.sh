# Approval by a form in the client, only where the policy says by_client: as a request of the server
# in the legacy era, as a result with a state in the modern one. Each answer counts once, for one plan.
. "$IT_TESTS/lib.sh"
extra='approvals: {hold: 1s, timeout: 60s}'
policy <<'YAML'
tools:
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true, approval: {by_client: true}}
  reasoned: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true, approval: {by_client: true, reason_required: true}}
  two: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true, approval: {by_client: true, quorum: 2}}
  strict: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
YAML
sed -i 's/^namespaces:.*/namespaces: {default: {working_directory: .\/workspace}, other: {working_directory: .\/other}}/' callgate.yaml
sed -i 's/roles: \[agent, human\]/&, namespaces: [default, other]/' callgate.yaml
mkdir -p other
sed 's/timeout: 60s/timeout: 61s/' callgate.yaml >policy.next
chmod 600 policy.next
up
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
ln -s "$IT_NPM" node_modules
cp "$IT_TESTS"/{raw,mcp_elicit}.mjs .
CALLGATE=$callgate timeout 50 "$node" mcp_elicit.mjs || fail "mcp_elicit: $?"
grep -h '"reason":"answered in the client: it is fine"' state/audit/*.jsonl | grep -q '"method":"elicitation"' ||
	fail "no record says who answered, and how"
expect 'outcomes' "$(records call.outcome)" "$(records call.decision)"
down
verify_ok
"$callgate" audit verify --semantic state/audit >semantic.log || fail "semantic: $? $(cat semantic.log)"
