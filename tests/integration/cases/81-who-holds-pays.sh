# Changes that one caller leaves lying push out his own, not those of another, nor what a human is
# being asked about.
# shellcheck shell=bash
# shellcheck source=tests/integration/http.sh
. "$IT_TESTS/http.sh"
# shellcheck disable=SC2016
server='  auth: {enabled: true, api_keys: ["${FILLER}"]}'
http_policy <<EOF
approvals: {hold: 300ms}
roles:
  agent: {tools: ["*"]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide, daemon:control]}
principals:
  - {peer_uid: $uid, roles: [agent, human]}
  - {api_key: FILLER, roles: [agent]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  aside: {type: command, deny_by_default: true, allowed_commands: [touch], sandbox: {workspace: overlay}}
  asked: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: effects, sandbox: {workspace: overlay}}
EOF
http_up FILLER=static-key-of-somebody-else-0123456789
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >keys.out 2>&1 || fail "keys create: $(cat keys.out)"
"$callgate" reload >/dev/null 2>&1
signed() { CALLGATE_PASSPHRASE_FD=3 "$callgate" "$@" 3<pass; }

mine=$("$callgate" --output json call aside command='touch mine' | jq -r '._meta["callgate/call"].id')
"$callgate" --output json call asked command='touch asked' >asked.json 2>/dev/null
id=$("$callgate" --output json pending | jq -r '.approvals[0].id')
http_key=static-key-of-somebody-else-0123456789
for i in $(seq 32); do
	http_json POST /v1/tools/aside/call "{\"arguments\":{\"command\":\"touch x$i\"}}"
	http_expect "call $i" 200
done
gone() { grep -hq 'room for newer ones' state/audit/*.jsonl; }
for _ in $(seq 100); do
	gone && break
	sleep 0.1
done
gone || fail "nothing had to go, so nothing was tried"
signed commit "$mine" >out 2>err || fail "what was mine is gone: $(cat out err)"
signed approve "$id" >out 2>err || fail "approve: $(cat out err)"
for _ in $(seq 100); do
	[ -e workspace/asked ] && break
	sleep 0.1
done
expect 'both are there' "$(cd workspace && echo *)" 'asked mine'
down
verify_ok
