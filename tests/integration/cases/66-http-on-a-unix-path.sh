# HTTP on a Unix path: with authentication on, the kernel's word counts for a user whom a row names and
# who shows nothing; never for what a proxy forwards, nor against a wrong credential.
# shellcheck shell=bash
# shellcheck source=tests/integration/http.sh
. "$IT_TESTS/http.sh"

static=static-key-of-an-administrator-0123456789
path_policy() { # UID
	cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  listen: $IT_DIR/run/http.sock
  auth: {enabled: true, api_keys: ["\${API_KEY_1}"]}
roles:
  developer: {tools: [show]}
principals:
  - {peer_uid: $1, roles: [developer]}
  - {api_key: API_KEY_1, roles: [developer]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  show: {type: command, visibility: internal, allowed_commands: [echo], deny_by_default: true}
EOF
	chmod 600 callgate.yaml
}
ask() { # PATH [CURL]
	http GET "$1" --unix-socket run/http.sock "${@:2}"
}

path_policy "$uid"
http_url=http://localhost
up API_KEY_1=$static
for _ in $(seq 200); do
	[ ! -S run/http.sock ] || break
	sleep 0.05
done
ask /v1/whoami
http_expect 'a user with a row' 200 '.principal + " " + .proof' "uid:$uid peer"
ask /tools
http_expect 'sees what is internal' 200 '[.tools[].name] | join(" ")' show
ask /v1/keys
http_expect 'is no owner here, not even root' 403
ask /v1/whoami -H 'X-API-Key: wrong'
http_expect 'a wrong key' 401
ask /v1/whoami -H "X-API-Key: $static"
http_expect 'a good one' 200 .principal api_key:API_KEY_1
for header in 'X-Forwarded-For: 192.0.2.1' 'Forwarded: for=192.0.2.1' 'X-Real-IP: 192.0.2.1' 'Via: 1.1 proxy'; do
	ask /v1/whoami -H "$header"
	http_expect "forwarded ($header)" 401
done
ask /v1/whoami -H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-For: 192.0.2.2'
http_expect 'forwarded twice' 401

# without a row he is nobody
path_policy $((uid + 1))
kill -HUP "$daemon"
for _ in $(seq 100); do
	ask /v1/whoami
	[ "$http_status" = 200 ] || break
	sleep 0.05
done
http_expect 'a user without a row' 401
ask /tools
http_expect 'sees what is public' 200 '.tools | length' 0
