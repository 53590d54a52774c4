# What a service manager hears: READY, RELOADING with its time, READY again with how it went,
# STOPPING, and pings as long as it asks for them.
. "$IT_TESTS/lib.sh"
policy <<'EOF2'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls]}
EOF2
socat -u "UNIX-RECV:$IT_DIR/notify" - >told &
manager=$!
for _ in $(seq 100); do [ -S notify ] && break; sleep 0.05; done
up NOTIFY_SOCKET="$IT_DIR/notify" WATCHDOG_USEC=400000
sleep 1
kill -HUP "$daemon"
for _ in $(seq 100); do grep -q RELOADING told && break; sleep 0.05; done
for _ in $(seq 100); do [ "$(grep -ac 'READY=1' told)" -ge 2 ] && break; sleep 0.05; done
echo nonsense >>callgate.yaml
"$callgate" reload >/dev/null 2>&1 && fail "nonsense was loaded"
down
sleep 0.3
kill $manager
# datagrams come one behind the other: words without their ends
told=$(tr '\n' ' ' <told)
expect_match ready "$told" '^READY=1 STATUS=taking calls'
expect_match reloading "$told" 'RELOADING=1 MONOTONIC_USEC=[0-9]+ STATUS=reading the policy again'
expect_match 'a refused reload' "$told" 'READY=1 STATUS=taking calls; the last reload was refused'
expect_match stopping "$told" 'STOPPING=1 STATUS=taking no calls'
[ "$(grep -ao 'WATCHDOG=1' told | wc -l)" -ge 4 ] || fail "too few pings: $told"
verify_ok
