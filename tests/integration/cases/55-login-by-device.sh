# login: the device flow against a fake provider, what spoils it, where the token is, refreshing it.
# shellcheck shell=bash
. "$IT_TESTS/lib.sh"
unset CALLGATE_SOCKET CALLGATE_HOME
server=''
trap 'kill $server 2>/dev/null' EXIT
mkdir gate
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
	-keyout gate/key.pem -out gate/cert.pem 2>/dev/null || fail "openssl"
python3 "$IT_TESTS/fake_http.py" gate >fake.log 2>&1 &
server=$!
for _ in $(seq 200); do
	[ -s gate/ready ] && break
	sleep 0.05
done
url=https://127.0.0.1:$(cat gate/ready)
export XDG_STATE_HOME=$IT_DIR/mine
store=mine/callgate/login/127.0.0.1_$(cat gate/ready).json
cg() {
	timeout 60 "$callgate" --url "$url" --ca gate/cert.pem "$@" >out 2>err </dev/null
}
no() { # STATUS REGEX WORD...
	local want=$1 regex=$2 status
	shift 2
	cg "$@"
	status=$?
	expect "exit of $* ($(cat err))" "$status" "$want"
	expect_match "stderr of $*" "$(cat err)" "$regex"
}
last() {
	tail -n 1 gate/log | jq -r "$1"
}
spoil() { # WORD STATUS REGEX
	echo "$1" >gate/meta
	no "$2" "$3" login
	[ ! -e "$store" ] || fail "$1: a login was stored"
}

no 3 'not logged in' login --status
expect 'no logins' "$("$callgate" login --status)" 'no logins'
timeout 20 "$callgate" login >out 2>err
expect 'login without an address' $? 1

# what is not believed
spoil resource 1 'resource: https://other.example: is not the gate'
spoil http 1 'authorization_servers: http://issuer.example/: http is for this machine only'
spoil issuer 1 'issuer: says .*/evil, but .*/issuer was asked'
spoil nodevice 1 'it offers no device flow'
spoil elsewhere 1 'token_endpoint: http://token.example/token: http is for'
rm gate/meta
echo badtype >gate/login
no 3 'token_type: mac' login
echo denied >gate/login
no 3 'denied by the person' login
echo expired >gate/login
no 3 'the code expired' login
echo pending >gate/login
echo 3 >gate/expires
no 3 'the code expired' login
rm gate/expires
echo invalid >gate/login
no 3 'the person.*x1b.2J said so' login
[ ! -e "$store" ] || fail "a login was stored"

# the whole flow: wait, wait longer, a provider that is down for a moment
echo 'pending slow down grant' >gate/login
begun=$(date +%s)
cg login --client-id cli --scope 'openid offline_access' || fail "login: $(cat err)"
[ $(($(date +%s) - begun)) -ge 19 ] || fail "slow_down was not obeyed" # 1 + 1 + 6 + 12
expect_match 'what a person does' "$(cat out)" "open   $url/activate"
expect_match 'the code' "$(cat out)" 'enter  WDJB-MJHT'
expect 'how it is kept' "$(stat -c '%a %U' "$store") $(stat -c %a mine/callgate/login)" "600 $(id -un) 700"
! grep -q 'token-[0-9]\|refresh-[0-9]' out err || fail "a token is told"
expect 'the request for a code' "$(jq -r 'select(.path == "/device") | .body' <gate/log | tail -n 1)" \
	"client_id=cli&scope=openid%20offline_access&resource=https%3A%2F%2F127.0.0.1%3A$(cat gate/ready)"
expect_match 'the request for a token' "$(jq -r 'select(.path == "/token") | .body' <gate/log | tail -n 1)" \
	'^grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dev-1&client_id=cli&resource='
cg whoami || fail "whoami: $(cat err)"
expect_match 'the token is shown to the gate' "$(last .headers.authorization)" '^Bearer token-[0-9]+$'
cg --output json login --status || fail "status: $(cat err)"
expect 'status' "$(jq -c '[.url, .client_id, .refreshed, has("access_token")]' <out)" "[\"$url\",\"cli\",true,false]"
expect_match 'the list' "$("$callgate" login --status)" "$url: logged in at"

# it is refreshed when it has expired, once for all who want it
expire() {
	jq '.expires = 1' "$store" >new && cat new >"$store" && rm new
}
echo grant >gate/login
expire
before=$(jq -r .refresh_token "$store")
: >gate/log
for _ in 1 2 3 4 5; do
	timeout 20 "$callgate" --url "$url" --ca gate/cert.pem whoami >/dev/null 2>>many.err || echo failed >>many.err &
	pids="${pids:-} $!"
done
# shellcheck disable=SC2086
wait $pids
expect 'five at once' "$(cat many.err)" ''
expect 'refreshed once' "$(jq -r 'select(.path == "/token") | .body' <gate/log | wc -l)" 1
expect_match 'by the token that was there' "$(jq -r 'select(.path == "/token") | .body' <gate/log)" "refresh_token=$before&client_id=cli&resource="
[ "$(jq -r .refresh_token "$store")" != "$before" ] || fail "the new refresh token is not kept"
expect 'still private' "$(stat -c %a "$store")" 600
echo invalid >gate/login
expire
no 3 'your login has expired; run .callgate login' whoami
echo down >gate/login
no 4 'try again later' whoami

# a store that others can read, that is not one, or that leads elsewhere
chmod 640 "$store"
no 1 'mode 0600' whoami
chmod 600 "$store"
cp "$store" keep
echo '{}' >"$store"
no 1 'not as .callgate login. writes it' whoami
jq '.token_endpoint = "http://token.example/"' keep >"$store"
no 1 'token_endpoint' whoami
rm "$store"
ln -s "$IT_DIR/keep" "$store"
no 1 'run .callgate login. again' whoami
rm "$store"
cp keep "$store"
chmod 600 "$store"

# over: nothing stays
echo norefresh >gate/login
cg login || fail "login: $(cat err)"
sleep 1
no 3 'your login has expired' whoami
cg logout || fail "logout: $(cat err)"
expect 'the folder' "$(ls -A mine/callgate/login)" ''
cg logout || fail "logout again: $(cat err)"
cg whoami || fail "without a login: $(cat err)"
expect 'nothing is shown' "$(last .headers.authorization)" null
! strings -a out err fake.log | grep -q 'token-[0-9]' || fail "a token is told"
