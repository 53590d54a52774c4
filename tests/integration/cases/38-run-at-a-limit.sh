# `run` at the limits of memory and processes: a killed tree is 137 as in a shell, a program that
# ends by itself after it keeps its own status, and one line names the limit.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  bash:
    type: command
    deny_by_default: true
    allowed_commands: [sh, sleep, python3]
    max_execution_time: 30s
    sandbox: {pids: 16, memory: 96MiB}
POLICY
up
kernel=$("$callgate" --output json call bash command='sleep 0' |
	jq -r '._meta["callgate/call"].layers | index("limits:cgroup") != null')
# shared memory, which no limit of one process holds back
hog='import mmap, time
held = mmap.mmap(-1, 400 << 20)
for at in range(0, 400 << 20, 4096):
    held[at] = 1
time.sleep(20)'
run() { timeout 60 "$callgate" run "$@" >out 2>err </dev/null; }
fact() { grep -h '"type":"call.outcome"' state/audit/*.jsonl | tail -n 1 | jq -c "$1"; }

run -- python3 -c "$hog"
expect 'status of a killed program' $? 137
expect 'its outcome' "$(fact .outcome)" '"oom"'
expect 'lines of it' "$(wc -l <err)" 1
expect_match 'its words' "$(cat err)" "^callgate: run: Killed: the tool's memory limit of 96 MiB was reached"
run --output json -- python3 -c "$hog"
expect 'status in json' $? 137
expect 'documents' "$(jq -s length <out)" 1
expect 'code in json' "$(jq .error.code <err)" 137
# what is left of the tree goes on where the kernel kills one process, and ends where we end all
run -- sh -c 'python3 -c "$1"; exit 7' sh "$hog"
expect 'status of a program that ends by itself' $? "$([ "$kernel" = true ] && echo 7 || echo 137)"
expect_match 'its words' "$(tail -n 1 err)" 'memory limit of 96 MiB was reached'

# no more processes: the program decides what it makes of it
run -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done'
status=$?
[ $status -gt 0 ] && [ $status -lt 125 ] || fail "status without processes: $status, $(cat err)"
if [ "$kernel" = true ]; then
	expect 'its outcome' "$(fact .outcome)" '"pids"'
	expect 'its own end' "$(fact .exit.code)" "$status"
	expect_match 'its words' "$(tail -n 1 err)" "^callgate: run: Ended: the tool's limit of 16 processes was reached"
fi
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
