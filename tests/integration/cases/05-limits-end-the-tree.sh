# Deadline, output, processes and memory: each ends the call with its own outcome, and the tree.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash:
    type: command
    deny_by_default: true
    allowed_commands: [sh, sleep, yes, cat, python3]
    max_execution_time: 3s
    sandbox: {output: 64KiB, pids: 32, memory: 96MiB, file_size: 1MiB, disk: 4MiB}
EOF
up
outcome() { "$callgate" --output json call bash "$@" >out.json; jq -r '._meta["callgate/call"].outcome' out.json; }
begin=$(date +%s)
expect deadline "$(outcome command='sh -c "sleep 4343 & sleep 4343"')" deadline
[ $(($(date +%s) - begin)) -le 6 ] || fail "the deadline took too long"
pgrep -f 'sleep 4343' >/dev/null && fail "the tree survived its deadline"
# an orphan that holds the pipe does not hold the call
begin=$(date +%s)
expect orphan "$(outcome command='sh -c "sleep 4344 & exit 0"')" completed
[ $(($(date +%s) - begin)) -le 2 ] || fail "an orphan held the call"
pgrep -f 'sleep 4344' >/dev/null && fail "the orphan lives"
expect_match flood "$(outcome command='yes')" '^(output|deadline)$'
expect 'truncated' "$(jq -r .structuredContent.truncated out.json)" true
[ "$(wc -c <out.json)" -lt 400000 ] || fail "the capture is not bounded"
outcome command='sh -c ":(){ :|:& };:"' >/dev/null
"$callgate" status >/dev/null || fail "the daemon fell to a fork bomb"
expect_match memory "$(outcome argv:='["python3","-c","x = bytearray(512 * 1024 * 1024)\nprint(len(x))"]')" '^(oom|completed)$'
expect 'no half gigabyte' "$(jq -r .structuredContent.stdout out.json | grep -c 536870912)" 0
outcome argv:='["python3","-c","f = open(\"big\", \"wb\")\nf.truncate(8 << 30)"]' >/dev/null
[ ! -e workspace/big ] || [ "$(stat -c %s workspace/big)" -le $((1024 * 1024)) ] || fail "RLIMIT_FSIZE did not hold"
"$callgate" call bash command='sh -c "echo still here"' | grep -q 'still here' || fail "not serving"
down
verify_ok
