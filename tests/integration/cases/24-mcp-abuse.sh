# A client that breaks every rule of the protocol is refused, bounded or closed; somebody else on the
# same socket is served all the time; what the daemon holds comes back to what it was.
. "$IT_TESTS/lib.sh"
policy <<'YAML'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, sleep]}
YAML
for i in $(seq 100 249); do
	echo "  tool_$i: {type: command, deny_by_default: true, allowed_commands: [ls]}"
done >>callgate.yaml
head -c 1000000 /dev/zero | tr '\0' x >workspace/big
up
roles() { # all programs of the daemon but cells, which come and go
	echo "$daemon"
	pgrep -P "$daemon" -f 'callgate-(engine|front|auditor)'
}
memory_kib() { # PSS; of an ordinary user's daemon the kernel tells only RSS
	local pid total=0 one
	for pid in $(roles); do
		one=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		[ -n "$one" ] || one=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
		total=$((total + ${one:-0}))
	done
	echo $total
}
"$callgate" call bash command='cat big' >/dev/null || fail "cat big: $?"
expect 'programs' "$(roles | wc -l)" 4
before=$(memory_kib)
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
cp "$IT_TESTS"/{raw,mcp_abuse}.mjs .
timeout 100 "$node" mcp_abuse.mjs || fail "mcp_abuse: $?"
for _ in $(seq 100); do
	pgrep -f '^sleep 4802' >/dev/null || break
	sleep 0.1
done
pgrep -f '^sleep 4802' >/dev/null && fail "a tool of a client that has gone lives"
after=$(memory_kib)
echo "memory of the daemon: $before KiB before, $after KiB after"
# Sanitizers keep what is freed.
if ! grep -qa __asan_init "$IT_BIN/callgate-front"; then
	[ "$after" -le $((before + 65536)) ] || fail "memory grew from $before to $after KiB"
fi
expect 'the roles are the same' "$(roles | wc -l)" 4
grep -E ' error ' daemon.log && fail "the daemon reports errors"
expect 'outcomes' "$(records call.outcome)" "$(records call.decision)"
down
verify_ok
