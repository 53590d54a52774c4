# What running tools log, over every road and only to whom it belongs, and forms whose answers came
# with the call: both eras, the socket, `callgate mcp`, HTTP; a flood, bad bytes, and the record.
. "$IT_TESTS/lib.sh"
key_a=cg_live_$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | cut -c 1-43)
key_b=cg_live_$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | cut -c 1-43)
port=$(free_port)
url=http://127.0.0.1:$port
cat >callgate.yaml <<EOF
version: 1
server:
  socket: {path: run/callgate.sock}
  port: $port
  auth: {enabled: true, api_keys: ["\${KEY_A}", "\${KEY_B}"]}
roles:
  agent: {tools: ["*"], permissions: [daemon:control]}
principals:
  - {peer_uid: $uid, roles: [agent]}
  - {api_key: KEY_A, roles: [agent]}
  - {api_key: KEY_B, roles: [agent]}
defaults: {decision: allow}
namespaces: {default: {working_directory: ./workspace}}
tools:
  chatty: {type: command, description: Logs, output: content, exec: {program: python3, argv: [tool.py, chatty]}, sandbox: {callgate: true}}
  flood: {type: command, description: Logs too much, output: content, exec: {program: python3, argv: [tool.py, flood]}, sandbox: {callgate: true}}
  asker: {type: command, description: Asks for user_name, output: content, elicit: true, exec: {program: python3, argv: [tool.py, asker]}, sandbox: {callgate: true}}
  consent: {type: command, description: Calls its form approval, output: content, elicit: true, exec: {program: python3, argv: [tool.py, consent]}, sandbox: {callgate: true}}
EOF
chmod 600 callgate.yaml
cat >workspace/tool.py <<'EOF'
import json, socket, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
gate = socket.socket(fileno=3)
socket.send_fds(gate, [b"g"], [theirs.fileno()])
theirs.close()
stream = ours.makefile("rwb")
def raw(line):
    stream.write(line + b"\n")
    stream.flush()
    return json.loads(stream.readline())
def ask(method, **params):
    return raw(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
def tell(**what):
    print(json.dumps({"content": [{"type": "text", "text": json.dumps(what)}]}))
def form(name):
    return ask("callgate/elicit", name=name, message="Who?", requestedSchema={
        "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]})
def chatty():
    bad = raw(b'{"jsonrpc":"2.0","id":1,"method":"callgate/log","params":{"level":"info","data":"\xff"}}')
    loud = ask("callgate/log", level="loud", data=1)
    big = ask("callgate/log", level="error", data="x" * 4095)
    for level in ("debug", "info", "error"):
        assert ask("callgate/log", level=level, data={"words": level + "\u001b[2J"})["result"] == {}
    tell(bad=bad["error"]["code"], loud=loud["error"]["code"], big=big["error"]["code"])
def flood():
    refused = [ask("callgate/log", level="info", data=i).get("error", {}).get("code") for i in range(1010)]
    tell(first=refused.index(429), last=refused[-1])
def asker():
    tell(first=form("user_name").get("result"), second=form("user_name").get("result"))
def consent():
    tell(code=form("approval")["error"]["code"])
globals()[sys.argv[1]]()
EOF
up "KEY_A=$key_a" "KEY_B=$key_b"
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
ln -s "$IT_NPM" node_modules
cp "$IT_TESTS"/{raw,mcp_logs}.mjs .
URL=$url/mcp KEY_A=$key_a KEY_B=$key_b CALLGATE=$callgate timeout 100 "$node" mcp_logs.mjs || fail "mcp_logs: $?"

# the bridge, to the socket and to HTTP: there the level stays the principal's
hello='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}'
level='{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"info"}}'
call='{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"chatty","arguments":{}}}'
messages() { jq -rc 'select(.method == "notifications/message") | [.params.level, .params.logger] | join(" ")' | paste -sd, -; }
expect 'by the bridge' "$(printf '%s\n' "$hello" "$level" "$call" | "$callgate" mcp | messages)" 'info chatty,error chatty'
expect 'on its next connection' "$(printf '%s\n' "$hello" "$call" | "$callgate" mcp | messages)" ''
remote() { CALLGATE_TOKEN=$1 "$callgate" --url "$url" mcp; }
expect 'HTTP takes the level' "$(printf '%s\n' "$hello" "$level" | remote "$key_b" | jq -c 'select(.id == 2).result')" '{}'
expect 'by the bridge to HTTP' "$(printf '%s\n' "$hello" "$call" | remote "$key_b" | messages)" 'info chatty,error chatty'

# counted, not written down
outcome() { grep -h '"type":"call.outcome"' state/audit/*.jsonl | grep "\"tool\":\"$1\"" | tail -n 1; }
expect_match 'counted' "$(outcome chatty)" '"log":\{"said":3,"told":2\}'
expect_match 'of a flood' "$(outcome flood)" '"log":\{"said":1010,"told":1000\}'
grep -qh '"forms":{"asked":1,"foreseen":1}' state/audit/*.jsonl || fail "no record says what was foreseen"
! grep -h '\[2J\|words' state/audit/*.jsonl || fail "what was logged is in the trail"
down
verify_ok
"$callgate" audit verify --semantic state/audit >semantic.log || fail "semantic: $? $(cat semantic.log)"
