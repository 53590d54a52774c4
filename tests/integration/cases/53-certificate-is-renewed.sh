# A renewed certificate comes into force by SIGHUP, with a policy that did not change; one that does
# not fit its key, or a key that others can read, refuses the reload with its place, and the old one
# stays, also for an HTTP front that is started again.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls]}
POLICY
port=$(free_port)
sed -i "s|^server: .*|server:\n  socket: {path: run/callgate.sock}\n  port: $port\n  tls: {cert: tls/cert.pem, key: tls/key.pem}|" callgate.yaml
mkdir -m 700 tls
make_pair() { # NAME: tls/NAME.crt, tls/NAME.key
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
		-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
		-keyout "tls/$1.key" -out "tls/$1.crt" 2>openssl.log || fail "openssl: $(cat openssl.log)"
	chmod 600 "tls/$1.key"
	chmod 644 "tls/$1.crt"
}
use() { # CERT KEY: as certbot does it, by changing links
	ln -sfn "$1.crt" tls/cert.pem
	ln -sfn "$2.key" tls/key.pem
}
shown() { # the name in the certificate of a new connection
	openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
		openssl x509 -noout -subject 2>/dev/null | sed 's/.*CN *= *//'
}
shows() { # WHEN NAME
	for _ in $(seq 100); do
		[ "$(shown)" = "$2" ] && return 0
		sleep 0.1
	done
	fail "$1: the certificate is '$(shown)', not '$2': $(tail -n 5 daemon.log)"
}
refuses() { # WHAT REGEX
	out=$("$callgate" reload 2>&1) && fail "$1: it was loaded"
	expect_match "$1" "$out" "$2"
	expect "$1: certificate in force" "$(shown)" "$now"
	"$callgate" call bash command=ls >/dev/null || fail "$1: no calls"
}
make_pair one
make_pair two
make_pair three

# ---- what refuses the start -----------------------------------------------------------------------
not_started() { # WHAT REGEX
	out=$(timeout 30 "$IT_BIN/callgated" --config callgate.yaml --state state 2>&1) && fail "$1: it started"
	expect_match "$1" "$out" "not started: callgate.yaml:[0-9]+:[0-9]+: $2"
	[ ! -e run/callgate.sock ] || fail "$1: the socket was left behind"
}
not_started 'no files' 'server.tls.cert: .*tls/cert.pem: No such file'
use one two
not_started 'a key of another certificate' 'server.tls: '
use one one
chmod 644 tls/one.key
not_started 'a key that others can read' 'server.tls.key: .*mode 0644 shows the private key to others; chmod 600'
"$IT_BIN/callgated" --config callgate.yaml --state state --check >check.log 2>&1 && fail "--check took it"
expect_match '--check' "$(cat check.log)" 'server.tls.key: .*chmod 600'
chmod 600 tls/one.key

# ---- renewals -------------------------------------------------------------------------------------
up
now=one
shows 'at first' one
curl -s --cacert tls/one.crt "https://localhost:$port/health" | grep -q ok || fail "health over TLS"
curl -s -m 5 "http://127.0.0.1:$port/health" | grep -q '"ok"' && fail "plain HTTP where TLS is wanted"
version=$("$callgate" --output json status | jq -r .policy.version)
use two two
kill -HUP "$daemon"
now=two
shows 'after SIGHUP' two
expect 'version of the policy' "$("$callgate" --output json status | jq -r .policy.version)" "$version"
curl -s --cacert tls/two.crt "https://localhost:$port/health" | grep -q ok || fail "health after the renewal"

# ---- what refuses a reload ------------------------------------------------------------------------
use three one
refuses 'a key of another certificate' 'callgate.yaml:[0-9]+:[0-9]+: server.tls: '
use three three
chmod 604 tls/three.key
refuses 'a key that others can read' 'callgate.yaml:[0-9]+:[0-9]+: server.tls.key: .*/tls/.*: mode 0604 shows the private key'
chmod 600 tls/three.key
: >tls/three.crt
refuses 'an empty certificate' 'server.tls.cert: .*holds no certificate in PEM'
rm tls/three.crt
refuses 'a certificate that is gone' 'server.tls.cert: .*No such file'
[ "$(records policy.refused)" -ge 4 ] || fail "refusals are not recorded: $(records policy.refused)"

# a front that comes again gets what is in force, not what lies on the disk
pid=$(pgrep -P "$daemon" -x callgate-front-)
kill -KILL "$pid"
for _ in $(seq 100); do [ "$(pgrep -P "$daemon" -x callgate-front-)" != "$pid" ] && break; sleep 0.1; done
shows 'after the front was killed' two

make_pair three
"$callgate" reload >/dev/null || fail "reload of the good pair: $?"
shows 'after all that' three
! grep -aq 'PRIVATE KEY' daemon.log state/audit/*.jsonl || fail "a key was told"

# ---- --check knows places of keys -----------------------------------------------------------------
mkdir workspace/tls
cp -L tls/cert.pem tls/key.pem workspace/tls/
chmod 600 workspace/tls/key.pem
sed -i 's|tls/cert.pem|workspace/tls/cert.pem|; s|tls/key.pem|workspace/tls/key.pem|' callgate.yaml
now=three
refuses 'a key in a workspace' 'working_directory .*holds the certificate of server.tls .*where a tool could change it'
down
verify_ok
