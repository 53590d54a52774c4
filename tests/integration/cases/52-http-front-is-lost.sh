# The HTTP front is killed, hangs, does not stay: it is started again and recorded, calls by the Unix
# socket do not notice, and after the fourth time within a minute the daemon goes on without it. The
# process that starts it is another matter: without that the daemon ends.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, sleep]}
POLICY
port=$(free_port)
sed -i "s|^server: .*|server: {socket: {path: run/callgate.sock}, port: $port}|" callgate.yaml
http() { pgrep -P "$daemon" -x callgate-front-; } # the kernel keeps 15 bytes of a name
health() { curl -s -m 2 -o health -w '%{http_code}' "http://127.0.0.1:$port/health"; }
healthy() { # WHEN
	for _ in $(seq 100); do
		[ "$(health)" = 200 ] && return 0
		sleep 0.1
	done
	fail "$1: /health gives $(health): $(tail -n 5 daemon.log)"
}
another() { # OLD: waits for another process than that
	for _ in $(seq "${2:-100}"); do
		[ -n "$(http)" ] && [ "$(http)" != "$1" ] && return 0
		sleep 0.1
	done
	return 1
}

up
healthy 'at first'
grep -q "ready on .*/run/callgate.sock, HTTP on 127.0.0.1:$port" daemon.log || fail "where: $(cat daemon.log)"
[ -z "$(pgrep -P "$daemon" -x callgate-courie)" ] || fail "courier runs, and nothing is fetched"
expect 'role.start at first' "$(records role.start)" 1

# ---- three times within a minute, while a call by the socket runs ---------------------------------
"$callgate" call bash command='sleep 5' >/dev/null 2>&1 &
call=$!
for n in 1 2 3; do
	pid=$(http)
	kill -KILL "$pid"
	another "$pid" || fail "kill $n: it was not started again: $(tail -n 5 daemon.log)"
	healthy "after kill $n"
	"$callgate" call bash command=ls >/dev/null || fail "a call by the socket after kill $n"
	expect "role.lost after kill $n" "$(records role.lost)" $n
done
expect 'role.start after three' "$(records role.start)" 4
grep -h '"type":"role.lost"' state/audit/*.jsonl | grep -q '"how":"signal 9".*"role":"callgate-front-http"' ||
	fail "what the record says: $(grep -h '"type":"role.lost"' state/audit/*.jsonl)"
wait $call || fail "the call that ran meanwhile: $?"

# ---- the fourth: without it -----------------------------------------------------------------------
kill -KILL "$(http)"
for _ in $(seq 100); do [ "$(records role.lost)" = 4 ] && break; sleep 0.1; done
sleep 1
[ -z "$(http)" ] || fail "it was started a fourth time within a minute"
expect 'lines about it' "$(grep -c 'callgate-front-http was lost 4 times within a minute' daemon.log)" 1
kill -0 "$daemon" || fail "the daemon ended"
"$callgate" call bash command=ls >/dev/null || fail "a call by the socket without the HTTP front"
"$callgate" reload >/dev/null || fail "a reload without it: $?"
"$callgate" --output json status >/dev/null || fail status
down
verify_ok
expect 'outcomes' "$(records call.outcome)" 5

# ---- one that hangs -------------------------------------------------------------------------------
up
healthy 'after the second start'
pid=$(http)
kill -STOP "$pid"
"$callgate" call bash command=ls >/dev/null || fail "a call while it hangs"
another "$pid" 400 || fail "it hangs for 40 s: $(tail -n 5 daemon.log)"
grep -q 'callgate-front-http: no sign of life' daemon.log || fail "nothing is said of that"
healthy 'after it hung'

# ---- what a reload may not move -------------------------------------------------------------------
version() { "$callgate" --output json status | jq -r .policy.version; }
first=$(version)
cp callgate.yaml good.yaml
sed -i "s|port: $port|port: 1|" callgate.yaml
out=$("$callgate" reload 2>&1) && fail "another port was taken by a reload"
expect_match 'another port' "$out" 'callgate.yaml:[0-9]+:[0-9]+: server.listen or server.port changed: .*restart'
sed "s|run/callgate.sock|run/other.sock|" good.yaml >callgate.yaml
out=$("$callgate" reload 2>&1) && fail "another socket was taken by a reload"
expect_match 'another socket' "$out" 'server.socket changed'
expect 'policy in force' "$(version)" "$first"
cp good.yaml callgate.yaml

# ---- courier: there while the policy names something outside --------------------------------------
courier() { pgrep -P "$daemon" -x callgate-courie; }
{
	cat good.yaml
	echo 'approvals: {channels: {ops: {type: json, url: "http://127.0.0.1:9/x", roles: [human]}}}'
} >callgate.yaml
"$callgate" reload >/dev/null || fail "a policy with a channel: $?: $("$callgate" reload 2>&1)"
pid=$(courier)
[ -n "$pid" ] || fail "no courier, and a channel: $(tail -n 5 daemon.log)"
kill -KILL "$pid"
for _ in $(seq 100); do [ -n "$(courier)" ] && [ "$(courier)" != "$pid" ] && break; sleep 0.1; done
[ -n "$(courier)" ] || fail "courier was not started again: $(tail -n 5 daemon.log)"
"$callgate" call bash command=ls >/dev/null || fail "a call after courier was lost"
# a reload that is refused takes it away no more than it brings it
echo 'nonsense: 1' >>good.yaml
cp good.yaml callgate.yaml
pid=$(courier)
"$callgate" reload >/dev/null 2>&1 && fail "nonsense was loaded"
expect 'courier after a refused reload' "$(courier)" "$pid"
sed -i '/^nonsense/d' good.yaml
cp good.yaml callgate.yaml
"$callgate" reload >/dev/null || fail "a reload without a channel: $?"
for _ in $(seq 100); do [ -z "$(courier)" ] && break; sleep 0.1; done
[ -z "$(courier)" ] || fail "courier is still there without a channel"
! grep -q 'callgate-courier: no sign' daemon.log || fail "it had to be killed"
healthy 'after all that'

# ---- what --check says of the port ----------------------------------------------------------------
"$IT_BIN/callgated" --config callgate.yaml --state state --check >/dev/null 2>&1 ||
	fail "--check while the daemon itself has the port"
mkdir other
sed "s|run/callgate.sock|other/callgate.sock|" good.yaml >callgate.yaml
out=$("$IT_BIN/callgated" --config callgate.yaml --state other/state --check 2>&1) && fail "--check of a port that is taken"
expect_match 'a taken port' "$out" 'callgate.yaml:[0-9]+:[0-9]+: server.port: port [0-9]+ .*another program listens there'
out=$("$IT_BIN/callgated" --config callgate.yaml --state other/state 2>&1) && fail "a start on a port that is taken"
expect_match 'a start on it' "$out" 'not started: callgate.yaml:[0-9]+:[0-9]+: server.port: .*another program listens'
cp good.yaml callgate.yaml

# ---- the nursery ----------------------------------------------------------------------------------
nursery=$(pgrep -P "$daemon" -x callgate-nurse)
[ -n "$nursery" ] || fail "no nursery"
kill -KILL "$nursery"
wait "$daemon"
expect 'status without the nursery' $? 1
daemon=''
grep -q 'lost callgate-nursery: signal 9' daemon.log || fail "it is not said why: $(tail -n 5 daemon.log)"
[ ! -e run/callgate.sock ] || fail "the socket was left behind"
verify_ok
