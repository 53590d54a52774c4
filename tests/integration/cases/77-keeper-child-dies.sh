# The keeper's child is killed in the middle of a commit and of an undo: the daemon serves on, takes
# back at once what was half written, records that, and the same commit works afterwards.
# shellcheck shell=bash
. "$IT_TESTS/lib.sh"
. "$IT_TESTS/crash.sh"

kill_child() { # of the keeper, the one that writes
	local keeper child
	keeper=$(pgrep -P "$daemon" callgate-keeper) || fail 'no keeper'
	child=$(pgrep -P "$keeper") || return 1
	kill -KILL "$child"
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

run
commit || fail "commit: $(cat commit.txt)"
background undo
await_gone 40
kill_child || fail 'no child for the undo'
wait "$writer" && fail "answered as done: $(cat undo.txt)"
await_whole
expect 'the end of it' "$whole" before
expect 'the undo went on' "$(taken_back "$id")" 1
"$callgate" call aside command='sh -c "echo serves"' | grep -q serves || fail 'it does not serve any more'
down
verify_ok
