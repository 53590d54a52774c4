# Whatever is killed in mid-call: the daemon ends, the tool's tree ends with it, and after the next
# start the trail holds exactly one outcome for each decided call, and one exit for each start.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [sh, sleep, touch, ls], max_execution_time: 60s}
EOF
nap='sleep 15.4242' # longer than a loaded machine takes to see both

pid_of() { # ROLE
	local pid
	case $1 in
	warden) echo "$daemon" ;;
	signer) pgrep -P "$(pid_of auditor)" ;;
	*) for pid in $(pgrep -P "$daemon"); do
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "callgate-$1" && echo "$pid"
	done ;;
	esac
}
tree() { # PID: itself and all below it
	local pid
	echo "$1"
	for pid in $(pgrep -P "$1"); do tree "$pid"; done
}
living() { # PID...: those that are, zombies not counted
	local pid
	for pid; do grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" && echo "$pid"; done
}
field() { # TYPE FIELD: sorted, of all records of a type
	cat state/audit/*.jsonl | jq -r "select(.type == \"$1\") | .$2" | sort
}

for role in auditor signer engine front warden; do
	up
	"$callgate" call bash command=ls >/dev/null || fail "$role: the call before"
	"$callgate" call bash command="sh -c '$nap; touch late'" >/dev/null 2>&1 &
	first=$!
	"$callgate" call bash command="sh -c '$nap; touch late'" >/dev/null 2>&1 &
	second=$!
	for _ in $(seq 400); do
		[ "$(pgrep -c -f "^$nap\$")" -eq 2 ] && break
		sleep 0.02
	done
	expect "$role: tools that run" "$(pgrep -c -f "^$nap\$")" 2
	victim=$(pid_of "$role")
	expect "$role: processes" "$(echo "$victim" | wc -w)" 1
	all=$(tree "$daemon")
	kill -KILL "$victim"
	for _ in $(seq 40); do
		# shellcheck disable=SC2086
		[ -z "$(living $all)" ] && break
		sleep 0.05
	done
	# shellcheck disable=SC2086
	expect "$role: what outlives it by two seconds" "$(living $all)" ''
	pgrep -f "^$nap\$" >/dev/null && fail "$role: a tool outlives it"
	wait "$daemon" 2>/dev/null && fail "$role: the daemon ended well"
	wait $first && fail "$role: a call that was cut off succeeded"
	wait $second && fail "$role: a call that was cut off succeeded"
	daemon=''
done
sleep 15.5
[ ! -e workspace/late ] || fail "a tool went on behind the daemon's back"

# one more start ends what the last one left open; nothing is ended twice
up
"$callgate" call bash command=ls >/dev/null || fail "the call after"
down
up
down
decided=$(field call.decision call)
expect 'decided calls' "$(echo "$decided" | wc -l)" 16
expect 'one outcome for each decision' "$(field call.outcome call)" "$decided"
expect 'one exit for each start' "$(field exec.exit call)" "$(field exec.start call)"
expect 'completed calls' "$(field call.outcome outcome | grep -c completed)" 6
expect_match 'interrupted calls' "$(field call.outcome cause | grep -c interrupted)" '^[1-9]'
"$callgate" audit verify --semantic state/audit >semantic.txt || fail "semantic: $(cat semantic.txt)"
expect_match semantic "$(head -n 1 semantic.txt)" '^OK '
verify_ok

# the word beside the key: an anchor for the verifier, and a floor under the next start
out=$("$callgate" audit verify --anchor state/keys/newest state/audit)
expect_match 'the newest checkpoint as an anchor' "$out" '^OK .*anchored=[0-9]+'
cp -R state/audit older
up
"$callgate" call bash command=ls >/dev/null || fail "the call that is to be forgotten"
down
mv state/audit newer
mv older state/audit
start && fail "it started on an older journal"
expect_match 'rollback' "$(tail -n 5 daemon.log)" 'ROLLBACK size=[0-9]+ floor=[0-9]+; refusing to start'
daemon=''
rm -r state/audit
mv newer state/audit
up
down
verify_ok
