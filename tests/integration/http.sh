# Sourced by cases of HTTP, instead of lib.sh (which it sources). What it has:
#
#   http_policy <<EOF         writes callgate.yaml: a server block that listens on $http_port, with the
#                             lines of $server (YAML below `server:`, two blanks in), then the input
#   http_up [ENV=VALUE...]    starts the daemon and waits for /health; http_tls=1 before: over TLS
#   http METHOD PATH [CURL]   one request to $http_url; sets $http_status; http.head and http.body are
#                             its headers and its body. $http_key or $http_token, if set, go with it.
#   http_json METHOD PATH JSON [CURL]   the same with a body
#   http_expect WHAT STATUS [JQ VALUE]  the last answer's status, and what jq makes of its body
#   http_header NAME          the value of a header of the last answer
#
#   issuer_start              an issuer of tokens: serves keys at $issuer_jwks, its name is $issuer
#   issuer_key KID ALG        makes a key (ES256 RS256 PS256 EdDSA...); it is published at once
#   issuer_drop KID           publishes it no longer
#   issuer_fetches            how often the keys were fetched
#   jwt KID [CLAIM=TEXT | CLAIM:=JSON | header.NAME=TEXT]...   prints a token: iss, aud ($audience), sub,
#                             iat and exp are there unless said otherwise; CLAIM:= with nothing drops one
#
#   certs                     certs/: ca.pem, server.{pem,key} (localhost, 127.0.0.1), client.{pem,key}
#                             (URI:spiffe://corp/ci), other.{pem,key} of another authority
#   nginx_start [LINES]       Debian's nginx before the gate, at $nginx_url; LINES go into its location
#   free_port                 prints one; another program may take it before you do
#
# shellcheck shell=bash
# shellcheck source=tests/integration/lib.sh
. "$IT_TESTS/lib.sh"
node=node
http_port='' http_url='' http_status='' http_key='' http_token='' http_tls='' server='' audience=callgate
issuer='' issuer_jwks='' issuer_pid='' nginx_pid='' nginx_url=''
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy

# shellcheck disable=SC2317 # by the trap
http_bye() {
	[ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null
	[ -z "$issuer_pid" ] || kill "$issuer_pid" 2>/dev/null
	bye
}
trap http_bye EXIT

# ---- the gate -----------------------------------------------------------------------------------
http_policy() {
	[ -n "$http_port" ] || http_port=$(free_port)
	http_url=http${http_tls:+s}://127.0.0.1:$http_port
	{
		printf 'version: 1\nserver:\n  socket: {path: run/callgate.sock}\n  listen: 127.0.0.1\n'
		printf '  port: %s\n%s\n' "$http_port" "$server"
		cat
	} >callgate.yaml
	chmod 600 callgate.yaml
}
http_up() {
	up "$@"
	for _ in $(seq 200); do
		curl -sk -o /dev/null "$http_url/health" && return
		sleep 0.05
	done
	fail "nothing listens at $http_url: $(tail -n 3 daemon.log)"
}
http() { # METHOD PATH [CURL...]
	local method=$1 path=$2 more=()
	shift 2
	[ -z "$http_tls" ] || more+=(--cacert certs/ca.pem)
	[ -z "$http_key" ] || more+=(-H "X-API-Key: $http_key")
	[ -z "$http_token" ] || more+=(-H "Authorization: Bearer $http_token")
	: >http.body
	http_status=$(curl -s --max-time 60 -X "$method" -D http.head -o http.body -w '%{http_code}' \
		"${more[@]}" "$@" "$http_url$path")
}
http_json() { # METHOD PATH JSON [CURL...]
	local method=$1 path=$2 json=$3
	shift 3
	http "$method" "$path" -H 'Content-Type: application/json' --data-binary "$json" "$@"
}
http_expect() { # WHAT STATUS [JQ VALUE]
	[ "$http_status" = "$2" ] || fail "$1: status $http_status, not $2: $(head -c 600 http.body)"
	[ $# -lt 3 ] || expect "$1" "$(jq -r "$3" http.body 2>&1)" "$4"
}
http_header() { # NAME
	tr -d '\r' <http.head | sed -n "s/^$1: //Ip" | tail -n 1
}

# ---- tokens ------------------------------------------------------------------------------------
issuer_start() {
	local ready
	mkdir -p issuer
	IT_NPM=$IT_NPM "$node" "$IT_TESTS/http_issuer.mjs" serve issuer >issuer.log 2>&1 &
	issuer_pid=$!
	for _ in $(seq 200); do
		[ -s issuer/port ] && break
		kill -0 "$issuer_pid" 2>/dev/null || fail "the issuer did not start: $(cat issuer.log)"
		sleep 0.05
	done
	ready=$(cat issuer/port)
	issuer=http://127.0.0.1:$ready
	issuer_jwks=$issuer/jwks.json
}
issuer_key() { # KID ALG
	"$node" "$IT_TESTS/http_issuer.mjs" key issuer "$1" "$2" || fail "no key $1 of $2"
}
issuer_drop() { # KID
	rm -f "issuer/$1.public.json"
}
issuer_fetches() {
	wc -l <issuer/fetches 2>/dev/null || echo 0
}
jwt() { # KID CLAIM=...
	ISSUER=$issuer AUDIENCE=$audience "$node" "$IT_TESTS/http_issuer.mjs" sign issuer "$@" ||
		fail "no token: $*"
}

# ---- certificates ------------------------------------------------------------------------------
authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
		-keyout "certs/$1.key" -out "certs/$1.pem" 2>/dev/null || fail "authority $1"
}
leaf() { # NAME AUTHORITY SUBJECT SAN
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" \
		-keyout "certs/$1.key" -out "certs/$1.csr" 2>/dev/null || fail "key of $1"
	openssl x509 -req -in "certs/$1.csr" -CA "certs/$2.pem" -CAkey "certs/$2.key" -CAcreateserial \
		-days 30 -extfile <(echo "subjectAltName=$4") -out "certs/$1.pem" 2>/dev/null ||
		fail "certificate $1"
	chmod 600 "certs/$1.key"
}
certs() {
	mkdir -m 700 -p certs
	authority ca
	authority ca2
	leaf server ca /CN=localhost DNS:localhost,IP:127.0.0.1
	leaf client ca /O=Corp/CN=ci URI:spiffe://corp/ci
	leaf other ca2 /CN=other URI:spiffe://corp/ci
}

# ---- nginx -------------------------------------------------------------------------------------
nginx_start() { # [LINES]
	local port program
	program=$(PATH=$PATH:/usr/sbin command -v nginx) || fail "nginx is not installed"
	port=$(free_port)
	nginx_url=http://127.0.0.1:$port
	mkdir -p nginx
	cat >nginx/nginx.conf <<NGINX
daemon off;
worker_processes 1;
pid nginx/pid;
error_log nginx/error.log;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path nginx/body;
	proxy_temp_path nginx/proxy;
	fastcgi_temp_path nginx/fastcgi;
	uwsgi_temp_path nginx/uwsgi;
	scgi_temp_path nginx/scgi;
	server {
		listen 127.0.0.1:$port;
		location / {
			proxy_pass $http_url;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host \$http_host;
			${1:-proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;}
		}
	}
}
NGINX
	# as root its worker would be another user, who may not look into this folder
	"$program" -p "$IT_DIR" -c nginx/nginx.conf ${nginx_user:+-g "user $nginx_user;"} >nginx.log 2>&1 &
	nginx_pid=$!
	for _ in $(seq 200); do
		curl -s -o /dev/null "$nginx_url/" && return
		kill -0 "$nginx_pid" 2>/dev/null || fail "nginx: $(cat nginx.log nginx/error.log)"
		sleep 0.05
	done
	fail "nginx does not listen: $(cat nginx.log)"
}
[ "$uid" != 0 ] || nginx_user=root
