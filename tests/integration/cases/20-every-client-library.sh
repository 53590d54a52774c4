# The client libraries that agents are built with, from npm, over `callgate mcp`: each lists, calls,
# is refused in words, and gives up on a slow call, which ends the tool.
. "$IT_TESTS/lib.sh"
policy <<'YAML'
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [cat, ls, sleep]}
  noisy: {type: command, deny_by_default: true, allowed_commands: [sh, sleep]}
YAML
echo hello >workspace/hello
up
[ -d "$IT_NPM" ] || fail "the npm packages are missing"
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
[ -x "$node" ] || fail "node 22 is missing"
ln -s "$IT_NPM" node_modules
cp "$IT_TESTS/mcp_client.mjs" .
export CALLGATE=$callgate
jobs=()
for client in sdk client aisdk langchain openai; do
	timeout 50 "$node" mcp_client.mjs "$client" >"$client.log" 2>&1 &
	jobs+=("$client=$!")
done
bad=''
for job in "${jobs[@]}"; do
	wait "${job#*=}" || {
		bad="$bad ${job%%=*}"
		tail -n 25 "${job%%=*}.log"
	}
done
[ -z "$bad" ] || fail "clients:$bad"
for _ in $(seq 50); do
	pgrep -u "$uid" -f '^sleep 470[1-6]' >/dev/null || break
	sleep 0.1
done
for i in 1 2 3 4 5 6; do
	pgrep -f "^sleep 470$i" >/dev/null && fail "the tool of a call that was given up lives: sleep 470$i"
done
for _ in $(seq 50); do
	cancelled=$(grep -h '"type":"call.outcome"' state/audit/*.jsonl | grep -c '"outcome":"cancelled"')
	[ "$cancelled" -ge 6 ] && break
	sleep 0.1
done
expect 'cancelled outcomes' "$cancelled" 6
[ -e workspace/hello ] || fail "hello is gone"
expect 'outcomes' "$(records call.outcome)" "$(records call.decision)"
down
verify_ok
