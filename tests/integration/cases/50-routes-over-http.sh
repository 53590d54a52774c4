# The HTTP front of the real daemon: what is open, what needs a credential, one call from a key to its
# record, refusals before the body, a hang-up that ends the tool, and the end.
. "$IT_TESTS/lib.sh"
key=cg_live_$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | cut -c 1-43)
port=$(free_port)
url=http://127.0.0.1:$port
cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  port: $port
  max_upload_bytes: 64KiB
  auth: {enabled: true, api_keys: ["\${API_KEY_1}"]}
  observability: {metrics: {enabled: true}}
roles:
  agent: {tools: ["*"]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide, daemon:control, metrics:read]}
principals:
  - {peer_uid: $uid, roles: [agent, human]}
  - {api_key: API_KEY_1, roles: [agent]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  look: {type: command, allowed_commands: [ls, cat, sleep], deny_by_default: true}
  inner: {type: command, visibility: internal, allowed_commands: [ls], deny_by_default: true}
EOF
chmod 600 callgate.yaml
echo hello >workspace/hello
up "API_KEY_1=$key"

status() { # CURL-ARGUMENTS: the status
	curl -s -o body -D head -w '%{http_code}' --max-time 20 "$@"
}
post() { # PATH JSON [ARGUMENTS]: the status
	local path=$1 json=$2
	shift 2
	status -H 'Content-Type: application/json' -d "$json" "$@" "$url$path"
}
auth=(-H "Authorization: Bearer $key")

expect "health" "$(status "$url/health")" 200
expect "health says" "$(jq -r .status body)" ok
expect "no credential" "$(status "$url/v1/whoami")" 401
expect_match "how to sign in" "$(cat head)" 'WWW-Authenticate: Bearer'
expect "a wrong one" "$(status -H "Authorization: Bearer ${key%???}xyz" "$url/v1/whoami")" 401
mcp_list='{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
expect "a wrong one of MCP" "$(post /mcp "$mcp_list" -H "Authorization: Bearer ${key%???}xyz")" 401
expect_match "how to sign in to MCP" "$(cat head)" 'WWW-Authenticate: Bearer'
expect "a wrong one of a batch" "$(post /mcp "[$mcp_list]" -H "Authorization: Bearer ${key%??}xy")" 401
sleep 2 # failures slow this address down
expect "a batch" "$(post /mcp "[$mcp_list,{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}]" -H "Authorization: Bearer $key")" 200
expect "answers of a batch" "$(jq -r '[.[].id] | sort | join(" ")' body)" '1 2'
expect "a good one" "$(status "${auth[@]}" "$url/v1/whoami")" 200
expect "the other header" "$(status -H "X-API-Key: $key" "$url/v1/whoami")" 200
expect "twice" "$(status "${auth[@]}" "${auth[@]}" "$url/v1/whoami")" 400
expect "in the query" "$(status "$url/v1/whoami?api_key=$key")" 400
! grep -rqF "$key" daemon.log state/audit || fail "the key is in a log"

expect "public tools" "$(status "$url/tools")" 200
expect "of a stranger" "$(jq -r '[.tools[].name] | join(" ")' body)" look
expect "all tools" "$(status "${auth[@]}" "$url/tools")" 200
expect "of a key" "$(jq -r '[.tools[].name] | sort | join(" ")' body)" 'inner look'

before=$(records call.outcome)
expect "a call" "$(post /v1/tools/look/call '{"arguments":{"command":"cat hello"}}' "${auth[@]}")" 200
expect "its output" "$(jq -r .structuredContent.stdout body)" hello
expect "a refused call" "$(post /v1/tools/look/call '{"arguments":{"command":"rm hello"}}' "${auth[@]}")" 200
expect "is said to be one" "$(jq -r .isError body)" true
expect "an unknown tool" "$(post /v1/tools/nothing/call '{}' "${auth[@]}")" 404
expect "each is recorded" "$(($(records call.outcome) - before))" 3
expect "not permitted" "$(status "${auth[@]}" "$url/metrics")" 403
expect "nor this" "$(post /v1/approvals/x/decision '{"decision":"approve"}' "${auth[@]}")" 403

# before the body
expect "another Host" "$(status -H 'Host: evil.example' "$url/tools")" 403
expect "another page" "$(status -H 'Origin: https://evil.example' "$url/tools")" 403
expect "a page's form" "$(status -H 'Content-Type: text/plain' -d '{}' "${auth[@]}" "$url/v1/tools/look/call")" 415
head -c 100000000 /dev/zero >large
expect "too large" "$(status -H 'Content-Type: application/json' "${auth[@]}" --data-binary @large "$url/v1/keys")" 413
rm large
expect "deep" "$(post /v1/keys "$(printf '[%.0s' {1..100})" "${auth[@]}")" 400
expect "no such route" "$(status "$url/v1/nothing")" 404
expect "not this way" "$(status "$url/mcp")" 405

# a hang-up ends the tool
curl -s --max-time 1 -H 'Content-Type: application/json' "${auth[@]}" \
	-d '{"arguments":{"command":"sleep 4711.'$uid'"}}' "$url/v1/tools/look/call" >/dev/null
for _ in $(seq 100); do
	grep -qh '"outcome":"cancelled"' state/audit/*.jsonl && break
	sleep 0.1
done
grep -qh '"outcome":"cancelled"' state/audit/*.jsonl || fail "a hang-up did not cancel"
! pgrep -f "sleep 4711.$uid" >/dev/null || fail "the tool goes on"

down
! curl -s --max-time 2 "$url/health" >/dev/null || fail "it still listens"
# an orderly end is no fault of anybody's
! grep -E ' error |"level":"error"' daemon.log || fail "an orderly end is told as an error"
verify_ok
