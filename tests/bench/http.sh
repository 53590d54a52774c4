#!/bin/bash
# usage: http.sh BUILD   The HTTP front beside nginx, in one run; prints figures, judges nothing.
#
# wrk with 64 connections on one core; the gate (its front and its engine) or nginx on another. The
# rounds are interleaved and their order is shuffled; a ratio is of two runs of one round, and what
# is printed is the median of the rounds. nginx serves a static file as long as the gate's answer.
# ROUNDS (5), SECONDS_EACH (2), IDLE (2000 connections).
set -eu
build=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-2} idle=${IDLE:-2000}
"$top/tests/install-packages.sh" wrk nginx jq curl python3 openssl
export IT_NPM=$top/build/npm/node_modules PATH=$PATH:/usr/sbin
issuer_js=$top/tests/integration/http_issuer.mjs
dir=$(mktemp -d "${TMPDIR:-/tmp}/callgate-bench-http.XXXXXX")
cd "$dir"
pids=()
cleanup() {
	for home in plain tls; do
		CALLGATE_SOCKET=$dir/$home/run/callgate.sock "$build/callgate" down >/dev/null 2>&1 || :
	done
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
die() {
	echo "bench-http: $*" >&2
	tail -n 3 "$dir"/*/daemon.log "$dir"/nginx.log >&2 2>/dev/null || :
	exit 1
}
[ "$(nproc)" -ge 2 ] || die "two cores are needed: one for the server, one for wrk"
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
wait_for() { # URL
	for _ in $(seq 200); do
		curl -sk -o /dev/null "$1" && return
		sleep 0.05
	done
	die "nothing listens at $1"
}

# ---- the parts -----------------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
chmod 600 key.pem
mkdir issuer
node "$issuer_js" serve issuer &
pids+=($!)
node "$issuer_js" key issuer es1 ES256
while [ ! -s issuer/port ]; do sleep 0.05; done
issuer=http://127.0.0.1:$(cat issuer/port)
token=$(ISSUER=$issuer AUDIENCE=callgate node "$issuer_js" sign issuer es1 role=operator \
	exp:=$(($(date +%s) + 7200)))
service_key=cg_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG

declare -A url daemon
start_gate() { # plain|tls: with both kinds of credential
	local tls='' port
	port=$(free_port)
	mkdir -p "$1/workspace"
	chmod 700 "$1"
	[ "$1" = plain ] || {
		cp cert.pem key.pem "$1/"
		tls='  tls: {cert: cert.pem, key: key.pem}'
	}
	cat >"$1/callgate.yaml" <<YAML
version: 1
server:
  socket: {path: run/callgate.sock}
  listen: 127.0.0.1
  port: $port
  auth: {enabled: true, jwks_url: $issuer/jwks.json, issuer: $issuer, audience: callgate, service_key_env: SERVICE_KEY}
  rate_limiting: {enabled: false}
$tls
defaults: {decision: allow}
roles:
  agent: {tools: ["*"]}
  human: {permissions: [daemon:control]}
principals:
  - {jwt: {claim: role, value: operator}, roles: [agent]}
  - {peer_uid: $(id -u), roles: [human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [cat]}
YAML
	chmod 600 "$1/callgate.yaml"
	SERVICE_KEY=$service_key CALLGATE_HOME=$dir/$1/state taskset -c 0 "$build/callgated" \
		--config "$1/callgate.yaml" --state "$1/state" >"$1/daemon.log" 2>&1 &
	daemon[$1]=$!
	pids+=($!)
	url[$1]=http$([ "$1" = plain ] || echo s)://127.0.0.1:$port
	wait_for "${url[$1]}/health"
}
start_nginx() {
	local port tls_port
	port=$(free_port) tls_port=$(free_port)
	mkdir -p nginx/html
	cat >nginx/nginx.conf <<NGINX
daemon off;
worker_processes 1;
pid nginx/pid;
error_log nginx/error.log;
events { worker_connections 8192; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	keepalive_timeout 75s;
	open_file_cache max=16;
	default_type application/json;
	client_body_temp_path nginx/body;
	proxy_temp_path nginx/proxy;
	fastcgi_temp_path nginx/fastcgi;
	uwsgi_temp_path nginx/uwsgi;
	scgi_temp_path nginx/scgi;
	ssl_certificate $dir/cert.pem;
	ssl_certificate_key $dir/key.pem;
	ssl_protocols TLSv1.2 TLSv1.3;
	server {
		listen 127.0.0.1:$port backlog=8192;
		listen 127.0.0.1:$tls_port ssl backlog=8192;
		root nginx/html;
	}
}
NGINX
	taskset -c 0 nginx -p "$dir" -c nginx/nginx.conf \
		-g "$([ "$(id -u)" != 0 ] || echo 'user root;') worker_rlimit_nofile 16384;" >nginx.log 2>&1 &
	daemon[nginx]=$!
	pids+=($!)
	url[nginx_plain]=http://127.0.0.1:$port
	url[nginx_tls]=https://127.0.0.1:$tls_port
	wait_for "${url[nginx_plain]}/"
}
start_gate plain
start_gate tls
start_nginx
declare -A key
for home in plain tls; do
	key[$home]=$(curl -sk -X POST -H 'Content-Type: application/json' -H "X-API-Key: $service_key" \
		--data-binary '{"label":"bench","roles":["agent"],"tools":["*"],"namespaces":["default"]}' \
		"${url[$home]}/v1/keys" | jq -r .key)
	[ ${#key[$home]} -gt 32 ] || die "no API key: ${key[$home]}"
done
curl -sfk "${url[plain]}/health" >nginx/html/health
curl -sfk -H "X-API-Key: ${key[plain]}" "${url[plain]}/tools" >nginx/html/tools
echo "answers: /health $(stat -c %s nginx/html/health) bytes, /tools $(stat -c %s nginx/html/tools) bytes; 64 connections, $rounds rounds of $seconds s"

# ---- requests a second -----------------------------------------------------------------------------
# NAME is what, over what, by whom
names=()
for over in plain tls; do
	names+=("health.$over.gate" "health.$over.nginx" "key.$over.gate" "jwt.$over.gate" "tools.$over.nginx")
done
run_one() { # NAME: appends "NAME ROUND RATE" to rates
	local what over who header=() target rate
	IFS=. read -r what over who <<<"$1"
	target=$([ "$who" = gate ] && echo "${url[$over]}" || echo "${url[nginx_$over]}")
	case $what in
	key) header=(-H "X-API-Key: ${key[$over]}") ;;
	jwt) header=(-H "Authorization: Bearer $token") ;;
	esac
	target+=/$([ "$what" = health ] && echo health || echo tools)
	taskset -c 1 wrk -t 1 -c 64 -d "${seconds}s" "${header[@]}" "$target" >wrk.out
	! grep -E 'Non-2xx|Socket errors' wrk.out >&2 || die "$1: not all were answered"
	rate=$(awk '/^Requests\/sec:/ {print $2}' wrk.out)
	echo "$1 $2 $rate" >>rates
}
for name in "${names[@]}"; do # warm
	seconds=1 run_one "$name" warm
done
for round in $(seq "$rounds"); do
	for name in $(printf '%s\n' "${names[@]}" | shuf); do
		run_one "$name" "$round"
	done
done
python3 - <<'PYTHON'
from statistics import median
rates = {}
for line in open("rates"):
    name, turn, rate = line.split()
    if turn != "warm":
        rates.setdefault(name, []).append(float(rate))
print(f"{'requests a second':34} {'gate':>9} {'nginx':>9} {'ratio':>6}")
for over in ("plain", "tls"):
    for what, other, words in (("health", "health", "/health"), ("key", "tools", "/tools by API key"),
                               ("jwt", "tools", "/tools by ES256 JWT")):
        ours, theirs = rates[f"{what}.{over}.gate"], rates[f"{other}.{over}.nginx"]
        ratio = median(a / b for a, b in zip(ours, theirs))
        print(f"  {words + ', ' + over:32} {median(ours):9.0f} {median(theirs):9.0f} {ratio:6.2f}")
PYTHON

# ---- memory of idle connections --------------------------------------------------------------------
family() { # PID: it and all below it
	echo "$1"
	for child in $(pgrep -P "$1"); do
		family "$child"
	done
}
front_of() { # plain|tls: pid of its HTTP front
	for pid in $(family "${daemon[$1]}"); do
		! tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q '^[^ ]*callgate-front-http' || echo "$pid"
	done
}
ulimit -n 16384 2>/dev/null || idle=500
cat >idle.py <<'PYTHON'
import http.client, re, resource, socket, ssl, sys, time
port, secure, count, pid = int(sys.argv[1]), sys.argv[2] == "tls", int(sys.argv[3]), sys.argv[4]
context = ssl.create_default_context(cafile="cert.pem")


def pss():
    return int(re.search(r"^Pss:\s+(\d+)", open(f"/proc/{pid}/smaps_rollup").read(), re.M)[1])


def opened():
    s = socket.create_connection(("127.0.0.1", port), 20)
    if secure:
        s = context.wrap_socket(s, server_hostname="127.0.0.1")
    s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    while b"\r\n\r\n" not in s.recv(4096):
        pass
    return s


warm = [opened() for _ in range(16)]
before = pss()
held = [opened() for _ in range(count)]
time.sleep(1)
print(f"{(pss() - before) * 1024 / count:.0f}")
PYTHON
echo "bytes of memory (PSS) for an idle connection, of $idle that were answered once (nginx has taken"
echo "its own for 8192 connections at its start; what it takes besides is shown):"
for over in plain tls; do
	port=${url[nginx_$over]##*:}
	ours=$(python3 idle.py "${url[$over]##*:}" $over "$idle" "$(front_of $over)" 2>idle.err) || ours='not readable'
	theirs=$(python3 idle.py "$port" $over "$idle" "$(pgrep -P "${daemon[nginx]}")" 2>>idle.err) || theirs='not readable'
	printf '  %-8s gate %-14s nginx %s\n' $over "$ours" "$theirs"
done
