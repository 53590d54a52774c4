# `run` as a prefix of a command: standard input, output and error pass live and byte for byte, both
# with backpressure; the exit status is the program's; signals and broken pipes end the tree.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 30s, hold: 1s}'
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, sh, head, sleep, wc, dd, "yes", touch], denied_commands: [rm]}
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
  short: {type: command, deny_by_default: true, allowed_commands: [sleep, "yes"], max_execution_time: 2s}
POLICY
up
run() { timeout 60 "$callgate" run "$@"; }
engine=$(pgrep -P "$daemon" callgate-engine)
sanitized=$(grep -c __asan_init "$IT_BIN/callgate-engine")
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

# the streams, apart and whole
out=$(run -c "sh -c 'echo out; echo err >&2; exit 7'" 2>err </dev/null)
expect 'status' $? 7
expect 'stdout' "$out" out
expect 'stderr' "$(cat err)" err
head -c 3000000 /dev/urandom >bytes
run -- cat <bytes >copy || fail "cat: $?"
cmp bytes copy || fail "bytes were changed"
head -c 3000000 bytes | run -- cat | cmp - bytes || fail "bytes were changed in a pipe"
expect 'NUL' "$(printf 'a\0b' | run -- wc -c)" 3
expect 'text and no newline' "$(printf 'a\nb' | run -- cat; echo .)" $'a\nb.'
expect 'end of input' "$(run -- cat </dev/null)" ''
expect 'closed input' "$(run -- cat <&-)" ''
expect 'a tool that does not read' "$(yes | run -- sh -c 'echo done')" 'done'
expect 'a tool that reads a little' "$(yes | run -- head -n 2 | wc -l)" 2
# what a refused call does not read stays for others
expect 'input of a refused call' "$(printf 'x\ny\n' | { run -- rm z 2>/dev/null; cat; })" $'x\ny'

# the exit status
run -- sh -c 'kill -9 $$' </dev/null
expect 'status of a killed program' $? 137
run -- rm x 2>err </dev/null
expect 'status of a refusal' $? 126
expect_match 'its reason' "$(cat err)" '^callgate: run: Refused by callgate, rule [^ ]*callgate.yaml:[0-9]+'
expect 'lines of it' "$(wc -l <err)" 1
run --tool absent -- ls 2>/dev/null </dev/null
expect 'status of an unknown tool' $? 126
run --tool short -- sleep 60 2>err </dev/null
expect 'status at the deadline' $? 124
expect_match 'its words' "$(cat err)" 'deadline'
run --socket "$IT_DIR/nowhere" -- ls 2>/dev/null
expect 'status without a daemon' $? 125
run 2>/dev/null
expect 'status of wrong usage' $? 125
run -- sh -c 'echo x' </dev/null >/dev/full 2>/dev/null
expect 'status when the output cannot be written' $? 125

# live: the first line is here while the tool still runs, and a dialogue works
"$callgate" run -- sh -c 'echo first; sleep 20' </dev/null >live &
pid=$!
for _ in $(seq 100); do [ -s live ] && break; sleep 0.05; done
expect 'live output' "$(cat live)" first
kill -0 $pid || fail "it has ended"
kill -TERM $pid
wait $pid
expect 'status after SIGTERM' $? 143
coproc "$callgate" run -- sh -c 'while read -r l; do echo "got $l"; done'
pid=$COPROC_PID
for word in one two; do
	echo $word >&"${COPROC[1]}"
	read -r -t 10 line <&"${COPROC[0]}"
	expect 'an answer in a dialogue' "$line" "got $word"
done
eval "exec ${COPROC[1]}>&-"
wait "$pid"
expect 'end of a dialogue' $? 0

# SIGINT, a reader that leaves: the tree dies
env --default-signal=INT "$callgate" run -- sleep 4546 </dev/null &
pid=$!
for _ in $(seq 100); do pgrep -f '^sleep 4546' >/dev/null && break; sleep 0.05; done
kill -INT $pid
wait $pid
expect 'status after SIGINT' $? 130
pgrep -f '^sleep 4546' >/dev/null && fail "the tree lives after SIGINT"
run -- yes </dev/null | head -n 1 >/dev/null
expect 'status when the reader left' "${PIPESTATUS[0]}" 141

# much, with flat memory
expect 'bytes of a flood' "$(run -- dd if=/dev/zero bs=1M count=256 status=none </dev/null | wc -c)" 268435456
expect 'bytes of a flood into it' "$(head -c 30000000 /dev/zero | run -- wc -c)" 30000000
# nobody reads: the tool waits, and little is held
mkfifo full
exec 7<>full
"$callgate" run -- dd if=/dev/zero bs=1M count=40 status=none </dev/null >full &
pid=$!
sleep 1
kill -0 $pid || fail "a flood that nobody reads has ended"
[ "$sanitized" -gt 0 ] || [ "$(rss_kb "$engine")" -lt 40000 ] ||
	fail "the engine holds $(rss_kb "$engine") kB"
expect 'bytes to a late reader' "$(timeout 30 head -c 41943040 <&7 | wc -c)" 41943040
exec 7>&-
wait $pid
expect 'status after a late reader' $? 0
# a reader that never comes: the call ends at its deadline
mkfifo never
exec 8<>never
"$callgate" run --tool short -- yes </dev/null >never 2>err &
pid=$!
deadlines() { grep -h '"outcome":"deadline"' state/audit/*.jsonl | wc -l; }
for _ in $(seq 120); do [ "$(deadlines)" = 2 ] && break; sleep 0.1; done
expect 'deadlines' "$(deadlines)" 2
kill -TERM $pid
wait $pid
exec 8>&-

# a human is asked: --no-wait says so, else it waits and goes on
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >/dev/null || fail "keys create"
run --tool ask --no-wait -- touch a 2>err </dev/null
expect 'status of a call that waits' $? 126
expect_match 'its words' "$(tail -n 1 err)" 'waits for a human'
waiting_id() {
	for _ in $(seq 100); do
		id=$(sed -n 's/^callgate: note: run: waiting for approval \([^;]*\);.*/\1/p' err | head -n 1)
		[ -n "$id" ] && return
		sleep 0.1
	done
	fail "it does not say what it waits for: $(cat err)"
}
echo rest >input
"$callgate" run --tool ask -- touch a 2>err <input &
pid=$!
waiting_id
CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$id" 3<pass >/dev/null || fail "approve $id"
wait $pid
expect 'status of an approved call' $? 0
[ -e workspace/a ] || fail "it did not run"
"$callgate" run --tool ask -- touch b 2>err </dev/null &
pid=$!
waiting_id
CALLGATE_PASSPHRASE_FD=3 "$callgate" deny "$id" --reason 'not now' 3<pass >/dev/null || fail "deny $id"
wait $pid
expect 'status of a denied call' $? 126
expect_match 'the reason of the human' "$(tail -n 1 err)" 'not now'

# --output json: one result, nothing else
json=$(echo hello | run --output json -- cat) || fail "json: $?"
expect 'stdout in json' "$(jq -r .structuredContent.stdout <<<"$json")" hello
expect 'outcome in json' "$(jq -r '._meta["callgate/call"].outcome' <<<"$json")" completed
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
