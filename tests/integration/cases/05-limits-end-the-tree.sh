# Deadline, output, processes and memory: each ends the call with its own outcome, and the tree.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash:
    type: command
    deny_by_default: true
    allowed_commands: [sh, sleep, yes, cat, python3]
    max_execution_time: 3s
    sandbox: {output: 64KiB, pids: 32, memory: 96MiB, file_size: 1MiB, disk: 512KiB}
  few:
    type: command
    deny_by_default: true
    allowed_commands: [sh]
    max_execution_time: 60s
    sandbox: {inodes: 64}
  burn:
    type: command
    deny_by_default: true
    allowed_commands: [sh]
    max_execution_time: 60s
    sandbox: {cpu: 1s}
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
# each of the others has its own word, in the result and in the record
limit() { # LIMIT OUTCOME TOOL ARGV...
	local limit=$1 outcome=$2 tool=$3 id
	shift 3
	"$callgate" --output json call "$tool" argv:="$(jq -cn '$ARGS.positional' --args -- "$@")" >out.json
	expect "result of $limit" "$(jq -r '._meta["callgate/call"] | .outcome + " " + .limit' out.json)" "$outcome $limit"
	id=$(jq -r '._meta["callgate/call"].id' out.json)
	expect "record of $limit" "$(cat state/audit/*.jsonl | jq -r "select(.type == \"call.outcome\" and .call == \"$id\") | .outcome + \" \" + .limit")" "$outcome $limit"
}
limit time deadline bash sleep 60
limit file_size disk bash sh -c 'exec yes >big'

limit disk disk bash sh -c 'cat /dev/zero >/tmp/fill; exit 3'
limit inodes disk few sh -c 'i=0; while : >/tmp/$i; do i=$((i + 1)); done; exit 3'
limit output output bash python3 -c 'print("x" * 200000)'
jq -e '.isError == false and .structuredContent.truncated' out.json >/dev/null || fail "a long output is no error: $(head -c 300 out.json)"
limit cpu deadline burn sh -c 'while :; do :; done'
# a fork does not begin anew
limit cpu deadline burn sh -c 'while :; do sh -c "i=0; while [ \$i -lt 100000 ]; do i=\$((i + 1)); done"; done'
# who copes is not ended
expect 'who copes' "$(outcome argv:='["sh","-c","cat /dev/zero >/tmp/fill; exit 0"]')" completed
"$callgate" call bash command='sh -c "echo still here"' | grep -q 'still here' || fail "not serving"
down
verify_ok
