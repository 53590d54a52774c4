# The daemon is killed while a commit, or an undo, writes: the next start leaves the workspace as it
# was before the call, or as it was after the commit, never half, and the trail says which.
# shellcheck shell=bash
. "$IT_TESTS/lib.sh"
. "$IT_TESTS/crash.sh"

# killed with so many of the files there: none yet, some, many
cut=0
for many in 0 40 150; do
	run
	background commit
	await_files "$many"
	kill_daemon
	up
	await_whole
	if [ "$whole" = after ]; then # it was at the end before the signal came
		expect "$many files: recorded" "$(written_by commit "$id") $(taken_back "$id")" '1 0'
		start_again
	else
		expect "$many files: recorded" "$(taken_back "$id")" 1
		cut=$((cut + 1))
	fi
	expect 'nothing half made' "$(find workspace -name '.callgate-*')" ''
done
[ "$cut" -gt 0 ] || fail 'no commit was cut off'

# killed as soon as it is answered: it stands, and nothing is taken back
run
commit || fail "commit: $(cat commit.txt)"
kill_daemon
up
expect 'it stands' "$(snapshot)" "$(cat after)"
expect 'recorded' "$(written_by commit "$id") $(taken_back "$id")" '1 0'

# an undo that is cut off goes on to its end
start_again
run
commit || fail "commit: $(cat commit.txt)"
background undo
await_gone 40
kill_daemon
up
await_whole
expect 'the end of it' "$whole" before
expect 'recorded' "$([ $(($(taken_back "$id") + $(written_by undo "$id"))) -gt 0 ] && echo yes)" yes
expect 'nothing is kept of it' "$(ls state/effects | grep -c "^$id")" 0
down
verify_ok
expect_match "its meaning" "$("$callgate" audit verify --semantic state/audit 2>&1)" '^OK '
