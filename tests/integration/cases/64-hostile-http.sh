# Hostile HTTP against the whole daemon: every framing vector of the unit tests, slow clients in three
# forms, 100 MB, odd JSON, wrong hosts and credentials, ten thousand idle connections. The same
# process serves afterwards, and no call was made.
. "$IT_TESTS/lib.sh"
port=$(free_port)
key=$(openssl rand -hex 32)
printf 'API_KEY_1=%s\n' "$key" >.env
chmod 600 .env
cat >callgate.yaml <<POLICY
version: 1
server:
  socket: {path: run/callgate.sock}
  port: $port
  auth: {enabled: true, api_keys: ["\${API_KEY_1}"]}
roles:
  agent: {tools: ["*"]}
  human: {tools: ["*"], permissions: [daemon:control]}
principals:
  - {peer_uid: $uid, roles: [human]}
  - {api_key: API_KEY_1, roles: [agent]}
namespaces: {default: {working_directory: ./workspace}, elsewhere: {working_directory: ./elsewhere}}
tools:
  echo: {type: command, deny_by_default: true, allowed_commands: [echo]}
defaults: {decision: allow}
POLICY
chmod 600 callgate.yaml
mkdir elsewhere
up
front=$(pgrep -P "$daemon" -x callgate-front- || pgrep -f "$IT_BIN/callgate-front-http" | head -n 1)
[ -n "$front" ] || fail "callgate-front-http does not run"
before=$(records exec.start)
python3 "$IT_TESTS/http_hostile.py" "$port" "$key" "$front" "$IT_TESTS/../src/tests/unit/http/vectors.h" || fail "see above"
expect "nothing ran" "$(records exec.start)" "$before"
kill -0 "$front" || fail "the front was replaced"
grep -qF "$key" daemon.log state/audit/*.jsonl && fail "the key stands in a log or in the trail"
down
verify_ok
