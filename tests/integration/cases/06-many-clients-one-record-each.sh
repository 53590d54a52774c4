# 200 calls from 16 clients at once with mixed outcomes: one decision and one outcome each.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 3s, hold: 1s}'
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, sleep], max_execution_time: 1s}
  ask: {type: command, deny_by_default: true, allowed_commands: [ls], require_approval: true}
EOF
echo x >workspace/file
up
client() {
	for i in $(seq "$2"); do
		case $((($1 + i) % 6)) in
		0) "$callgate" call bash command='cat file' ;;
		1) "$callgate" call bash command='rm file' ;;
		2) "$callgate" call bash command='cat missing' ;;
		3) "$callgate" call absent command='ls' ;;
		4) "$callgate" call bash command='sleep 9' ;;
		5) "$callgate" call ask command="ls $1 $i" ;;
		esac
		echo "$((($1 + i) % 6)) $?" >>"codes.$1"
	done >/dev/null 2>&1
}
pids=()
for c in $(seq 16); do
	client "$c" $((c <= 8 ? 13 : 12)) &
	pids+=($!)
done
wait "${pids[@]}"
sleep 1
down
verify_ok
"$callgate" audit verify --semantic state/audit >/dev/null || fail "semantic: $?"
cat codes.* | sort | uniq -c
expect 'calls answered' "$(cat codes.* | wc -l)" 200
expect outcomes "$(records call.outcome)" 200
expect 'distinct calls with an outcome' "$(grep -h '"type":"call.outcome"' state/audit/*.jsonl | jq -r .call | sort -u | wc -l)" 200
expect 'distinct calls with a decision' "$(grep -h '"type":"call.decision"' state/audit/*.jsonl | jq -r .call | sort -u | wc -l)" 200
expect decisions "$(records call.decision)" 200
expect 'starts and exits' "$(records exec.start)" "$(records exec.exit)"
for pair in '0 0' '1 2' '2 5' '3 2' '4 5' '5 2'; do
	[ "$(cat codes.* | grep -c "^${pair% *} ")" = "$(cat codes.* | grep -c "^$pair\$")" ] || fail "kind ${pair% *}: other exits than ${pair#* }"
done
