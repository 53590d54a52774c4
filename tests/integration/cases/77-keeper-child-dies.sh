# The keeper's child is killed in the middle of a commit and of an undo: the daemon serves on, takes
# back at once what was half written, records that, and the same commit works afterwards.
# shellcheck shell=bash
. "$IT_TESTS/lib.sh"
. "$IT_TESTS/crash.sh"

keeper=$(pgrep -P "$daemon" callgate-keeper) || fail 'no keeper'
kill_child() { # of the keeper, the one that writes; by /proc itself, which takes no time
	local child=''
	read -r child _ <"/proc/$keeper/task/$keeper/children" || [ -n "$child" ] || return 1
	kill -KILL "$child" 2>/dev/null
}
for many in 0 40; do
	run
	background commit
	await_files "$many"
	kill_child || fail 'no child'
	wait "$writer" && fail "answered as done: $(cat commit.txt)"
	expect_match 'it says so' "$(cat commit.txt)" 'ended|broke'
	await_whole
	expect "$many files: the end of it" "$whole" before
	expect "$many files: recorded" "$(taken_back "$id")" 1
	commit || fail "once more: $(cat commit.txt)"
	expect 'all of it' "$(snapshot)" "$(cat after)"
	undo || fail "undo: $(cat undo.txt)"
	expect 'and back' "$(snapshot)" "$(cat before)"
done

# an undo is quick: what was over before the signal came is begun anew
for attempt in 1 2 3 4 5 6; do
	run
	commit || fail "commit: $(cat commit.txt)"
	background undo
	await_gone 1
	if kill_child && ! wait "$writer"; then
		break
	fi
	[ "$attempt" -lt 6 ] || fail 'no undo was cut off'
	expect 'back' "$(snapshot)" "$(cat before)"
done
await_whole
expect 'the end of it' "$whole" before
expect 'the undo went on' "$(taken_back "$id")" 1
"$callgate" call aside command='sh -c "echo serves"' | grep -q serves || fail 'it does not serve any more'
down
verify_ok
expect_match "its meaning" "$("$callgate" audit verify --semantic state/audit 2>&1)" '^OK '
