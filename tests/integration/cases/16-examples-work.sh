# The examples load, start and serve as their first lines say.
. "$IT_TESTS/lib.sh"
cp -R "$IT_TESTS/../src/examples/minimal" ex
chmod -R u+w ex
cd ex || exit 2
chmod 600 callgate.yaml
unset CALLGATE_SOCKET
export CALLGATE_UID=$uid CALLGATE_HOME=$IT_DIR/state
mkdir -p workspace
"$callgate" policy check callgate.yaml >/dev/null || fail "policy check"
"$callgate" --socket run/callgate.sock up --config callgate.yaml >/dev/null || fail up
echo hello >workspace/file
expect call "$("$callgate" --socket run/callgate.sock call bash command='cat file')" hello
"$callgate" --socket run/callgate.sock call bash command='rm file' >/dev/null
expect refused $? 2
"$callgate" --socket run/callgate.sock down >/dev/null || fail down
# every policy of the README loads
awk '/^# callgate.yaml$/ {on = 1} /^```$/ {on = 0} on' "$IT_TESTS/../src/README.md" |
	sed "s/peer_uid: 1000/peer_uid: $uid/" >readme.yaml
grep -q 'deny_by_default' readme.yaml || fail "no policy in the README"
chmod 600 readme.yaml
"$callgate" policy check readme.yaml >/dev/null || fail "the README's policy does not load"
