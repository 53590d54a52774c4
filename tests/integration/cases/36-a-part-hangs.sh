# A part of the daemon that hangs: the service manager gets no more pings, whichever part it is; they
# come again with the part. What the manager does then (SIGABRT, start again) leaves nothing behind,
# and an ordinary end does not wait for the part for ever.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, sleep]}
POLICY
socat -u "UNIX-RECV:$IT_DIR/notify" - >told &
manager=$!
for _ in $(seq 100); do [ -S notify ] && break; sleep 0.05; done
part() { pgrep -P "$daemon" "callgate-$1"; }
pings() { grep -ao 'WATCHDOG=1' told | wc -l; }
more_pings() { # WHEN
	local before
	before=$(pings)
	for _ in $(seq 100); do
		[ "$(pings)" -ge $((before + 2)) ] && return 0
		sleep 0.05
	done
	fail "no pings $1"
}
start_watched() { up NOTIFY_SOCKET="$IT_DIR/notify" WATCHDOG_USEC=400000; }

start_watched
more_pings 'at first'
for name in engine front audit; do
	pid=$(part $name)
	[ -n "$pid" ] || fail "no process of $name"
	: >daemon.log
	kill -STOP "$pid"
	sleep 0.5 # one may be on its way
	before=$(pings)
	sleep 1
	expect "pings while $name hangs" "$(pings)" "$before"
	grep -q 'no sign of life' daemon.log || fail "nothing is said of $name: $(cat daemon.log)"
	expect "lines about $name" "$(grep -c 'no sign of life' daemon.log)" 1
	kill -CONT "$pid"
	more_pings "after $name went on"
	grep -q 'answers again' daemon.log || fail "it is not said that $name is back"
	"$callgate" call bash command=ls >/dev/null || fail "no call after $name went on"
done

# the manager's part: everything is gone, and the next start serves and has recorded the end
"$callgate" call bash command='sleep 4747' >/dev/null 2>&1 &
call=$!
for _ in $(seq 100); do pgrep -f '^sleep 4747' >/dev/null && break; sleep 0.05; done
engine=$(part engine) front=$(part front) auditor=$(part audit)
kill -STOP "$engine"
kill -ABRT "$daemon"
wait "$daemon" 2>/dev/null
for pid in $engine $front $auditor; do
	for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
	kill -0 "$pid" 2>/dev/null && fail "process $pid is still there"
done
for _ in $(seq 100); do pgrep -f '^sleep 4747' >/dev/null || break; sleep 0.05; done
pgrep -f '^sleep 4747' >/dev/null && fail "the tool outlived the daemon"
wait $call
start_watched
more_pings 'after the second start'
"$callgate" call bash command=ls >/dev/null || fail "the second start does not serve"
verify_ok
expect 'outcomes' "$(records call.outcome)" 5

# an end that was asked for, with a part that does not hear it
kill -STOP "$(part engine)"
kill -TERM "$daemon"
for _ in $(seq 500); do kill -0 "$daemon" 2>/dev/null || break; sleep 0.05; done
kill -0 "$daemon" 2>/dev/null && fail "it still waits for a part that hangs"
wait "$daemon" 2>/dev/null
daemon=''
kill $manager
[ ! -e run/callgate.sock ] || fail "the socket was left behind"
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
