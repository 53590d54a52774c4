# Each example does what its calls.txt says; the README's policy loads.
. "$IT_TESTS/lib.sh"
src=$IT_TESTS/../src
export TMPDIR=$IT_DIR
for example in "$src"/examples/*/calls.txt; do
	name=$(basename "$(dirname "$example")")
	"$src/examples/run.sh" "$name" "$IT_BIN" >"$name.out" 2>&1 || fail "$name: $(grep -A 5 -e WRONG -e run.sh: "$name.out")"
	grep -Eq '^[1-9][0-9]* calls, OK ' "$name.out" || fail "$name: $(tail -n 3 "$name.out")"
done
expect examples "$(ls ./*.out | wc -l)" 5
# what the READMEs say works as it is pasted, in a shell that knows nothing of callgate
mkdir paste pastebin
cp -R "$src/examples" paste/
cat >pastebin/claude <<'EOS'
#!/bin/bash
# claude mcp add NAME -- COMMAND...: as an MCP host starts it, with an environment of its own
while [ "$1" != -- ]; do shift; done
shift
echo '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}' |
	env -i PATH="$PATH" HOME=/nonexistent "$@" | grep -q '"id":1'
EOS
chmod +x pastebin/claude
for readme in "$src"/examples/{minimal,coding-agent,read-only-analyst,ci}/README.md; do
	name=$(basename "$(dirname "$readme")")
	{
		echo "trap 'echo \"RC \$? \$BASH_COMMAND\"' ERR"
		echo "PS4='+ '"
		awk '/^```sh$/ {on = 1; next} /^```$/ {exit} on' "$readme"
	} >"$name.block"
	(
		unset CALLGATE_SOCKET
		export CALLGATE_HOME=$IT_DIR/$name.state XDG_CONFIG_HOME=$IT_DIR/$name.config
		export PATH=$IT_DIR/pastebin:$IT_BIN:$PATH
		cd paste && printf 'correct horse battery\n' | bash "$IT_DIR/$name.block"
	) >"$name.pasted" 2>&1
	[ -s "$name.state/lock" ] && kill "$(head -n 1 "$name.state/lock")" 2>/dev/null
	grep '^RC ' "$name.pasted" | grep -vx 'RC 1 callgate watch' && fail "$name: $(cat "$name.pasted")"
	case $name in minimal | coding-agent)
		grep -q 'the daemon knows it' "$name.pasted" || fail "$name: the key is unknown: $(cat "$name.pasted")"
		grep -q 'watch: needs a terminal' "$name.pasted" || fail "$name: $(cat "$name.pasted")"
		;;
	esac
done
# the services' policy loads, with its places made and its accounts named
mkdir -p etc srv
sed "s|/srv/callgate/workspace|$IT_DIR/srv|; s|callgate-agents|$(id -gn)|" \
	"$src/examples/systemd/callgate.yaml" >etc/callgate.yaml
printf 'AGENT_UID=%s\nHUMAN_UID=%s\n' "$uid" $((uid + 1)) >etc/.env
chmod 600 etc/.env etc/callgate.yaml
"$callgate" policy check etc/callgate.yaml >check.out 2>&1 || fail "systemd: $(cat check.out)"
# every policy of the README loads
awk '/^# callgate.yaml$/ {on = 1} /^```$/ {on = 0} on' "$src/README.md" |
	sed "s/peer_uid: 1000/peer_uid: $uid/" >readme.yaml
grep -q 'deny_by_default' readme.yaml || fail "no policy in the README"
chmod 600 readme.yaml
"$callgate" policy check readme.yaml >/dev/null || fail "the README's policy does not load"
# the recorded session is 100 calls of tools that its policy has, and its README counts them rightly
session=$src/examples/coding-agent/session-100.txt
jq -es 'length == 100 and all(.[]; (.name | IN("look", "grep_search", "text_editor", "edit", "build", "git"))
	and (.arguments | type == "object"))' "$session" >/dev/null || fail "session-100.txt is not what it says"
"$src/tests/bench/prompts.sh" "$IT_BIN" >prompts.out || fail "prompts.sh: $(cat prompts.out)"
expect_match counts "$(cat prompts.out)" '^100 calls: 81 allowed, 15 asked, 4 denied'
expect_match 'asked for' "$(cat prompts.out)" 'asked by git: 10'
tr '\n' ' ' <"$src/examples/coding-agent/README.md" | grep -q '81 are allowed, 15 ask and 4 are refused' ||
	fail "the README counts otherwise"
