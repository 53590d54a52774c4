# JWTs of an issuer whose keys courier fetches: good and forged, late keys, rotation, an issuer that
# is gone, other audiences, other algorithms, bound to a certificate; rows of the policy that match.
# shellcheck shell=bash
# shellcheck source=tests/integration/http.sh
. "$IT_TESTS/http.sh"

certs
http_tls=1
issuer_start
issuer_key k1 ES256
server="  tls: {cert: certs/server.pem, key: certs/server.key, client_ca: certs/ca.pem}
  auth: {enabled: true, jwks_url: $issuer_jwks, issuer: $issuer, audience: callgate}"
http_policy <<EOF
roles:
  developer: {tools: [show]}
  operator: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide]}
principals:
  - {peer_uid: $uid, roles: [developer]}
  - {jwt: {claim: role, value: developer}, roles: [developer]}
  - {jwt: {claim: scope, value: "tools:ops"}, roles: [operator]}
  - {client_cert: {san: "spiffe://corp/ci"}, roles: [developer]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  show: {type: command, allowed_commands: [echo], deny_by_default: true}
EOF
http_up

place=1
as() { # WHAT STATUS KID [CLAIMS]: one request with such a token, from an address of its own
	local what=$1 status=$2
	shift 2
	http_token=$(jwt "$@")
	place=$((place + 1))
	http GET /v1/whoami --interface "127.0.0.$place"
	http_expect "$what" "$status"
}

as 'a good token waits for the first keys' 200 k1 role=developer sub=alice
http_expect 'who it is' 200 .principal jwt:alice
http_json POST /v1/tools/show/call '{"arguments":{"command":"echo hello"}}'
http_expect 'it calls' 200 .structuredContent.stdout hello
http GET /v1/approvals
http_expect 'what its role has not' 403
as 'a word of scope' 200 k1 'scope=openid tools:ops'
http GET /v1/approvals
http_expect 'is a matcher' 200
as 'no role' 200 k1
http_expect 'is told so' 200 '.roles | length' 0

as 'another audience' 401 k1 aud=other
as 'a list of audiences' 200 k1 'aud:=["other","callgate"]'
as 'another issuer' 401 k1 iss=https://idp.example/
as 'expired' 401 k1 'exp:=1700000000'
as 'not yet' 401 k1 'nbf:=9999999999'
as 'without an end' 401 k1 'exp:='
as 'a critical extension' 401 k1 'header.crit=x'
as 'a key it brings along' 401 k1 header.jku=https://evil.example/
as 'a key of another kind' 401 k1 header.alg=RS256

# a forged signature, and none at all
http_token=$(jwt k1 role=developer)
http_token=${http_token%.*}.AAAA
http GET /v1/whoami
http_expect 'forged' 401
http_token=$(printf '{"alg":"none"}' | basenc --base64url | tr -d =).$(printf '{"iss":"%s","aud":"callgate","exp":9999999999,"role":"developer"}' "$issuer" | basenc --base64url -w 0 | tr -d =).
http GET /v1/whoami
http_expect 'alg none' 401
http_token=''

# certificates: alone, and bound to a token
http GET /v1/whoami --cert certs/client.pem --key certs/client.key
http_expect 'a certificate alone' 200 .principal cert:URI:spiffe://corp/ci
thumbprint=$(openssl x509 -in certs/client.pem -outform DER | sha256sum | cut -d ' ' -f 1 | xxd -r -p | basenc --base64url | tr -d =)
http_token=$(jwt k1 role=developer "cnf:={\"x5t#S256\":\"$thumbprint\"}")
http GET /v1/whoami --cert certs/client.pem --key certs/client.key
http_expect 'bound, with its certificate' 200 .proof jwt
http GET /v1/whoami
http_expect 'bound, without' 401
http_token=wrong
http GET /v1/whoami --cert certs/client.pem --key certs/client.key
http_expect 'a bearer wins over a certificate' 401
http_token=''

# few fetches, however many unknown keys are named
fetched=$(issuer_fetches)
issuer_key k2 EdDSA
for n in 1 2 3; do as "made up $n" 401 k1 "header.kid=made-up-$n"; done
[ "$(issuer_fetches)" -le $((fetched + 1)) ] || fail 'an unknown key costs a fetch each'

# an issuer that is gone: nobody gets in for lack of keys
down
kill "$issuer_pid"
wait "$issuer_pid" 2>/dev/null
issuer_pid=''
old=$(jwt k1 role=developer)
http_up
http_token=$old
http GET /v1/whoami
http_expect 'no keys' 503
http_token=''
http GET /health
http_expect 'and nothing else is lost' 200
down
verify_ok
! grep -rqF "$old" state daemon.log || fail 'a token was written down'
[ "$(records auth.fail)" -ge 2 ] || fail 'failures are recorded'
