# Sourced by each case: a private daemon, and small words to expect things with.
# IT_BIN (programs), IT_DIR (an empty folder of the case's own) come from run.sh.
# shellcheck shell=bash
set -u
cd "$IT_DIR" || exit 2
export CALLGATE_HOME=$IT_DIR/state CALLGATE_SOCKET=$IT_DIR/run/callgate.sock
export XDG_CONFIG_HOME=$IT_DIR/config XDG_RUNTIME_DIR=$IT_DIR/xdg
mkdir -m 700 -p workspace config xdg
callgate=$IT_BIN/callgate
daemon=''
uid=$(id -u)

fail() {
	echo "FAILED: $*"
	exit 1
}
# A TCP port of loopback that nobody has, below those that the kernel gives to clients. Root's run and
# the ordinary user's go on at the same time: each has a range of its own.
free_port() {
	python3 -c 'import random, socket, sys
low = 10000 if sys.argv[1] == "0" else 21000
while True:
    port = low + random.randrange(11000)
    try:
        socket.socket().bind(("127.0.0.1", port))
    except OSError:
        continue
    print(port)
    break' "$uid"
}
skip() {
	echo "SKIP: $*"
	exit 77
}
# An ordinary user's overlay needs a tmpfs that takes attributes of users. Where the kernel is older,
# calls are refused with the reason, and there is no more to see.
overlay_or_skip() { # TOOL COMMAND
	local said
	[ "$uid" != 0 ] && [ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -n 1)" != 6.6 ] || return 0
	said=$("$callgate" --output json call "$1" command="$2" 2>&1)
	expect "without overlays, a call that needs one: $said" \
		"$(jq -r '._meta["callgate/call"].outcome' <<<"$said")" unavailable
	expect_match 'and it says why' "$said" 'Linux 6.6 or newer'
	[ -z "$(ls -A state/effects 2>/dev/null)" ] || fail 'something is held'
	skip 'a tmpfs of Linux before 6.6 takes no attributes of users'
}
# An approver key under ./pass. A passphrase of callgate's takes time to try on purpose, on an emulated
# machine longer than these cases wait for an answer; this one takes none.
approver_key() {
	local key=config/callgate/approver.pem
	echo 'correct horse battery' >pass
	"$callgate" keys create --approver --name me <pass >keys.out 2>&1 || fail "keys create: $(cat keys.out)"
	openssl pkcs8 -topk8 -in $key -passin file:pass -out light.pem -passout "pass:$(cat pass)" \
		-scrypt -scrypt_N 2 -scrypt_r 1 -scrypt_p 1 && mv light.pem $key || fail 'openssl pkcs8'
}
expect() { # WHAT ACTUAL EXPECTED
	[ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}
expect_match() { # WHAT TEXT REGEX
	[[ $2 =~ $3 ]] || fail "$1: '$2' does not match '$3'"
}

# policy <<EOF ... : the tools part; the rest is the same for most cases. $extra goes on top.
policy() {
	{
		printf 'version: 1\nserver: {socket: {path: run/callgate.sock}}\n%s\n' "${extra:-}"
		cat <<EOF
roles:
  agent: {tools: ["*"]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide, daemon:control]}
principals:
  - {peer_uid: $uid, roles: [agent, human]}
namespaces: {default: {working_directory: ./workspace}}
EOF
		cat
	} >callgate.yaml
	chmod 600 callgate.yaml
}

start() { # [ENV=VALUE...]
	env "$@" "$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &
	daemon=$!
	for _ in $(seq 600); do
		"$callgate" status >/dev/null 2>&1 && return 0
		kill -0 "$daemon" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}
up() {
	start "$@" || fail "the daemon did not start: $(tail -n 3 daemon.log)"
}
down() {
	"$callgate" down >/dev/null 2>&1
	wait "$daemon" 2>/dev/null
	daemon=''
}
verify_ok() {
	local out
	out=$("$callgate" audit verify "${1:-state/audit}" 2>&1)
	expect_match "audit verify" "$out" '^OK '
	# engine says so when the auditor finds one of its records malformed: a fault of ours
	! grep -h 'was not written: .*malformed' daemon.log || fail "a record is missing"
}
records() { # TYPE: how many records of a type the trail holds
	grep -hc "\"type\":\"$1\"" state/audit/*.jsonl | awk '{ n += $1 } END { print n + 0 }'
}
bye() {
	if [ -n "$daemon" ]; then
		kill -TERM "$daemon" 2>/dev/null
		for _ in $(seq 100); do
			kill -0 "$daemon" 2>/dev/null || break
			sleep 0.05
		done
		kill -KILL "$daemon" 2>/dev/null
	fi
}
trap bye EXIT

# rpc LINE...: sends lines on one connection, prints what comes back within a second of silence
rpc() {
	printf '%s\n' "$@" | timeout 20 socat -t "${RPC_WAIT:-2}" - "UNIX-CONNECT:$CALLGATE_SOCKET"
}
