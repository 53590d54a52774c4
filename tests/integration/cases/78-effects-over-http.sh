# The changes of a call over HTTP: seen and decided by whoever has the permission, taken back whole;
# and callgate --url does the same.
. "$IT_TESTS/http.sh"
server='  auth: {enabled: true, service_key_env: SERVICE_KEY}
  rate_limiting: {enabled: false}'
http_policy <<EOF
defaults: {decision: allow}
roles:
  agent: {tools: ["*"]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide]}
principals:
  - {peer_uid: $uid, roles: [agent]}
namespaces:
  default: {working_directory: ./workspace}
tools:
  aside: {type: command, deny_by_default: true, allowed_commands: [sh], sandbox: {workspace: overlay}}
EOF
export SERVICE_KEY=cg_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG
http_up
make_key() { # ROLE PERMISSIONS (JSON)
	http_key=$SERVICE_KEY
	http_json POST /v1/keys "{\"label\":\"walk\",\"roles\":[\"$1\"],\"tools\":[\"*\"],\"agents\":[],\"namespaces\":[\"default\"],\"permissions\":$2}"
	[ "$http_status" = 201 ] || fail "no key: $http_status $(cat http.body)"
	key=$(jq -r .key http.body)
}
make_key human '["approvals:read", "approvals:decide"]'
decider=$key
make_key agent '[]'
agent=$key

"$callgate" --output json call aside command='sh -c "echo a >a; echo b >b"' >call.json || fail "call: $(cat call.json)"
id=$(jq -r '._meta["callgate/call"].id' call.json)

http_key=$agent
http GET "/v1/effects/$id"
expect 'without the permission' "$http_status" 403
http_key=$decider
http GET /v1/effects
expect 'the list' "$http_status $(jq -r '.effects[0].call' http.body)" "200 $id"
http GET "/v1/effects/$id"
expect 'one' "$http_status $(jq -r '.changes | map(.path) | join(",")' http.body)" '200 a,b'
digest=$(jq -r .digest http.body)
http GET "/v1/effects/$id/contents?path=a"
expect 'contents' "$http_status $(jq -r .after.data http.body)" '200 a'
http GET "/v1/effects/$id/contents?path=nowhere"
expect 'of what was not changed' "$http_status" 400
http GET /v1/effects/none
expect 'no such call' "$http_status" 404

http_json POST "/v1/effects/$id/commit" '{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000"}'
expect 'another list' "$http_status" 409
http_key=$agent
http_json POST "/v1/effects/$id/commit" "{\"digest\": \"$digest\"}"
expect 'commit without the permission' "$http_status" 403
[ ! -e workspace/a ] || fail 'written all the same'
http_key=$decider
for path in a b; do
	http_json POST "/v1/effects/$id/commit" "{\"digest\": \"$digest\", \"paths\": [\"$path\"]}"
	expect "commit $path" "$http_status" 200
done
expect 'both' "$(cat workspace/a workspace/b | tr '\n' ' ')" 'a b '
http_json POST "/v1/effects/$id/undo" "{\"digest\": \"$digest\"}"
expect 'undo' "$http_status $(jq -r .committed http.body)" '200 0'
[ ! -e workspace/a ] && [ ! -e workspace/b ] || fail 'not all was taken back'

# elsewhere
"$callgate" --output json call aside command='sh -c "echo c >c"' >call.json || fail "call: $(cat call.json)"
id=$(jq -r '._meta["callgate/call"].id' call.json)
away() { CALLGATE_TOKEN=$decider "$callgate" --url "$http_url" "$@" >out 2>err; }
away diff "$id" || fail "diff elsewhere: $(cat out err)"
grep -q '^+c$' out || fail "no contents: $(cat out)"
away commit "$id" || fail "commit elsewhere: $(cat out err)"
expect 'written' "$(cat workspace/c)" c
away undo "$id" || fail "undo elsewhere: $(cat out err)"
[ ! -e workspace/c ] || fail 'not taken back'
away discard "$id" && fail 'discarded what is over'
down
verify_ok
