# API keys over HTTP: nothing by default, bound by scope, tenant and time; rotated and revoked at
# once, also across a restart; tokens never wider than who issues them; nothing secret is kept.
# shellcheck shell=bash
# shellcheck source=tests/integration/http.sh
. "$IT_TESTS/http.sh"

static=static-key-of-an-administrator-0123456789
service=service-key-of-an-administrator-0123456789
server='  auth: {enabled: true, api_keys: ["${API_KEY_1}"], service_key_env: CALLGATE_SERVICE_KEY}
  observability: {metrics: {enabled: true}}'
http_policy <<EOF
roles:
  developer: {tools: [show], permissions: [tokens:issue, metrics:read]}
  keeper: {tools: [show], permissions: [keys:manage]}
principals:
  - {peer_uid: $uid, roles: [developer, keeper]}
  - {api_key: API_KEY_1, roles: [developer]}
tenants: {acme: {namespaces: [a1]}, blue: {namespaces: [b1]}}
namespaces:
  default: {working_directory: ./workspace}
  a1: {working_directory: ./a1}
  b1: {working_directory: ./b1}
tools:
  show: {type: command, allowed_commands: [echo], deny_by_default: true}
  inner: {type: command, visibility: internal, allowed_commands: [echo]}
EOF
mkdir -m 700 -p a1 b1
http_up API_KEY_1=$static CALLGATE_SERVICE_KEY=$service

say='{"arguments":{"command":"echo hello"}}'
create() { # JSON: sets $key and $id
	http_key=$service
	http_json POST /v1/keys "$1"
	http_expect "a key $1" 201
	key=$(jq -r .key http.body) id=$(jq -r .id http.body)
}

# nothing by default
create '{"label":"empty"}'
empty=$key
http_key=$empty
http GET /v1/whoami
http_expect 'an empty key is somebody' 200 .proof api-key
http GET /metrics
http_expect 'and may nothing' 403
expect_match 'challenge' "$(http_header WWW-Authenticate)" 'insufficient_scope.*metrics:read'
http GET /tools
http_expect 'nor see anything' 200 '.tools | length' 0

# a scope, in a tenant
create '{"tenant":"acme","roles":["developer"],"tools":["show"],"namespaces":["*"],"permissions":["metrics:read"]}'
http_key=$key
http_json POST /v1/tools/show/call "$say" -H 'Callgate-Namespace: a1'
http_expect 'a call in its namespace' 200 '.structuredContent.stdout' hello
http_json POST /v1/tools/show/call "$say" -H 'Callgate-Namespace: b1'
http_expect "another tenant's" 403
http_json POST /v1/tools/inner/call "$say" -H 'Callgate-Namespace: a1'
http_expect 'a tool outside the scope is unknown' 404
http GET /metrics
http_expect 'metrics' 200
expect_match 'counted' "$(cat http.body)" 'callgate_tool_calls_total\{tool="show",decision="allow"'
http GET /v1/keys
http_expect 'keys are not its to manage' 403

# rotated and revoked at once
http_key=$service
http POST "/v1/keys/$id/rotate" -H 'Content-Type: application/json' -d '{}'
http_expect 'rotate' 200
next=$(jq -r .key http.body)
http_key=$key
http GET /v1/whoami
http_expect 'the old secret' 401
expect_match 'challenge' "$(http_header WWW-Authenticate)" 'error="invalid_token"'
http_key=$next
http GET /v1/whoami
http_expect 'the new one' 200
http_key=$service
http DELETE "/v1/keys/$id"
http_expect 'revoke' 200
http_key=$next
http GET /v1/whoami
http_expect 'revoked' 401
http_key=$service
http DELETE /v1/keys/key_0000000000000000
http_expect 'an unknown id' 404

# the command makes keys, too; time ends them
short=$("$callgate" keys create --label short --role developer --tool show --namespace default --expires 2s) ||
	fail 'keys create'
http_key=$short
http_json POST /v1/tools/show/call "$say"
http_expect 'a short one' 200
sleep 3
http GET /v1/whoami
http_expect 'has expired' 401

# wrong ones are never nobody
http_key=wrong
http GET /tools
http_expect 'a wrong key on an open route' 401
http_key=''
http GET /tools
http_expect 'nothing shown' 200 '[.tools[].name] | join(" ")' show
http GET /v1/keys
http_expect 'nothing shown where something is needed' 401
http_key=$static
http GET /v1/whoami -H 'Authorization: Bearer other'
http_expect 'two that differ' 401
http GET "/v1/whoami?api_key=$static"
http_expect 'in a query' 400

# tokens
http_key=$static
http_json POST /v1/tokens '{"roles":["*"],"tools":["*"],"namespaces":["default","b1"],"permissions":["keys:manage"],"max_calls":1}'
http_expect 'a token' 201 '.granted | [.namespaces, .permissions] | flatten | join(" ")' default
token=$(jq -r .token http.body)
http_key='' http_token=$token
http_json POST /v1/tools/show/call "$say"
http_expect 'its one call' 200 .isError false
http_json POST /v1/tools/show/call "$say"
http_expect 'is used up' 200 .isError true
http GET /v1/whoami
http_expect 'it is who issued it' 200 .principal api_key:API_KEY_1
socket=$(printf '{"jsonrpc":"2.0","id":1,"method":"callgate/whoami","params":{"_meta":{"callgate/credential":"%s"}}}\n' "$token" |
	socat -t 5 STDIO UNIX-CONNECT:"$CALLGATE_SOCKET")
expect 'at the socket, too' "$(jq -r .result.proof <<<"$socket")" token
http_token=''

# a restart keeps keys and their ends, and ends all tokens
down
http_up API_KEY_1=$static CALLGATE_SERVICE_KEY=$service
http_key=$empty
http GET /v1/whoami
http_expect 'a key outlives the daemon' 200
http_key=$next
http GET /v1/whoami
http_expect 'its end does, too' 401
http_key='' http_token=$token
http GET /v1/whoami
http_expect 'a token does not' 401
http_token=''

# who guesses waits
http_key=guess
for _ in $(seq 20); do # a slow machine lets a pause of a second pass
	http GET /v1/whoami
	[ "$http_status" != 429 ] || break
done
http_expect 'a pause' 429
expect_match 'Retry-After' "$(http_header Retry-After)" '^[0-9]+$'
down
verify_ok
for secret in "$static" "$service" "$empty" "$key" "$next" "$short" "$token"; do
	! grep -rqF "$secret" state daemon.log || fail "a secret was written down: ${secret:0:12}..."
done
expect 'modes' "$(stat -c %a state/engine state/engine/keys.db | tr '\n' ' ')" '700 600 '
[ "$(records admin.key)" -ge 5 ] || fail 'keys are recorded'
expect 'tokens are recorded' "$(records admin.token)" 1
[ "$(records auth.ok)" -ge 3 ] && [ "$(records auth.fail)" -ge 3 ] || fail 'sign-ins are recorded'
[ "$(records http.request)" -ge 5 ] || fail 'requests are recorded'
[ "$(records http.summary)" -ge 1 ] || fail 'the rest is summed up'
