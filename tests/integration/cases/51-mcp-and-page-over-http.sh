# The official client libraries over streamable HTTP in both eras, and the approvals page: what it is
# served with, what its script does, and a question answered by the routes that it uses.
. "$IT_TESTS/lib.sh"
agent_key=cg_live_$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | cut -c 1-43)
human_key=cg_live_$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | cut -c 1-43)
port=$(free_port)
url=http://127.0.0.1:$port
cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  port: $port
  auth: {enabled: true, api_keys: ["\${AGENT_KEY}", "\${HUMAN_KEY}"]}
roles:
  agent: {tools: ["*"]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide, daemon:control]}
principals:
  - {peer_uid: $uid, roles: [agent, human]}
  - {api_key: AGENT_KEY, roles: [agent]}
  - {api_key: HUMAN_KEY, roles: [human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  look: {type: command, allowed_commands: [ls, cat, sleep], deny_by_default: true}
  ask: {type: command, allowed_commands: [cat], deny_by_default: true, require_approval: true}
EOF
chmod 600 callgate.yaml
echo hello >workspace/hello
up "AGENT_KEY=$agent_key" "HUMAN_KEY=$human_key"

[ -d "$IT_NPM" ] || fail "the npm packages are missing"
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
[ -x "$node" ] || fail "node 22 is missing"
ln -s "$IT_NPM" node_modules
cp "$IT_TESTS/http_clients.mjs" .
URL=$url/mcp KEY=$agent_key timeout 60 "$node" http_clients.mjs || fail "see above"

# the page
curl -s -D head -o index.html "$url/" && curl -s -o page.js "$url/page.js" &&
	curl -s -o page.css "$url/page.css" || fail "no page"
expect_match "its policy" "$(cat head)" "Content-Security-Policy: default-src 'none'; script-src 'self'"
! grep -qiE 'https?://|<script>|<style| on[a-z]+=|style=' index.html || fail "something of elsewhere, or inline"
! grep -qE 'localStorage|sessionStorage|document\.cookie|innerHTML|eval\(' page.js ||
	fail "the script keeps a credential or runs text"
expect "its script" "$("$node" "$IT_TESTS/web_page.mjs" "$IT_DIR/page.js")" 'page: ok'

# what the page does: see the question whole, answer it; who asked cannot
curl -s --max-time 60 -o answer -H 'Content-Type: application/json' -H "X-API-Key: $agent_key" \
	-d '{"arguments":{"command":"cat hello"}}' "$url/v1/tools/ask/call" &
call=$!
for _ in $(seq 100); do
	curl -s -H "X-API-Key: $human_key" "$url/v1/approvals" >list
	[ "$(jq '.approvals | length' list)" = 1 ] && break
	sleep 0.1
done
id=$(jq -r '.approvals[0].id' list) plan=$(jq -r '.approvals[0].plan' list)
expect "what would run" "$(jq -r '.approvals[0].command' list)" 'cat hello'
decide() { # KEY BODY: the status
	curl -s -o decided -w '%{http_code}' -H 'Content-Type: application/json' -H "X-API-Key: $1" \
		-d "$2" "$url/v1/approvals/$id/decision"
}
expect "looking decides nothing" "$(curl -s -o /dev/null -w '%{http_code}' -H "X-API-Key: $human_key" \
	"$url/v1/approvals/$id/decision")" 405
expect "who asked" "$(decide "$agent_key" "{\"decision\":\"approve\",\"plan\":\"$plan\"}")" 403
expect "another plan" "$(decide "$human_key" \
	"{\"decision\":\"approve\",\"plan\":\"sha256:$(printf '1%.0s' {1..64})\"}")" 409
expect "yes" "$(decide "$human_key" "{\"decision\":\"approve\",\"plan\":\"$plan\",\"scope\":\"once\"}")" 200
wait "$call"
expect "the call went on" "$(jq -r .structuredContent.stdout answer)" hello
expect "once" "$(decide "$human_key" "{\"decision\":\"approve\",\"plan\":\"$plan\"}")" 409
down
verify_ok
