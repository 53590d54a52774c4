# alone: it measures time
# A user who takes all that he may is told so and shuts out nobody but himself; the command says
# what the daemon said before it hung up; and neither the end of the daemon nor its refusals make
# half of a program's output look like all of it.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, sh, sleep]}
POLICY
up
run() { timeout 60 "$callgate" run "$@"; }

# all connections of this user are taken: one line, and the exit status of what it is
cat >idle.py <<'PY'
import socket, sys, time
held = []
for _ in range(300):
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].connect(sys.argv[1])
open("filled", "w").close()
time.sleep(60)
PY
python3 idle.py "$CALLGATE_SOCKET" &
idle=$!
for _ in $(seq 100); do [ -e filled ] && break; sleep 0.1; done
sleep 0.5
for command in status pending down; do
	for _ in 1 2 3 4 5; do # who writes first, and who reads, is a matter of luck
		"$callgate" "$command" >out 2>err
		expect "status of $command without a slot" $? 4
		expect_match 'its words' "$(cat err)" '^callgate: [^ ]+: too many connections of this user; close some$'
		expect 'lines of them' "$(cat out err | wc -l)" 1
	done
done
run -- ls >out 2>err </dev/null
expect 'status of run without a slot' $? 125
expect_match 'its words' "$(cat err)" '^callgate: run: too many connections of this user'
kill $idle
wait $idle 2>/dev/null
for _ in $(seq 100); do "$callgate" status >/dev/null 2>&1 && break; sleep 0.05; done
"$callgate" status >/dev/null || fail "shut out for good"

# a message that is too long is refused with a word, and the writer lives to show it
head -c 2000000 /dev/zero | tr '\0' a | timeout 20 "$callgate" mcp >out 2>err
expect 'status of mcp' "${PIPESTATUS[2]}" 4
expect_match 'what the daemon said' "$(cat out)" '"code":-32600.*longer than 1 MiB'
expect 'lines of mcp' "$(wc -l <err)" 1
expect_match 'what mcp says' "$(cat err)" '^callgate: mcp: the daemon ended the connection'
long=$(head -c 100000 /dev/zero | tr '\0' a)
words=("$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long")
run -- ls "${words[@]}" >out 2>err </dev/null
expect 'status of a long run' $? 125
expect_match 'its words' "$(cut -c -200 err)" '^callgate: run: .*longer than 1 MiB'
expect 'lines of them' "$(wc -l <err)" 1

# the end of the daemon: what runs reads and writes to its own end
# shellcheck disable=SC2016
"$callgate" run -- sh -c 'i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i + 1)); sleep 0.1; done; exit 9' \
	>writer </dev/null &
writer=$!
{ seq 5; sleep 2.5; seq 6 10; } | "$callgate" run -- cat >reader &
reader=$!
for _ in $(seq 100); do [ -s writer ] && [ -s reader ] && break; sleep 0.05; done
down
wait $writer
expect 'status of the writer' $? 9
expect 'lines of the writer' "$(wc -l <writer)" 30
wait $reader
expect 'status of the reader' $? 0
expect 'lines of the reader' "$(paste -sd' ' reader)" '1 2 3 4 5 6 7 8 9 10'
verify_ok

# a daemon that loses something: never the program's exit status
lossy() { # WAY: runs cat there
	python3 "$IT_TESTS/fake_daemon.py" "$IT_DIR/fake" "$1" &
	fake=$!
	for _ in $(seq 100); do [ -S fake ] && break; sleep 0.05; done
	sleep 0.2
	printf 'x\n' | timeout 20 "$callgate" --socket "$IT_DIR/fake" run -- cat >out 2>err
	status=${PIPESTATUS[1]}
	kill $fake
	wait $fake 2>/dev/null
	rm -f fake
	expect "status: $1" "$status" 125
	expect "lines: $1" "$(wc -l <err)" 1
}
lossy output
expect_match 'refused output' "$(cat err)" '^callgate: run: output is lost: too busy'
lossy over
expect_match 'output that never came' "$(cat err)" '^callgate: run: 10 bytes of output are lost: no call'
lossy stdin
expect_match 'refused input' "$(cat err)" '^callgate: run: input is lost: too busy'
lossy slam
expect_match 'slammed' "$(cat err)" '^callgate: run: no room here'
