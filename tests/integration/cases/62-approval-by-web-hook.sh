# A question goes to a real HTTPS receiver, signed; its signed callback decides; a replay does not,
# nor does an unsigned one, GET, or another question's nonce. What is recorded names who and how.
. "$IT_TESTS/lib.sh"
port=$(free_port) hook_port=$(free_port)
secret=whsec_$(openssl rand -base64 32)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout key.pem -out ca.pem 2>/dev/null || fail "certificate"
cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  port: $port
  url: http://127.0.0.1:$port
  auth: {enabled: true}
  outgoing: {networks: [127.0.0.0/8], ca: ca.pem}
approvals:
  hold: 50s
  channels:
    ops: {type: standard, url: "https://localhost:$hook_port/", secret_env: HOOK_SECRET, roles: [human]}
roles:
  agent: {tools: ["*"], permissions: [approvals:read, daemon:control]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide]}
principals:
  - {peer_uid: $uid, roles: [agent, human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  ask: {type: command, deny_by_default: true, allowed_commands: [echo], require_approval: true}
  hook: {type: command, deny_by_default: true, allowed_commands: [echo], require_approval: true, approval: {channels: [ops]}}
EOF
printf 'HOOK_SECRET=%s\n' "$secret" >.env
chmod 600 callgate.yaml .env
src=$IT_TESTS/../src
receive() { # OPTIONS...
	HOOK_SECRET=$secret python3 "$src/examples/webhook/receiver.py" --listen "127.0.0.1:$hook_port" \
		--cert ca.pem --key key.pem --gate "http://127.0.0.1:$port" --log events.jsonl "$@" >receiver.out 2>&1 &
	receiver=$!
	for _ in $(seq 100); do
		grep -q listening receiver.out && return
		sleep 0.05
	done
	fail "receiver: $(cat receiver.out)"
}
stop_receiver() {
	kill "$receiver" 2>/dev/null
	wait "$receiver" 2>/dev/null
}
trap 'stop_receiver; bye' EXIT
receive --auto approve
up

# 1. it is asked, answers, and the call runs
out=$("$callgate" call ask command='echo through the hook' --output json) || fail "call: $out"
expect_match "the tool ran" "$out" 'through the hook'
expect "who approved" "$(jq -r '._meta["callgate/call"].by' <<<"$out")" approval
event=$(head -n 1 events.jsonl)
expect "type" "$(jq -r .type <<<"$event")" approval.requested
for key in id plan command arguments argv walls limits risk rule reason host cwd expires scopes nonce answer_url; do
	jq -e --arg k "$key" '.data | has($k)' <<<"$event" >/dev/null || fail "the question has no $key"
done
grep -h '"type":"approval.grant"' state/audit/*.jsonl | grep -q '"by":"channel:ops"' || fail "no grant of the channel"
grep -h '"type":"approval.grant"' state/audit/*.jsonl | grep -q '"method":"channel"' || fail "how he proved it"
for _ in $(seq 200); do # recorded when courier has the whole answer, which the decision may overtake
	grep -h '"type":"approval.sent"' state/audit/*.jsonl | grep -q '"result":"ok"' && break
	sleep 0.05
done
grep -h '"type":"approval.sent"' state/audit/*.jsonl | grep -q '"result":"ok"' || fail "no approval.sent"
for _ in $(seq 100); do
	grep -q approval.decided events.jsonl && break
	sleep 0.05
done
grep -q approval.decided events.jsonl || fail "the receiver did not hear of the end"

# 2. by hand: what is not authentic is 400 and decides nothing; then the right one; then its replay
stop_receiver
receive --auto deny --gate http://127.0.0.1:1 # takes questions, cannot answer them
"$callgate" call ask command='echo by hand' --output json >call.out 2>&1 &
call=$!
for _ in $(seq 200); do
	question=$(grep 'by hand' events.jsonl 2>/dev/null | head -n 1)
	[ -n "$question" ] && break
	sleep 0.05
done
[ -n "$question" ] || fail "no second question"
id=$(jq -r .data.id <<<"$question") nonce=$(jq -r .data.nonce <<<"$question")
old=$(jq -r .data.nonce <<<"$event")
url=http://127.0.0.1:$port/v1/approvals/callback/ops
key_hex=$(printf %s "${secret#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \n')
post() { # ID TIME BODY [SIGNATURE]: the status
	local signature=${4-v1,$(printf '%s.%s.%s' "$1" "$2" "$3" |
		openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key_hex" -binary | base64)}
	curl -s -o answer.out -w '%{http_code}' -H 'Content-Type: application/json' -H "webhook-id: $1" \
		-H "webhook-timestamp: $2" -H "webhook-signature: $signature" --data-binary "$3" "$url"
}
now=$(date +%s)
yes="{\"approval\":\"$id\",\"nonce\":\"$nonce\",\"decision\":\"approve\"}"
expect "unsigned" "$(post msg_1 "$now" "$yes" '')" 400
expect "short" "$(post msg_2 "$now" "$yes" 'v1,AAAA')" 400
expect "old" "$(post msg_3 $((now - 400)) "$yes")" 400
expect "another's nonce" "$(post msg_4 "$now" "{\"approval\":\"$id\",\"nonce\":\"$old\",\"decision\":\"approve\"}")" 400
expect "GET" "$(curl -s -o /dev/null -w '%{http_code}' "$url?approval=$id&nonce=$nonce&decision=approve")" 405
kill -0 $call 2>/dev/null || fail "something of that decided: $(cat call.out)"
expect "the right one" "$(post msg_5 "$now" "$yes")" 200
wait $call || fail "call: $(cat call.out)"
grep -q 'by hand' call.out || fail "it did not run: $(cat call.out)"
expect "replay" "$(post msg_5 "$now" "$yes")" 400
expect "signed anew" "$(post msg_6 "$now" "$yes")" 409
refused=$(records approval.refused)
[ "$refused" -ge 4 ] || fail "$refused records of refused answers"
! grep -h "$nonce\|${secret#whsec_}" state/audit/*.jsonl daemon.log || fail "a secret is in the trail or the log"

# 3. a channel alone is a channel alone: nobody at the machine answers for it
"$callgate" call hook command='echo alone' --output json >call.out 2>&1 &
call=$!
for _ in $(seq 200); do
	id=$("$callgate" pending --output json 2>/dev/null | jq -r '.. | objects | select(.tool? == "hook") | .id' | head -n 1)
	[ -n "$id" ] && break
	sleep 0.05
done
[ -n "$id" ] || fail "the question is not shown"
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >/dev/null || fail "keys create"
CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$id" 3<pass >approve.out 2>&1 && fail "approved at the terminal: $(cat approve.out)"
grep -q 'answered by other channels only' approve.out || fail "approve says: $(cat approve.out)"
kill $call
wait $call 2>/dev/null
down
verify_ok
