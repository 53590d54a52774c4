# A proxy that comes by a Unix path is believed where trusted_proxies has `unix`, and only there: the
# allowlist, the rates and the records see the client behind Debian's nginx, and the kernel's word
# about the proxy is nobody's.
# shellcheck shell=bash
# shellcheck source=tests/integration/http.sh
. "$IT_TESTS/http.sh"
shout=127.0.0.5 stranger=127.0.0.7

unix_policy() { # LINES of server
	cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  listen: $IT_DIR/run/http.sock
  auth: {enabled: true, require_auth: false}
  $1
roles:
  agent: {tools: [show]}
principals:
  - {anonymous: true, roles: [agent]}
  - {peer_uid: $uid, roles: [agent]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  show: {type: command, allowed_commands: [echo], deny_by_default: true}
EOF
	chmod 600 callgate.yaml
}
reload_until() { # WHAT STATUS CURL...
	local what=$1 wanted=$2
	shift 2
	kill -HUP "$daemon"
	for _ in $(seq 200); do
		http GET /v1/whoami "$@"
		[ "$http_status" != "$wanted" ] || return 0
		sleep 0.05
	done
	fail "$what: status $http_status, not $wanted"
}

unix_policy "trusted_proxies: [unix]
  ip_allowlist: [$shout/32]"
up
for _ in $(seq 200); do
	[ ! -S run/http.sock ] || break
	sleep 0.05
done
http_url=http://unix:$IT_DIR/run/http.sock:
nginx_start
http_url=$nginx_url

http GET /v1/whoami --interface $shout
http_expect 'a client that is listed' 200 '.principal + " " + .proof' 'anonymous anonymous'
http GET /v1/whoami --interface $stranger
http_expect 'one that is not' 403
http GET /v1/whoami --interface $stranger -H "X-Forwarded-For: $shout"
http_expect 'a name that the client put there himself' 403
http_json POST /v1/tools/show/call '{"arguments":{"argv":["echo","hi"]}}' --interface $shout
http_expect 'a call' 200 '.structuredContent.stdout' hi

# past the proxy nobody has an address, or a name
http_url=http://localhost
http GET /v1/whoami --unix-socket run/http.sock
http_expect 'past the proxy' 403
http GET /v1/whoami --unix-socket run/http.sock -H 'X-Forwarded-For: nonsense'
http_expect 'a proxy that says nonsense' 400

# without a list: the kernel's word about a proxy counts for nobody behind it, marked or not
unix_policy 'trusted_proxies: [unix, 127.0.0.1/32]'
reload_until 'without a list' 200 --unix-socket run/http.sock
http_expect 'the proxy is nobody' 200 '.principal + " " + .proof' 'anonymous anonymous'
http GET /v1/whoami --unix-socket run/http.sock -H "X-Forwarded-For: $shout, 127.0.0.1"
http_expect 'two proxies, and a client' 200 .principal anonymous

# a reload without the word: the same peer is a user of this machine again, and is not believed
unix_policy "ip_allowlist: [$shout/32]"
reload_until 'no proxy any more' 403 --unix-socket run/http.sock -H "X-Forwarded-For: $shout"
unix_policy ''
reload_until 'no list any more' 200 --unix-socket run/http.sock
http_expect 'the user' 200 '.principal + " " + .proof' "uid:$uid peer"
grep -h '"type":"call.' state/audit/*.jsonl | grep -qF "$shout" ||
	fail "the client's address is in no record of the call"
down
verify_ok
