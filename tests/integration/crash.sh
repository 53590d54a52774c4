# shellcheck shell=bash
# A commit of 300 files, long enough to be cut off, and what the workspace is like before and after.
# Sourced by cases, after lib.sh.
policy <<'EOP'
tools:
  aside: {type: command, deny_by_default: true, allowed_commands: [sh, rm, chmod], sandbox: {workspace: overlay}}
EOP
cat >workspace/all.sh <<'EOS'
i=0
while [ $i -lt 300 ]; do
	echo "new $i" >f$i
	i=$((i + 1))
done
mkdir -p d/e
for name in a b c; do echo $name >d/e/$name; done
echo changed >>old
chmod 755 mode
rm -r gone
EOS
echo one >workspace/old
echo two >workspace/mode
mkdir -p workspace/gone/deep
echo three >workspace/gone/deep/file
chmod 644 workspace/*.sh workspace/old workspace/mode
[ "$uid" != 0 ] || chown -R 1000:1000 workspace
cp -a workspace was

snapshot() { # what the workspace holds, but for owners and times
	(cd workspace && find . -mindepth 1 -printf '%P %y %m\n' && find . -type f -exec sha256sum {} +) | LC_ALL=C sort
}
files() { find workspace -name 'f[0-9]*' | wc -l; }
snapshot >before
up
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name me <pass >keys.out 2>&1 || fail "no approver key: $(cat keys.out)"
"$callgate" reload >/dev/null 2>&1

run() { # $id is the call that changes all of it
	"$callgate" --output json call aside command='sh all.sh' >call.json 2>err || fail "call: $(cat call.json err)"
	id=$(jq -r '._meta["callgate/call"].id' call.json)
	expect held "$(jq -r '._meta["callgate/effects"].state' call.json)" held
}
commit() { "$callgate" commit "$id" <pass >commit.txt 2>&1; }
undo() { "$callgate" undo "$id" <pass >undo.txt 2>&1; }
background() { # commit|undo
	rm -f over
	{
		"$1"
		status=$?
		: >over
		exit $status
	} &
	writer=$!
}
await() { # WHAT COMMAND...: until it is so, or the command that writes is over
	local what=$1
	shift
	for _ in $(seq 6000); do
		"$@" && return 0
		[ ! -e over ] || return 0
		sleep 0.005
	done
	fail "$what: never"
}
has_begun() { compgen -G "state/effects/$id.*/begun" >/dev/null && [ "$(files)" -ge "$1" ]; }
is_undoing() { compgen -G "state/effects/$id.*/undoing" >/dev/null && [ "$(files)" -le "$((300 - $1))" ]; }
await_files() { await "a commit of $1 files" has_begun "$1"; }
await_gone() { await "an undo of $1 files" is_undoing "$1"; }
kill_daemon() {
	kill -KILL "$daemon"
	wait "$daemon"
	daemon=''
	wait "$writer" 2>/dev/null
}
is_whole() { ! compgen -G "state/effects/*/begun" >/dev/null && ! compgen -G "state/effects/*/undoing" >/dev/null; }
await_whole() { # $whole: before or after
	for _ in $(seq 3000); do
		is_whole && break
		sleep 0.02
	done
	is_whole || fail "left half written: $(ls state/effects/*)"
	whole=before
	[ "$(snapshot)" = "$(cat before)" ] || whole=after
	expect "the workspace is as $whole" "$(snapshot)" "$(cat "$whole")"
}
start_again() { # with the workspace as it was, the same folder
	find workspace -mindepth 1 -delete
	cp -a was/. workspace
	expect 'as it was' "$(snapshot)" "$(cat before)"
}
written_by() { # OP CALL: records of it
	cat state/audit/*.jsonl | jq -c --arg op "$1" --arg call "$2" \
		'select(.type == "effects.written" and .op == $op and .call == $call)' | wc -l
}
taken_back() { written_by 'taken back after a crash' "$1"; }
# as it is with all of it done
run
commit || fail "commit: $(cat commit.txt)"
snapshot >after
undo || fail "undo: $(cat undo.txt)"
expect 'a first undo' "$(snapshot)" "$(cat before)"
