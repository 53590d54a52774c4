# only: root
# A full audit disk: no tool runs without a durable record; the running call's end is still kept.
. "$IT_TESTS/lib.sh"
[ "$uid" = 0 ] || skip 'only root can mount the disk that is filled'
[ "${IT_INSIDE:-}" = 1 ] || exec unshare -m env IT_INSIDE=1 bash "$0"
mkdir -p audit
mount -t tmpfs -o size=3m,mode=700 tmpfs audit || fail "mount"
extra='audit: {directory: audit}'
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [touch, ls]}
EOF
up
"$callgate" call bash command='touch before' >/dev/null || fail "call before"
dd if=/dev/zero of=audit/filler bs=4096 status=none 2>/dev/null
for i in $(seq 60); do
	out=$("$callgate" call bash command="touch after-$i" 2>&1) || break
done
[ "$i" -lt 60 ] || fail "the disk is full and calls still run"
expect_match 'text' "$out" 'AUDIT_(FULL|UNAVAILABLE)'
for k in $(seq 5); do
	"$callgate" call bash command="touch late-$k" >/dev/null 2>&1 && fail "a call ran on a full disk"
	[ ! -e "workspace/late-$k" ] || fail "late-$k exists"
done
[ ! -e "workspace/after-$i" ] || fail "the refused call ran"
kill -TERM "$daemon"
wait "$daemon"
daemon=''
rm audit/filler
out=$("$callgate" audit verify audit)
expect_match verify "$out" '^(OK|INCOMPLETE)'
up
"$callgate" call bash command='touch again' >/dev/null || fail "not serving after a restart with room"
down
verify_ok audit
