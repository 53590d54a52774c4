# `callgate login` at a certified provider (npm oidc-provider): the device flow with a person in it,
# tokens that are JWTs for this gate, refused ones; then the command works from afar.
. "$IT_TESTS/http.sh"
http_port=$(free_port)
resource=http://127.0.0.1:$http_port
"$node" "$IT_TESTS/oidc_provider.mjs" "$IT_DIR" "$resource" >provider.log 2>&1 &
issuer_pid=$!
for _ in $(seq 400); do
	[ -s port ] && break
	kill -0 "$issuer_pid" 2>/dev/null || fail "the provider did not start: $(tail -n 5 provider.log)"
	sleep 0.05
done
issuer=http://127.0.0.1:$(cat port)
server="  url: $resource
  auth: {enabled: true, jwks_url: $issuer/jwks, issuer: $issuer, audience: $resource}"
http_policy <<EOF
defaults: {decision: allow}
roles:
  agent: {tools: ["*"]}
  human: {permissions: [daemon:control]}
principals:
  - {jwt: {claim: role, value: operator}, roles: [agent]}
  - {peer_uid: $uid, roles: [agent, human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [cat]}
EOF
echo from afar >workspace/hello
http_up
export XDG_STATE_HOME=$IT_DIR/mine
cg() { # WORDS: the command from afar
	env -u CALLGATE_SOCKET -u CALLGATE_HOME timeout 60 "$callgate" --url "$resource" "$@" </dev/null
}
person() { # LOGIN [deny]: waits until the login shows where to go, and goes there
	local where='' code=''
	for _ in $(seq 200); do
		where=$(grep -ohE 'http://127\.0\.0\.1:[0-9]+/device[^[:space:]"]*' login.out login.err | head -n 1)
		code=$(grep -ohE '\b[A-Z]{4}-[A-Z]{4}\b' login.out login.err | head -n 1)
		[ -n "$where" ] && [ -n "$code" ] && break
		sleep 0.05
	done
	[ -n "$code" ] || fail "login shows no code: $(cat login.out login.err)"
	curl -s -X POST "$issuer/people/approve" --data-binary \
		"{\"url\":\"$issuer/device?user_code=$code\",\"login\":\"$1\",\"deny\":$([ $# -gt 1 ] && echo true || echo false)}" >person.log ||
		fail "nobody at the browser"
	grep -q '"pages"' person.log || fail "the person: $(cat person.log)"
}
login() { # LOGIN [deny]: exit status of the login
	cg login --client-id callgate --scope 'openid offline_access' >login.out 2>login.err &
	local pid=$! status
	person "$@"
	wait $pid
	status=$?
	return $status
}

cg tools >out 2>err
expect 'before the login' "$?" 3
expect_match 'what to do' "$(cat err)" 'callgate login'
login alice || fail "login: $? $(cat login.out login.err); $(cat person.log)"
grep -rqE 'eyJ' login.out login.err && fail "the token was printed"
store=$(find mine -name '*.json')
expect 'mode of the login' "$(stat -c %a "$store")" 600
expect_match 'tools from afar' "$(cg tools 2>&1)" 'look'
expect 'a call from afar' "$(cg call look command='cat hello' 2>&1)" 'from afar'
cg call look command='rm hello' >out 2>&1
expect 'a refused one' "$?" 2
expect_match 'who he is' "$(cg --output json whoami 2>&1)" 'alice'
grep -h '"type":"call.outcome"' state/audit/*.jsonl | grep -q alice || fail "alice is in no record"

# a token of the same provider for somebody else, and one whose claims give no role
cg logout >/dev/null 2>&1
login mallory || fail "login of mallory: $? $(cat login.out login.err)"
cg call look command='cat hello' >out 2>&1
status=$?
[ $status -ne 0 ] || fail "a guest was served"
[[ $(cat out) != *'from afar'* ]] || fail "a guest read the file"
cg logout >/dev/null 2>&1
cg tools >out 2>&1
expect 'after the logout' "$?" 3
http_token=$(curl -s "$issuer/token" -d client_id=callgate -d grant_type=refresh_token -d refresh_token=nonsense | jq -r '.error')
expect 'the provider is a real one' "$http_token" invalid_grant
http GET /v1/whoami
http_expect 'nonsense as a token' 401
expect_match 'the challenge' "$(http_header WWW-Authenticate)" 'Bearer.*resource_metadata="'"$resource"'/\.well-known/oauth-protected-resource'
http_token=''
down
verify_ok
