# An approver by HTTP changes what may be changed: another call, judged anew. A question that nobody
# answers goes on to the next channel; one that is answered does not.
. "$IT_TESTS/lib.sh"
port=$(free_port) hook_port=$(free_port)
api_key=$(openssl rand -hex 24)
secret=$(openssl rand -hex 24)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout key.pem -out ca.pem 2>/dev/null || fail "certificate"
cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  port: $port
  url: http://127.0.0.1:$port
  auth: {enabled: true, api_keys: ["\${API_KEY_1}"]}
  outgoing: {networks: [127.0.0.0/8], ca: ca.pem}
approvals:
  hold: 50s
  channels:
    ops: {type: standard, url: "https://localhost:$hook_port/", secret_env: HOOK_SECRET, roles: [human]}
roles:
  agent: {tools: ["*"], permissions: [approvals:read, daemon:control]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide]}
principals:
  - {peer_uid: $uid, roles: [agent]}
  - {api_key: API_KEY_1, roles: [human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  say:
    type: command
    description: Says a word
    parameters: {type: object, additionalProperties: false, required: [word], properties: {word: {type: string, pattern: "^[a-z]+\$"}, loud: {type: boolean}}}
    exec: {program: echo, argv: [said, "{word}"]}
    rules:
      - {id: never, when: {word: {const: never}}, decision: deny, reason: "not that word"}
      - {id: free, when: {word: {const: free}}, decision: allow}
    approval: {channels: [terminal], editable: [word]}
  slow:
    type: command
    deny_by_default: true
    allowed_commands: [echo]
    require_approval: true
    approval: {channels: [terminal, ops], escalate_after: 3s}
EOF
printf 'HOOK_SECRET=%s\nAPI_KEY_1=%s\n' "$secret" "$api_key" >.env
chmod 600 callgate.yaml .env
src=$IT_TESTS/../src
HOOK_SECRET=$secret python3 "$src/examples/webhook/receiver.py" --listen "127.0.0.1:$hook_port" \
	--cert ca.pem --key key.pem --gate "http://127.0.0.1:$port" --log events.jsonl --auto approve >receiver.out 2>&1 &
receiver=$!
trap 'kill $receiver 2>/dev/null; bye' EXIT
up
web() { # METHOD PATH [BODY]: the status; answer.out is the body
	curl -s -o answer.out -w '%{http_code}' -X "$1" -H "X-API-Key: $api_key" \
		-H 'Content-Type: application/json' ${3:+--data-binary "$3"} "http://127.0.0.1:$port$2"
}
waiting() { # TOOL: the id of its question
	local id
	for _ in $(seq 200); do
		expect "list" "$(web GET /v1/approvals)" 200
		id=$(jq -r --arg t "$1" 'first(.approvals[] | select(.tool == $t) | .id) // empty' answer.out)
		[ -n "$id" ] && break
		sleep 0.05
	done
	[ -n "$id" ] || fail "no question of $1"
	echo "$id"
}
call() { # TOOL ARG...: in the background, into call.out
	"$callgate" call "$@" --output json >call.out 2>&1 &
	call=$!
}
outcome() {
	jq -r '._meta["callgate/call"].outcome' call.out
}

# 1. what may be changed, and what not
call say word=loudly
id=$(waiting say)
expect "the whole question" "$(web GET "/v1/approvals/$id")" 200
jq -e '.editable == ["word"] and .arguments.word == "loudly" and .state == "pending"' answer.out >/dev/null || fail "$(cat answer.out)"
decision=/v1/approvals/$id/decision
expect "another parameter" "$(web POST "$decision" '{"decision":"approve","edited_arguments":{"loud":true}}')" 400
expect "against the schema" "$(web POST "$decision" '{"decision":"approve","edited_arguments":{"word":"NO"}}')" 400
expect "a wrong plan" "$(web POST "$decision" '{"decision":"approve","plan":"sha256:'"$(printf '%064d' 1)"'"}')" 409
expect "the edit" "$(web POST "$decision" '{"decision":"approve","edited_arguments":{"word":"softly"}}')" 200
expect "state" "$(jq -r .state answer.out)" superseded
wait $call || fail "call: $(cat call.out)"
expect "outcome" "$(outcome)" completed
jq -e '.content[0].text | contains("said softly") and contains("changed the arguments")' call.out >/dev/null || fail "$(cat call.out)"
jq -e '._meta["callgate/call"].edited | .by == "api_key:API_KEY_1" and .arguments.word == "softly"' call.out >/dev/null || fail "$(cat call.out)"
expect "again" "$(web POST "$decision" '{"decision":"approve"}')" 409
expect "how it ended" "$(web GET "/v1/approvals/$id")" 200
expect "ended as" "$(jq -r '.state + " " + .by + " " + .method' answer.out)" "superseded api_key:API_KEY_1 static-key"
grep -h '"type":"approval.grant"' state/audit/*.jsonl | grep -q "\"edited_from\":\"$id\"" || fail "the new question's grant does not name the old one"
grep -h '"type":"call.decision"' state/audit/*.jsonl | grep -q '"edited":{"approval"' || fail "the decision does not tell of the edit"

# 2. an edit goes around no rule: denied stays denied, allowed needs nobody
call say word=quietly
expect "edit to a denied word" "$(web POST "/v1/approvals/$(waiting say)/decision" '{"decision":"approve","edited_arguments":{"word":"never"}}')" 200
wait $call
expect "denied" "$(outcome)" refused
call say word=slowly
expect "edit to an allowed word" "$(web POST "/v1/approvals/$(waiting say)/decision" '{"decision":"approve","edited_arguments":{"word":"free"}}')" 200
wait $call || fail "call: $(cat call.out)"
expect "allowed" "$(jq -r '._meta["callgate/call"].by' call.out)" policy

# 3. escalation: answered in time, it goes no further; else the channel answers
call slow command='echo early'
expect "in time" "$(web POST "/v1/approvals/$(waiting slow)/decision" '{"decision":"approve"}')" 200
wait $call || fail "call: $(cat call.out)"
sleep 4
[ ! -s events.jsonl ] || fail "the channel heard of it: $(cat events.jsonl)"
began=$(date +%s%N)
call slow command='echo late'
wait $call || fail "call: $(cat call.out)"
took=$((($(date +%s%N) - began) / 1000000))
[ $took -ge 2900 ] || fail "the channel was asked after $took ms"
grep -q late events.jsonl || fail "the channel was not asked"
down
verify_ok
