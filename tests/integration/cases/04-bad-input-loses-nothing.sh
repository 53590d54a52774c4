# Hostile bytes on the socket get one clear answer each; the daemon goes on serving.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat, sleep, printf]}
EOF
up
code() { jq -r 'select(.error) | .error.code' | head -n 1; }
expect 'malformed' "$(rpc '{"jsonrpc":"2.0","id":1,' | code)" -32700
expect 'not an object' "$(rpc '[1]' | code)" -32600
expect 'duplicate keys' "$(rpc '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"bash","name":"x","arguments":{}}}' | code)" -32700
expect 'unknown method' "$(rpc '{"jsonrpc":"2.0","id":1,"method":"nonsense"}' | code)" -32601
expect 'invalid utf-8' "$(rpc $'{"jsonrpc":"2.0","id":1,"method":"\xff"}' | code)" -32700
nul=$(rpc '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"bash","arguments":{"command":"ls\u0000x"}}}')
expect_match 'NUL in an argument' "$nul" 'NUL|control|-32602|-32700|efused'
expect 'line goes on after an error' "$(rpc 'garbage' '{"jsonrpc":"2.0","id":7,"method":"ping"}' | tail -n 1 | jq -r .id)" 7
big=$(head -c $((1024 * 1024 + 1)) /dev/zero | tr '\0' x)
out=$(printf '%s\n' "$big" | timeout 20 socat -t 2 - "UNIX-CONNECT:$CALLGATE_SOCKET" | head -c 2000)
expect_match '1 MiB + 1' "$out" 'error'
deep=$(printf '[%.0s' $(seq 20000))
expect 'deep nesting' "$(rpc "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":$deep" | code)" -32700
# half a message, then nothing
printf '{"jsonrpc":"2.0","id":1,"me' | timeout 5 socat -t 0.2 - "UNIX-CONNECT:$CALLGATE_SOCKET"
# a hang-up in mid-call kills the tree and the outcome is recorded
(
	printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"bash","arguments":{"command":"sleep 4242"}}}'
	sleep 1
) | timeout 5 socat -t 0.1 - "UNIX-CONNECT:$CALLGATE_SOCKET"
for _ in $(seq 60); do
	pgrep -u "$uid" -f 'sleep 4242' >/dev/null || [ "$(records call.outcome)" -ge 1 ] && break
	sleep 0.1
done
for _ in $(seq 60); do
	grep -hq '"outcome":"cancelled"' state/audit/*.jsonl && break
	sleep 0.1
done
grep -hq '"outcome":"cancelled"' state/audit/*.jsonl || fail "no cancelled outcome after a hang-up"
pgrep -f 'sleep 4242' >/dev/null && fail "the tree survived the hang-up"
"$callgate" call bash command='ls' >/dev/null || fail "the daemon does not serve any more"
# hostile bytes in a value: one record, escaped in tail
"$callgate" call bash --json '{"argv":["printf","x\n{\"@n\":0}\u001b[2K\u202e"]}' >/dev/null
"$callgate" audit tail -n 20 state/audit | grep -q $'\e' && fail "audit tail prints raw escapes"
down
verify_ok
