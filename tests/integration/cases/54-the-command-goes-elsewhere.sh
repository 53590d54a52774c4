# The whole command against a gate over HTTP (fake_http.py): every command, what it shows, what comes
# of each thing that a server or a network can do, TLS, and the bridge in both eras.
# shellcheck shell=bash
. "$IT_TESTS/lib.sh"
unset CALLGATE_SOCKET CALLGATE_HOME
servers=''
trap 'kill $servers 2>/dev/null' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
	-keyout key.pem -out cert.pem 2>/dev/null || fail "openssl"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -addext subjectAltName=DNS:other.example \
	-keyout other-key.pem -out other.pem 2>/dev/null || fail "openssl"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=anna -keyout anna-key.pem -out anna.pem \
	2>/dev/null || fail "openssl"

serve() { # FOLDER CERT KEY [OPTION...]: sets port
	local folder=$1
	mkdir -p "$folder"
	cp "$2" "$folder/cert.pem" && cp "$3" "$folder/key.pem"
	shift 3
	python3 "$IT_TESTS/fake_http.py" "$folder" "$@" >>fake.log 2>&1 &
	servers="$servers $!"
	for _ in $(seq 200); do
		[ -s "$folder/ready" ] && break
		sleep 0.05
	done
	port=$(cat "$folder/ready") || fail "the fake does not start: $(cat fake.log)"
}
serve gate cert.pem key.pem
url=https://127.0.0.1:$port
echo "cg_live_$(printf 'k%.0s' $(seq 43))" >token
cg() {
	timeout 30 "$callgate" --url "$url" --ca cert.pem --token-file token "$@" >out 2>err </dev/null
}
ok() { # REGEX-OF-STDOUT WORD...
	local regex=$1
	shift
	cg "$@" || fail "exit $? of $*: $(cat out err)"
	expect_match "stdout of $*" "$(cat out)" "$regex"
}
no() { # STATUS REGEX-OF-STDERR WORD...
	local want=$1 regex=$2 status
	shift 2
	cg "$@"
	status=$?
	expect "exit of $* ($(cat err))" "$status" "$want"
	expect_match "stderr of $*" "$(cat err)" "$regex"
	expect "lines of stderr of $*" "$(wc -l <err)" 1
	! grep -q "$(cat token)" out err || fail "the token is told by $*"
}
way() {
	echo "$1" >gate/way
}
last() { # JQ: of the last request
	tail -n 1 gate/log | jq -r "$1"
}

# every command
ok 'callgate 0, pid 7' status
expect 'authorization' "$(last .headers.authorization)" "Bearer $(cat token)"
expect 'revision' "$(last '.headers["mcp-protocol-version"]')" 2025-11-25
expect 'accept' "$(last .headers.accept)" 'application/json, text/event-stream'
expect 'path' "$(last .path)" /mcp
ok '^bash' tools
ok '^coder' agents
ok '^hi$' call bash command=ls
cg call bash command='rm x'
expect 'a refused call' $? 2
cg call bash command=false
expect 'a failing tool' $? 5
ok '^hi$' run -- ls
printf 'given\n' | timeout 20 "$callgate" --url "$url" --ca cert.pem --token-file token run -- cat >out 2>err
expect 'run with input' "$? $(cat out)" '0 given'
cg run -- false
expect 'run of a failing tool' $? 1
cg run -- rm x
expect 'run, refused' $? 126
ok 'a1b2c3d4e5  bash' pending
ok 'approved' approve a1b2 --reason good
ok 'denied' deny a1b2
ok 'g1b2c3d4  bash' grants
ok 'revoked' grants revoke g1b2
ok 'reloaded' reload
ok 'decision allow' policy explain bash command=ls
ok 'jwt:anna' whoami
expect 'a key alone on stdout' "$(cg keys create --label ci --role developer --tool a --tool b --agent coder --namespace n --permission audit:read --expires 1d && cat out)" "$(cat token)"
expect 'lists of a key' "$(last '.body | fromjson | .params | [.label, .roles, .tools, .agents, .namespaces, .permissions] | tojson')" \
	'["ci",["developer"],["a","b"],["coder"],["n"],["audit:read"]]'
expires=$(last '.body | fromjson | .params.expires_s')
[ $((expires - $(date +%s))) -gt 86000 ] && [ $((expires - $(date +%s))) -le 86400 ] || fail "expires_s is $expires"
cg keys create
expect 'nothing is granted by default' "$(last '.body | fromjson | .params | tojson')" \
	'{"roles":[],"tools":[],"agents":[],"namespaces":[],"permissions":[]}'
ok 'key_1  ci\\x1b\[2J' keys list
expect_match 'times of a key' "$(cat out)" '2023-11-14T22:13:20'
ok 'cg_live_' keys rotate key_1
ok 'key_1: revoked' keys revoke key_1
expect 'a token alone on stdout' "$(cg token issue --role developer --tool bash --calls 3 --ttl 15m && cat out)" aaa.bbb.ccc
expect 'what a token is wanted for, and no empty list' "$(last '.body | fromjson | .params | tojson')" \
	'{"roles":["developer"],"tools":["bash"],"max_calls":3,"ttl_s":900}'
ok '^version: 1' config get
echo 'version: 1' >new.yaml
ok 'it would be policy cdcd' config check new.yaml
expect 'checked only' "$(last '.body | fromjson | .params | [.check, .config] | tojson')" '[true,"version: 1\n"]'
ok 'role developer gains git' config apply new.yaml --version "$(printf 'ab%.0s' $(seq 32))"
expect 'applied' "$(last '.body | fromjson | .params | [.check, (.version | length)] | tojson')" '[false,64]'
timeout 3 "$callgate" --output json --url "$url" --ca cert.pem --token-file token watch >out 2>err </dev/null
expect 'watch' "$(jq -r .id <out | sort -u)" a1b2c3d4e5
ok '"principal": "jwt:anna"' --output json whoami

# claims, the environment, an ambiguous option
ok '^hi$' call bash command=ls --agent coder --namespace work
expect 'claims' "$(last '.body | fromjson | .params._meta | [.["callgate/agent"], .["callgate/namespace"]] | tojson')" '["coder","work"]'
CALLGATE_URL=$url CALLGATE_TOKEN=' other-token ' timeout 20 "$callgate" --ca cert.pem tools >out 2>err || fail "CALLGATE_URL: $(cat err)"
expect 'CALLGATE_TOKEN' "$(last .headers.authorization)" 'Bearer other-token'
no 1 'keys create --approver: works on the machine' keys create --approver
no 1 'up: works on the machine' up
no 1 'audit: works on the machine' audit verify
no 1 'policy: works on the machine' policy check
no 1 'give one of them' --socket x status
for bad in ftp://x http://gate.example https://u:p@gate https://gate/path 'https://gate?token=x' https:// https://gate:0 https://gate:99999 "https://ga te"; do
	timeout 20 "$callgate" --url "$bad" status >out 2>err
	expect "exit of --url $bad" $? 1
done
printf 'two words' >bad-token
timeout 20 "$callgate" --url "$url" --ca cert.pem --token-file bad-token status >out 2>err
expect 'a token that is none' "$?" 1
timeout 20 "$callgate" --url "$url" --ca cert.pem --token-file absent status >out 2>err
expect 'a token that is not there' "$?" 1

# the program that speaks HTTP
mkdir alone
cp "$callgate" alone/
for words in status 'run -- ls' login 'logout' '--output json tools'; do
	want=4
	[ "$words" = 'run -- ls' ] && want=125
	# shellcheck disable=SC2086
	CALLGATE_URL=$url alone/callgate $words >out 2>err </dev/null
	expect "exit of $words, alone" $? $want
	expect "stdout of $words, alone" "$(cat out)" ''
	expect "lines of stderr of $words, alone" "$(wc -l <err)" 1
	expect_match "stderr of $words, alone" "$(cat err)" '/alone/callgate-remote is not installed; '
done
CALLGATE_URL=$url alone/callgate version >out 2>err || fail "version, alone: $(cat err)"
CALLGATE_URL=$url alone/callgate help status >out 2>err || fail "help, alone: $(cat err)"
expect 'the same help' "$(cat out)" "$("$IT_BIN/callgate-remote" help status)"
alone/callgate login --help >out 2>err || fail "help of login, alone: $(cat err)"
printf 'no program' >alone/callgate-remote
CALLGATE_URL=$url alone/callgate status >out 2>err
expect 'exit beside a file that is no program' $? 4
expect_match 'named' "$(cat err)" 'callgate-remote cannot be started: Permission denied'
ln -sf "$IT_BIN/callgate-remote" alone/callgate-remote
CALLGATE_URL=$url alone/callgate --ca cert.pem --token-file token status >out 2>err || fail "by a link: $(cat err)"
(cd / && PATH=/nowhere CALLGATE_URL=$url "$callgate" --ca "$IT_DIR/cert.pem" --token-file "$IT_DIR/token" status) >out 2>err ||
	fail "from elsewhere, without a PATH: $(cat err)"
ldd "$callgate" | grep -q libcurl && fail "callgate itself has libcurl"

# what a server can say
way 401
no 3 "not authenticated: the gate says 401; run .callgate login --url $url" status
no 125 'not authenticated' run -- ls
way 403
no 2 'not permitted: the gate says 403' status
way rpc403
no 2 'keys:manage is missing' keys list
way 429
no 4 'the gate says 429; try again in 7 s' status
way 503
no 4 'try again in 7 s' status
way 500
no 4 'HTTP status 500' status
way 404
no 4 'HTTP status 404' tools
way redirect
before=$(wc -l <gate/log)
no 4 'redirects elsewhere, which is not followed' status
expect 'requests of a redirect' $(($(wc -l <gate/log) - before)) 1
way html
no 4 'without an answer' status
way none
no 4 'without an answer' status
way other
no 4 'no answer to what was asked' status
way huge
no 4 'longer than any' status
way hugeheader
no 4 'headers are too long' status
way sse
ok '^hi$' call bash command=ls
way ssemany
ok '^hi$' call bash command=ls
way ssestay
ok '^hi$' call bash command=ls
way ssecut
no 4 'without an answer' status
way ssehuge
no 4 'an event is longer than any' status
way slow
ok '^hi$' call bash command=ls
for held in hold holdcall; do
	way $held
	: >gate/gone
	timeout -k 5 -s INT 1 "$callgate" --url "$url" --ca cert.pem --token-file token run -- sleep 100 >out 2>err </dev/null
	expect "run, ended by a signal ($held)" $? 124
	for _ in $(seq 60); do
		grep -qs gone gate/gone && break
		sleep 0.05
	done
	expect 'a cancel is to hang up' "$(cat gate/gone)" gone
done
rm gate/way

# who is spoken to
timeout 20 "$callgate" --url "$url" status >out 2>err
expect 'a certificate of nobody' "$?" 4
expect_match 'named' "$(cat err)" 'TLS: its certificate is not trusted'
timeout 20 "$callgate" --url "https://localhost:$port" --ca cert.pem status >out 2>err
expect 'a certificate of another host' "$?" 4
expect_match 'named' "$(cat err)" 'TLS: '
timeout 20 "$callgate" --url "$url" --ca absent.pem status >out 2>err
expect 'no CA file' "$?" 4
timeout 20 "$callgate" --url https://127.0.0.1:1 --ca cert.pem status >out 2>err
expect 'nobody there' "$?" 4
main=$port
serve clear cert.pem key.pem --plain
timeout 20 "$callgate" --url "http://127.0.0.1:$port" --token-file token status >out 2>err || fail "in the clear: $(cat err)"
http_proxy=http://127.0.0.1:1 timeout 20 "$callgate" --url "http://127.0.0.1:$port" status >out 2>err || fail "a proxy is asked: $(cat err)"
timeout 20 "$callgate" --url "https://127.0.0.1:$port" --ca cert.pem status >out 2>err
expect 'no TLS there' "$?" 4
expect_match 'named' "$(cat err)" 'TLS'
serve wrong other.pem other-key.pem
timeout 20 "$callgate" --url "https://127.0.0.1:$port" --ca other.pem status >out 2>err
expect 'a name that is not in it' "$?" 4
serve mutual cert.pem key.pem --client-ca anna.pem
timeout 20 "$callgate" --url "https://127.0.0.1:$port" --ca cert.pem status >out 2>err
expect 'no client certificate' "$?" 4
timeout 20 "$callgate" --url "https://127.0.0.1:$port" --ca cert.pem --cert anna.pem --key anna-key.pem status >out 2>err ||
	fail "client certificate: $(cat err)"
cat anna.pem anna-key.pem >both.pem
timeout 20 "$callgate" --url "https://127.0.0.1:$port" --ca cert.pem --cert both.pem approve a1b2 >out 2>err ||
	fail "certificate and key in one file: $(cat err)"
port=$main

# the bridge, in both eras
bridge() { # LINE...
	printf '%s\n' "$@" | timeout 30 "$callgate" --url "$url" --ca cert.pem --token-file token mcp >out 2>err
}
: >gate/log
modern='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
bridge '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}' || fail "mcp: $(cat err)"
bridge '{"jsonrpc":"2.0","id":"m","method":"tools/call","params":{"name":"b\u00e4sh","arguments":{},'"$modern"'}}' || fail "mcp: $(cat err)"
expect 'modern headers' "$(last '.headers | [.["mcp-protocol-version"], .["mcp-method"], .["mcp-name"]] | tojson')" \
	'["2026-07-28","tools/call","=?base64?YsOkc2g=?="]'
expect 'no session in the modern era' "$(last '.headers["mcp-session-id"]')" null
expect 'the answer' "$(jq -c '[.id, .result.content[0].text]' <out)" '["m","hi\n"]'
{
	echo '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'
	sleep 1
	echo '{"jsonrpc":"2.0","method":"notifications/initialized"}'
	echo '{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
	echo '[{"jsonrpc":"2.0","id":3,"method":"ping"},{"jsonrpc":"2.0","id":4,"method":"ping"}]'
	echo 'no JSON at all'
} | timeout 30 "$callgate" --url "$url" --ca cert.pem --token-file token mcp >out 2>err || fail "mcp: $(cat err)"
expect 'no revision before the handshake' "$(jq -r 'select(.body | contains("initialize\",\"params")) | .headers["mcp-protocol-version"]' <gate/log | tail -n 1)" null
expect 'the revision of the handshake' "$(jq -r 'select(.body | contains("tools/list")) | .headers["mcp-protocol-version"]' <gate/log | tail -n 1)" 2025-06-18
expect 'the session of the handshake' "$(jq -r 'select(.body | contains("tools/list")) | .headers["mcp-session-id"]' <gate/log | tail -n 1)" s-1
expect 'answers' "$(jq -c 'if type == "array" then map(.id) else .id end' <out | sort | tr '\n' ' ')" '1 2 [3,4] null '
way ssemany
bridge '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"bash","arguments":{}}}' || fail "mcp: $(cat err)"
expect 'a notification, a question, the answer' "$(jq -r '.method // .id' <out | tr '\n' ' ')" 'notifications/progress elicitation/create 7 '
way 401
bridge '{"jsonrpc":"2.0","id":8,"method":"tools/list"}' '[{"jsonrpc":"2.0","id":9,"method":"ping"},{"jsonrpc":"2.0","id":10,"method":"ping"}]'
expect 'errors of what failed' "$(jq -c '[.id, .error.code]' <out | sort | tr '\n' ' ')" '[10,401] [8,401] [9,401] '
way holdcall
: >gate/gone
{
	echo '{"jsonrpc":"2.0","id":11,"method":"tools/call","params":{"name":"bash","arguments":{}}}'
	sleep 1
	echo '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":11}}'
	sleep 1
} | timeout 30 "$callgate" --url "$url" --ca cert.pem --token-file token mcp >out 2>err || fail "mcp: $(cat err)"
expect 'the bridge hangs up, too' "$(cat gate/gone)" gone
expect 'no answer of what was cancelled' "$(cat out)" ''
rm gate/way

# the end of a gate
cg down &
ender=$!
for _ in $(seq 100); do
	grep -q callgate/shutdown gate/log && break
	sleep 0.05
done
sleep 0.3
kill -0 $ender || fail "down did not wait"
# shellcheck disable=SC2086
kill $servers
wait $ender || fail "down: $(cat err)"
no 4 'does a callgate with server.port listen there' status
