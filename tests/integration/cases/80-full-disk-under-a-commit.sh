# The workspace's disk is full in the midst of a commit: what was written is taken back, all of it,
# also where that needs the room of what had come; and what somebody put into a new folder stays.
. "$IT_TESTS/lib.sh"
unshare -m true 2>/dev/null || skip "needs a mount namespace"
policy <<'EOP'
tools:
  aside: {type: command, deny_by_default: true, allowed_commands: [sh, head, truncate], sandbox: {workspace: overlay}}
EOP
# shellcheck disable=SC2016
up unshare -m sh -c 'mount -t tmpfs -o size=8m,mode=755 x workspace &&
	head -c 3M /dev/urandom >workspace/a && exec "$@"' sh
there=/proc/$daemon/root$IT_DIR/workspace
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >keys.out || fail "keys create: $(cat keys.out)"
signed() { CALLGATE_PASSPHRASE_FD=3 "$callgate" "$@" 3<pass; }
before=$(sha256sum <"$there/a")

"$callgate" --output json call aside command='sh -c "head -c 3M /dev/urandom >a; head -c 3500K /dev/urandom >b; head -c 3M /dev/urandom >c"' >call.json 2>err ||
	fail "call: $(cat call.json err)"
id=$(jq -r '._meta["callgate/call"].id' call.json)
signed commit "$id" >out 2>err && fail "committed to a full disk"
expect_match 'the reason' "$(cat err)" 'No space left on device'
! grep -q 'in part' err || fail "not taken back: $(cat err)"
expect 'what was replaced is there again' "$(sha256sum <"$there/a")" "$before"
expect 'nothing else' "$(ls "$there")" a
expect 'nothing is left over' "$(ls state/effects)" ''
"$callgate" diff "$id" >out || fail "it is not held any more: $(cat out)"

# nor when it first must be made smaller: b is put back before a can be
"$callgate" discard "$id" >out 2>err || fail "discard: $(cat out err)"
"$callgate" --output json call aside command='sh -c "truncate -s 1 a; head -c 7M /dev/urandom >b; head -c 3M /dev/urandom >c"' >call.json 2>err ||
	fail "call: $(cat call.json err)"
echo b >"$there/b"
id=$(jq -r '._meta["callgate/call"].id' call.json)
signed commit "$id" >out 2>err && fail "committed over what somebody else made"
"$callgate" discard "$id" >out 2>err || fail "discard: $(cat out err)"
"$callgate" --output json call aside command='sh -c "truncate -s 1 a; head -c 7M /dev/urandom >b; head -c 3M /dev/urandom >c"' >call.json 2>err ||
	fail "call: $(cat call.json err)"
id=$(jq -r '._meta["callgate/call"].id' call.json)
signed commit "$id" >out 2>err && fail "committed to a full disk"
expect 'a again' "$(sha256sum <"$there/a")" "$before"
expect 'b again' "$(cat "$there/b")" b
expect 'nothing else' "$(ls "$there" | tr '\n' ' ')" 'a b '
down
verify_ok
