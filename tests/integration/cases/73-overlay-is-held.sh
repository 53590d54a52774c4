# An overlay call leaves the workspace as it is; the diff tells all of it; commit takes paths or all
# of it, never what changed underneath; undo and discard; each decided on disk first.
. "$IT_TESTS/lib.sh"
policy <<'EOP'
tools:
  aside: {type: command, deny_by_default: true, allowed_commands: [sh, cp, mkdir, rm, chmod, ln, mkfifo, cat], sandbox: {workspace: overlay}}
EOP
echo one >workspace/changed
echo two >workspace/removed
echo three >workspace/mode
chmod 644 workspace/mode
echo outside >outside.txt
cat >workspace/all.sh <<'EOS'
echo more >>changed
rm removed
chmod 755 mode
mkdir -p .git/hooks sub
echo new >sub/added
echo 'echo pwned' >.git/hooks/pre-commit
ln -s ../outside.txt link
EOS
up
overlay_or_skip aside 'sh all.sh'
approver_key
signed() { CALLGATE_PASSPHRASE_FD=3 "$callgate" "$@" 3<pass; }
run() { # COMMAND: $id is its call
	"$callgate" --output json call aside command="$1" >call.json 2>err || fail "$1: $(cat call.json err)"
	id=$(jq -r '._meta["callgate/call"].id' call.json)
}
change() { jq -r --arg p "$1" '._meta["callgate/effects"].changes[] | select(.path == $p) | .kind + " " + .type + " " + (.marks | join(","))' call.json; }

run 'sh all.sh'
expect 'the workspace is untouched' "$(cat workspace/changed workspace/removed)" "$(printf 'one\ntwo')"
[ ! -e workspace/sub ] && [ ! -e workspace/.git ] && [ ! -L workspace/link ] || fail "something was written"
expect state "$(jq -r '._meta["callgate/effects"].state' call.json)" held
expect changed "$(change changed)" 'changed file '
expect removed "$(change removed)" 'removed file '
expect mode "$(change mode)" 'mode file '
expect added "$(change sub/added)" 'added file '
expect hook "$(change .git/hooks/pre-commit)" 'added file runs_later'
expect link "$(change link)" 'added link leads_out'
expect 'the hook is told first' "$(jq -r '._meta["callgate/effects"].changes[0].marks[0]' call.json)" runs_later

"$callgate" diff "$id" >diff.txt || fail "diff: $(cat diff.txt)"
grep -q '^+more$' diff.txt || fail "no line that came: $(cat diff.txt)"
grep -q 'RUNS LATER' diff.txt || fail "the hook is not marked: $(cat diff.txt)"
! grep -q $'\033' diff.txt || fail "colour in a file"
grep -q '^removed removed  (file, mode 0644, 4 bytes)$' diff.txt || fail "what was removed: $(cat diff.txt)"
grep -q '^-two$' diff.txt || fail "what was in it: $(cat diff.txt)"
grep -q '^mode    mode  (file, mode 0644 -> 0755)$' diff.txt || fail "the mode: $(cat diff.txt)"
grep -q '^added   link  (link) -> ../outside.txt  LEADS OUT' diff.txt || fail "the link: $(cat diff.txt)"
"$callgate" diff "$id" removed ./sub >diff.txt || fail "diff of paths: $(cat diff.txt)"
expect 'these only' "$(grep -E '^(added|changed|removed|mode) ' diff.txt | awk '{print $2}' | tr '\n' ' ')" 'removed sub sub/added '
expect 'contents in JSON' "$("$callgate" --output json diff "$id" removed | jq -r '.changes[0].before.data')" two
"$callgate" diff "$id" nowhere >diff.txt 2>&1 && fail "a path that is not there"
"$callgate" diff | grep -q "$id" || fail "it is not listed"

# who asked may not commit without a signature; a path of it, with its folder, may be taken
digest=$("$callgate" --output json diff "$id" | jq -r .digest)
bare=$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"callgate/effects/commit\",\"params\":{\"call\":\"$id\",\"digest\":\"$digest\"}}")
expect 'bare commit' "$(jq -r .error.code <<<"$bare")" 403
signed commit "$id" sub/added >out 2>err || fail "commit: $(cat out err)"
expect 'taken' "$(cat workspace/sub/added)" new
expect 'not taken' "$(cat workspace/changed)" one
"$callgate" commit "$id" nowhere 2>err && fail "a path that is not there"
grep -q 'has not changed it' err || fail "no reason: $(cat err)"

# changed underneath: refused, and nothing of it is written
echo somebody >workspace/changed
signed commit "$id" changed mode >out 2>err && fail "written over what somebody else wrote"
expect 'underneath' "$(cat workspace/changed)" somebody
expect 'mode not written' "$(stat -c %a workspace/mode)" 644
echo one >workspace/changed

"$callgate" discard "$id" >out 2>err || fail "discard: $(cat out err)"
signed commit "$id" >out 2>err && fail "committed what was discarded"

# of what is over the names are left
"$callgate" diff "$id" >diff.txt 2>&1
grep -q 'these are' diff.txt || fail "contents of what is gone: $(cat diff.txt)"

# all of it, and back
run 'cp changed copy'
signed commit "$id" --reason 'looks good' >out 2>err || fail "commit all: $(cat out err)"
expect copy "$(cat workspace/copy)" one
signed undo "$id" >out 2>err || fail "undo: $(cat out err)"
[ ! -e workspace/copy ] || fail "it was not taken back"

# what was committed path by path is taken back by one undo, all of it or nothing
run 'sh -c "echo new >>changed; rm mode; mkdir -p deep; cp changed deep/in"'
for path in changed mode deep; do
	signed commit "$id" $path >out 2>err || fail "commit $path: $(cat out err)"
done
echo mine >workspace/deep/in
signed undo "$id" >out 2>err && fail "taken back over what somebody wrote"
grep -q 'deep/in' err || fail "it does not say where: $(cat err)"
expect 'nothing half done' "$(tail -n 1 workspace/changed) $(ls -d workspace/mode 2>/dev/null)" 'new '
cp workspace/changed workspace/deep/in
signed undo "$id" >out 2>err || fail "undo of three: $(cat out err)"
expect 'all of it' "$(cat workspace/changed workspace/mode; ls -d workspace/deep 2>/dev/null)" "$(printf 'one\nthree')"
written() { cat state/audit/*.jsonl | jq -c 'select(."@type" == "effects.written" or .type == "effects.written") | select(.op == "undo")' | tail -n 1; }
expect 'the trail says what' "$(written | jq -r '"\(.commits) \(.paths) \(.names | join(","))"')" '3 4 changed,deep,deep/in,mode'
ls state/effects | grep -q "^$id" && fail "left over: $(ls state/effects)"

# links, and one kind of thing in the place of another
ln -s changed workspace/old
ln -s mode workspace/other
echo text >workspace/was-file
run 'sh -c "rm old was-file; ln -sf changed other; ln -s mode was-file"'
"$callgate" diff "$id" >diff.txt || fail "diff of links: $(cat diff.txt)"
expect 'a removed link' "$(grep -A 1 '^removed old  (link)$' diff.txt | tail -n 1)" '  (led to changed)'
expect 'a changed link' "$(grep -A 1 '^changed other  (link) -> changed$' diff.txt | tail -n 1)" '  (led to mode)'
expect 'a link for a file' "$(grep -A 2 '^changed was-file  (link, was a file' diff.txt | tail -n 1)" '-text'
"$callgate" discard "$id" >out 2>err || fail "discard: $(cat out err)"

# special files are shown, never committed
run 'mkfifo pipe'
expect pipe "$(change pipe)" 'added special special'
signed commit "$id" >out 2>err && fail "a FIFO was committed"
[ ! -p workspace/pipe ] || fail "the FIFO is there"

# nothing changed: nothing held
run 'cat changed'
expect clean "$(jq -r '._meta["callgate/effects"].state' call.json)" clean
expect 'decisions on disk' "$(records effects.decision)" 12
down
verify_ok
expect_match "its meaning" "$("$callgate" audit verify --semantic state/audit 2>&1)" '^OK '
