# The receipt rule: an auditor killed in mid-call, a receipt withheld, forged or for another plan:
# no tool starts, whatever engine believes. The marker file must not appear.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [touch], max_execution_time: 5s}
EOF
mkdir bad
cp "$IT_BIN"/callgate "$IT_BIN"/callgated "$IT_BIN"/callgate-* bad/
mv bad/callgate-auditor bad/callgate-auditor.real
cp "$IT_BIN/bad_auditor" bad/callgate-auditor
IT_BIN=$IT_DIR/bad
for mode in withhold forge other kill; do
	rm -rf state run workspace/*
	echo $mode >bad/callgate-auditor.mode
	up
	if [ $mode = other ]; then
		"$callgate" call bash command='touch first' >/dev/null || fail "the first call of 'other'"
		[ -e workspace/first ] || fail "'other' passes the first call, but it did not run"
	fi
	timeout 8 "$callgate" --output json call bash command='touch marker' >out.json 2>err.txt
	[ $? -ne 0 ] || fail "$mode: the call succeeded"
	sleep 0.3
	[ ! -e workspace/marker ] || fail "$mode: the tool ran without its receipt"
	if [ $mode = kill ]; then
		for _ in $(seq 100); do
			kill -0 "$daemon" 2>/dev/null || break
			sleep 0.05
		done
		kill -0 "$daemon" 2>/dev/null && fail "the daemon lives on without its auditor"
	fi
	bye
	daemon=''
done
# the test of the test: the same stand-in, not lying, lets it run
rm -rf state run
echo pass >bad/callgate-auditor.mode
up
"$callgate" call bash command='touch marker' >/dev/null || fail "pass: the call failed"
[ -e workspace/marker ] || fail "pass: no marker"
