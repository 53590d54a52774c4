# alone: it measures time
# Many tools of the same programs cost as one, however often they are loaded; and while a large list
# is built, deadlines are kept and other calls go on.
. "$IT_TESTS/lib.sh"
common='sh, ls, cat, grep, sed, find, tar, sort, head, tail, cut, sleep'
write() { # COUNT [LINE]
	{
		echo 'tools:'
		echo '  slow: {type: command, max_execution_time: 1s, deny_by_default: true, allowed_commands: [sh, date, sleep]}'
		[ -z "${2:-}" ] || echo "  $2"
		for i in $(seq "$1"); do
			echo "  t$i: {type: command, deny_by_default: true, allowed_commands: [$common]}"
		done
	} | policy
}
descriptors() { find "/proc/$daemon/fd" -mindepth 1 2>/dev/null | wc -l; }
now_ms() { date +%s%3N; }

# an ordinary login may have 1024 descriptors
write 150
up prlimit --nofile=1024:1024
before=$(descriptors)
[ "$before" -lt 400 ] || fail "$before descriptors for 150 tools of the same programs"
for _ in 1 2 3; do
	"$callgate" reload >/dev/null || fail "reload: $?: $(tail -n 2 daemon.log)"
done
after=$(descriptors)
[ "$after" -le $((before + 8)) ] || fail "$before descriptors became $after over three reloads"
"$callgate" call t150 command='ls' >/dev/null || fail "a call after the reloads: $?"
start_ms=$(now_ms)
"$callgate" reload >/dev/null || fail "reload: $?"
took=$(($(now_ms) - start_ms))
[ "$took" -lt 4000 ] || fail "a reload of 150 tools of the same programs took $took ms"
down

# a list of every program takes seconds: nobody's deadline waits for it
write 1 'open: {type: command}'
up
"$callgate" --output json call slow \
	command='sh -c "while :; do date +%s%3N >>ticks; sleep 0.05; done"' >slow.json &
slow=$!
sleep 0.4
"$callgate" reload >/dev/null &
reload=$!
wait $slow
expect 'outcome of the slow call' "$(jq -r '._meta["callgate/call"].outcome' slow.json)" deadline
wait $reload || fail "reload with a list of everything: $(tail -n 2 daemon.log)"
lived=$(($(tail -n 1 workspace/ticks) - $(head -n 1 workspace/ticks)))
[ "$lived" -lt 1800 ] || fail "a call with a deadline of 1 s lived for $lived ms"
down
verify_ok
