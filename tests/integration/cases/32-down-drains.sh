# The end drains: what runs may finish, what waits is refused, what comes is refused; after ten
# seconds what still runs is killed and recorded. A client that hangs on does not hold the end.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 60s, hold: 40s}'
policy <<'EOF2'
tools:
  slow: {type: command, deny_by_default: true, allowed_commands: [sleep, ls]}
  ask: {type: command, deny_by_default: true, allowed_commands: [cp], require_approval: true}
EOF2
echo one >workspace/a
outcome() { jq -r '._meta["callgate/call"].outcome' "$1"; }
running() { # SECONDS: waits until such a sleep runs
	for _ in $(seq 100); do
		pgrep -f "^sleep $1\$" >/dev/null && return 0
		sleep 0.05
	done
	fail "no sleep $1 runs"
}

up
"$callgate" --output json call slow command='sleep 8.04' >slow.json &
slow=$!
"$callgate" --output json call ask command='cp a b' >ask.json &
ask=$!
running 8.04
for _ in $(seq 100); do
	[ "$("$callgate" --output json pending | jq '.approvals | length')" = 1 ] && break
	sleep 0.05
done
# connected before the end, asking after it
{
	sleep 2
	printf '%s\n' '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow","arguments":{"command":"ls"}}}'
	sleep 1
} | timeout 20 socat -t 5 - "UNIX-CONNECT:$CALLGATE_SOCKET" >late.json &
late=$!
sleep 0.5
begin=$(date +%s)
{
	sleep 0.6
	from=$(date +%s%N)
	"$callgate" reload >reload.txt 2>&1
	echo $((($(date +%s%N) - from) / 1000000)) >reload.ms
	"$callgate" --output json status 2>&1 >status.txt
} &
"$callgate" down >/dev/null || fail "down: $?"
wait "$daemon"
expect 'exit of the daemon' $? 0
expect_match 'a reload meanwhile' "$(cat reload.txt)" 'the daemon is stopping'
[ "$(cat reload.ms)" -lt 1500 ] || fail "it hung for $(cat reload.ms) ms"
expect_match 'a status meanwhile' "$(cat status.txt)" 'stopping'
daemon=''
[ $(($(date +%s) - begin)) -le 13 ] || fail "down took too long"
wait $slow || fail "a running call did not finish: $(cat slow.json)"
expect 'running call' "$(outcome slow.json)" completed
wait $ask
[ $? -ne 0 ] || fail "a waiting call succeeded"
expect 'waiting call' "$(outcome ask.json)" unavailable
[ ! -e workspace/b ] || fail "a waiting call ran"
wait $late
[[ $(cat late.json) != *'"outcome":"completed"'* ]] || fail "a new call ran during the end: $(cat late.json)"
verify_ok

# longer than the daemon waits: killed, recorded, answered
up
"$callgate" --output json call slow command='sleep 60.06' >slow.json &
slow=$!
running 60.06
begin=$(date +%s)
kill -TERM "$daemon"
wait "$daemon"
expect 'exit of the daemon' $? 0
daemon=''
took=$(($(date +%s) - begin))
[ $took -ge 9 ] && [ $took -le 20 ] || fail "the end took $took s"
wait $slow
[ $? -ne 0 ] || fail "a killed call succeeded"
pgrep -f '^sleep 60.06$' >/dev/null && fail "the tree survived the daemon"
verify_ok
expect 'one outcome for each decision' "$(records call.outcome)" "$(records call.decision)"
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
