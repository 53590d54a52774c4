# only: root
# A program that vanished is refused in one line; one swapped between approval and launch voids the
# approval: what runs is what was approved, or nothing.
. "$IT_TESTS/lib.sh"
[ "$uid" = 0 ] || skip 'only root can own a program that a policy may name'
mkdir -m 755 bin
cp /usr/bin/touch bin/mark
cp /usr/bin/touch bin/gone
extra="approvals: {timeout: 20s, hold: 10s}"
policy <<EOF
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [$IT_DIR/bin/gone]}
  ask: {type: command, deny_by_default: true, allowed_commands: [$IT_DIR/bin/mark], require_approval: true}
EOF
up
rm bin/gone
out=$("$callgate" call bash --json "{\"argv\":[\"$IT_DIR/bin/gone\",\"x\"]}") && fail "a vanished program ran"
expect_match 'vanished' "$out" 'gone'
[ "$(wc -l <<<"$out")" -le 2 ] || fail "more than a line: $out"
echo 'correct horse battery' >pass
"$callgate" keys create --approver --name tester <pass >/dev/null || fail "keys create"
"$callgate" --output json call ask --json "{\"argv\":[\"$IT_DIR/bin/mark\",\"one\"]}" >call.json &
call=$!
for _ in $(seq 60); do
	id=$("$callgate" --output json pending | jq -r '.approvals[0].id // empty')
	[ -n "$id" ] && break
	sleep 0.05
done
cp bin/mark bin/mark.new && printf 'x' >>bin/mark.new && mv bin/mark.new bin/mark # another file, another digest
CALLGATE_PASSPHRASE_FD=3 "$callgate" approve "$id" 3<pass >/dev/null || fail "approve"
wait $call && fail "a swapped program ran: $(cat call.json)"
[ ! -e workspace/one ] || fail "the swapped program had its effect"
expect_match 'outcome' "$(jq -r '._meta["callgate/call"].outcome' call.json)" '^(failed|refused)$'
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail semantic
