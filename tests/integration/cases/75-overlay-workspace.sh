# A call on an overlay: what it writes stays aside, is listed, written back, undone; what it may not
# do there; and what the keeper's loss means.
# shellcheck shell=bash
. "$IT_TESTS/lib.sh"

mkdir workspace/d outside
echo old >workspace/a
echo b >workspace/b
echo x >workspace/d/x
echo alive >outside/canary
[ "$uid" != 0 ] || chown -R 1000:1000 workspace
cat >forge.py <<'EOF'
import os
names = ("user.overlay.opaque", "trusted.overlay.opaque", "user.overlay.whiteout")
for name in names:
    try:
        os.setxattr("d", name, b"y")
    except OSError:
        pass
print("tried", len(names))
EOF

policy <<'EOF'
tools:
  sh:
    type: command
    deny_by_default: true
    allowed_commands: [sh, cat, ls, rm, mkdir, ln, cp, chmod, dd, mv, mkfifo, mknod, python3]
    sandbox: {workspace: overlay, disk: 1MiB, inodes: 64}
  runs: {type: command, deny_by_default: true, allowed_commands: [sh, cp, sed, id], sandbox: {workspace: overlay, exec: true}}
EOF
up
overlay_or_skip sh 'cat a'
approver_key
"$callgate" reload >/dev/null 2>&1

run() { # SCRIPT: what came back; $call is its id
	out=$("$callgate" --output json call sh command="sh -c '$1'" 2>&1)
	call=$(jq -r '._meta["callgate/call"].id' <<<"$out")
	kinds=$(jq -r '._meta["callgate/effects"].changes // [] | sort_by(.path)[] | .path + ":" + .kind' <<<"$out" | tr '\n' ' ')
	state=$(jq -r '._meta["callgate/effects"].state // "none"' <<<"$out")
}
look() { # what the workspace holds, one line
	(cd workspace && find . -mindepth 1 -printf '%P:%y:%m\n' | LC_ALL=C sort | tr '\n' ' ')
}
before=$(look)

# listed, and not in the workspace
run 'echo new >a; rm b; mkdir n; echo m >n/Makefile; ln -s /etc out; rm -r d; mkdir d; echo y >d/y; chmod 700 d; chmod 755 a'
expect 'the list' "$kinds" 'a:changed b:removed d:mode d/x:removed d/y:added n:added n/Makefile:added out:added '
expect 'nothing is in the workspace yet' "$(look)" "$before"
expect_match 'the wall' "$(jq -r '._meta["callgate/call"].layers | join(" ")' <<<"$out")" ' disk( |$)'

# committed, and as the owner of the folder
"$callgate" commit "$call" <pass >commit.txt 2>&1 || fail "commit: $(cat commit.txt)"
expect 'committed' "$(look)" 'a:f:755 d/y:f:644 d:d:700 n/Makefile:f:644 n:d:755 out:l:777 '
expect 'whose it is' "$(stat -c %u workspace/n/Makefile)" "$(stat -c %u workspace)"
expect 'written and recorded' "$(records effects.written)" 1

# and taken back
"$callgate" undo "$call" <pass >undo.txt 2>&1 || fail "undo: $(cat undo.txt)"
expect 'undone' "$(look)" "$before"
expect 'content is back' "$(cat workspace/a workspace/b workspace/d/x | tr '\n' ' ')" 'old b x '
expect 'undone and recorded' "$(records effects.written)" 2

# nothing written: nothing held
run 'cat a; ls d'
expect 'clean' "$state" clean

# B10: a link out of the workspace, removed through, committed: never followed
run "rm -rf d; ln -s $IT_DIR/outside d; rm -rf d/canary; ls -d d"
"$callgate" commit "$call" <pass >commit.txt 2>&1 || fail "commit of a link: $(cat commit.txt)"
expect 'outside' "$(cat outside/canary)" alive
"$callgate" undo "$call" <pass >undo.txt 2>&1 || fail "undo of a link: $(cat undo.txt)"
expect 'undone again' "$(look)" "$before"
run 'rm d/x; echo planted >d/planted'
mv workspace/d workspace/was
ln -s ../outside workspace/d
"$callgate" commit "$call" <pass >commit.txt 2>&1 && fail 'a folder that became a link was written through'
expect 'outside, again' "$(ls outside)" canary
rm workspace/d
mv workspace/was workspace/d
"$callgate" discard "$call" >/dev/null 2>&1

# changed underneath: refused whole
run 'echo mine >a; echo new >c'
echo theirs >workspace/a
"$callgate" commit "$call" <pass >commit.txt 2>&1 && fail 'over what changed underneath'
expect 'theirs' "$(cat workspace/a)" theirs
[ ! -e workspace/c ] || fail 'written although refused'
"$callgate" discard "$call" >/dev/null 2>&1
echo old >workspace/a

# a pipe is shown and never written; whiteouts and opacity cannot be forged
cp "$IT_DIR/forge.py" workspace/
before=$(look)
run 'mkfifo p; mknod w c 0 0; python3 forge.py; echo t >d/touched'
expect 'forged' "$kinds" 'd/touched:added p:added '
expect_match 'it tried' "$out" 'tried 3'
"$callgate" commit "$call" p <pass >commit.txt 2>&1 && fail 'a pipe was written'
"$callgate" discard "$call" >/dev/null 2>&1
expect 'still all there' "$(look)" "$before"

# exec: true: what is written aside, and what lies in the workspace, runs, and nothing of it is there before a commit
run_as() { out=$("$callgate" --output json call "$1" command="$2" 2>&1); }
printf "#!/bin/sh\necho ran-old\n" >workspace/old.sh
chmod 755 workspace/old.sh
[ "$uid" != 0 ] || chown 1000:1000 workspace/old.sh
before=$(look)
run_as runs "sh -c 'cp old.sh new.sh; sed -i s/old/new/ new.sh; ./old.sh; ./new.sh; id -u'"
expect_match "what was there runs" "$out" "ran-old"
expect_match "what was written runs" "$out" "ran-new"
expect "but not in the workspace" "$(look)" "$before"
"$callgate" discard "$(jq -r '._meta["callgate/call"].id' <<<"$out")" >/dev/null 2>&1
rm workspace/old.sh
before=$(look)

# the budget is hard
run 'dd if=/dev/zero of=big bs=65536 count=64; ls'
expect_match 'disk' "$out" 'No space left'
size=$(jq -r '._meta["callgate/effects"].changes[0].size_after' <<<"$out")
[ "$size" -le 1048576 ] || fail "more than the disk holds: $size"
"$callgate" discard "$call" >/dev/null 2>&1
run 'for i in 1 2 3 4 5 6 7 8 9 10; do mkdir x$i x$i/a x$i/b x$i/c x$i/d x$i/e x$i/f x$i/g || break; done'
expect_match 'inodes' "$out" 'No space left'
"$callgate" discard "$call" >/dev/null 2>&1

# and a program that ends at it has an outcome of its own, in the result and in the record
ended_at() { # LIMIT
	expect "outcome at $1" "$(jq -r '._meta["callgate/call"] | .outcome + " " + .limit' <<<"$out")" "disk $1"
	grep -h "\"call\":\"$call\"" state/audit/*.jsonl | jq -e --arg l "$1" \
		'select(.outcome == "disk" and .limit == $l)' >/dev/null || fail "not recorded: $1"
	"$callgate" discard "$call" >/dev/null 2>&1
}
run 'cat /dev/zero >big; exit 3'
ended_at disk
run 'for i in 1 2 3 4 5 6 7 8 9 10; do mkdir y$i y$i/a y$i/b y$i/c y$i/d y$i/e y$i/f y$i/g || exit 3; done'
ended_at inodes
run 'cat /dev/zero >big; rm big; echo tidied'
expect 'who copes' "$(jq -r '._meta["callgate/call"].outcome' <<<"$out")" completed

# what was written there is no program
run 'echo "#!/bin/sh" >p.sh; echo "echo ran" >>p.sh; chmod 755 p.sh; ./p.sh'
expect_match 'noexec' "$out" 'ermission denied'
"$callgate" discard "$call" >/dev/null 2>&1

# the loss of the keeper ends the daemon, and everything that is held with it
run 'echo kept >k'
expect 'held' "$state" held
verify_ok
keeper=$(pgrep -P "$daemon" callgate-keeper) || fail 'no keeper'
kill -KILL "$keeper"
wait "$daemon"
expect_match 'told' "$(tail -n 4 daemon.log)" 'lost the keeper'
daemon=''
expect 'dropped and recorded' "$(grep -h '"effects.dropped"' state/audit/*.jsonl | grep -c 'the daemon ends')" 1
expect 'still all there at the end' "$(look)" "$before"
up
verify_ok
down
