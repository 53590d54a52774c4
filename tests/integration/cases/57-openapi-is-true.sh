# agent-api/openapi.yaml walked against the server: each operation as nobody, with a key of each
# permission alone, and in a foreign namespace. What must come back is derived from the document.
. "$IT_TESTS/http.sh"
document=${IT_TESTS%/tests}/src/agent-api/openapi.yaml
[ -e "$document" ] || fail "openapi.yaml is not there"
server='  auth: {enabled: true, service_key_env: SERVICE_KEY}
  observability: {metrics: {enabled: true}}
  studio: {enabled: true, roles: [human]}
  rate_limiting: {enabled: false}'
http_policy <<EOF
defaults: {decision: allow}
roles:
  agent: {tools: ["*"]}
  all: {permissions: [audit:read, metrics:read, approvals:read, approvals:decide, keys:manage, tokens:issue, policy:read, policy:edit, vault:use, daemon:control]}
  human: {approve: ["*"], permissions: [daemon:control]}
principals:
  - {peer_uid: $uid, roles: [agent, human]}
namespaces:
  default: {working_directory: ./workspace}
  lab: {working_directory: ./lab}
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [echo]}
EOF
mkdir -p lab
export SERVICE_KEY=cg_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG
http_up

# Its roles may do everything: what the key itself is given is what counts.
make_key() { # PERMISSIONS (JSON): prints a key that may do that, in the default namespace
	http_key=$SERVICE_KEY
	http_json POST /v1/keys "{\"label\":\"walk\",\"roles\":[\"agent\",\"all\"],\"tools\":[\"*\"],\"agents\":[],\"namespaces\":[\"default\"],\"permissions\":$1}"
	[ "$http_status" = 201 ] || echo "no key with $1: $http_status $(cat http.body)" >&2
	jq -r .key http.body
}
{
	printf '{"none": "%s", "foreign": "%s"' "$(make_key '[]')" "$(make_key '[]')"
	for permission in audit:read metrics:read approvals:read approvals:decide keys:manage tokens:issue \
		policy:read policy:edit vault:use daemon:control; do
		printf ', "%s": "%s"' "$permission" "$(make_key "[\"$permission\"]")"
	done
	printf '}'
} >keys.json
jq -e 'length == 12 and all(.[]; length > 32)' keys.json >/dev/null || fail "keys: $(cat keys.json)"
"$node" "$IT_TESTS/openapi_walk.mjs" "$document" "$http_url" keys.json >walk.log 2>&1 ||
	fail "$(cat walk.log)"
tail -n 1 walk.log

# what is not in it is not served
for path in /v1/nothing /v1/keys/x/y /v2/keys /etc/passwd //mcp /mcp/ /v1/audit; do
	http GET "$path" --path-as-is
	[[ $http_status =~ ^(400|401|404)$ ]] || fail "$path: $http_status"
done
grep -qF "${SERVICE_KEY:8:30}" state/audit/*.jsonl daemon.log && fail "the service key is in a record or a log"
down
verify_ok
