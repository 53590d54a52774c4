# What a newcomer types wrong is answered with what to type: agents, tools, sockets, limits, packs.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 20s, hold: 5s}'
policy <<'EOF'
agents:
  coder: {tools: [look, typed, burn, big, deaf]}
  looker: {tools: [look]}
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [ls, cat]}
  typed:
    type: command
    parameters: {type: object, additionalProperties: false, properties: {name: {type: string}}}
    exec: {program: ls, argv: [--, {if: name, then: "{name}"}]}
    annotations: {read_only: true}
  burn:
    type: command
    deny_by_default: true
    allowed_commands: [sha256sum]
    max_execution_time: 20s
    sandbox: {cpu: 1s}
  big:
    type: command
    deny_by_default: true
    allowed_commands: [cp]
    sandbox: {file_size: 4KiB}
  deaf: {type: command, deny_by_default: true, allowed_commands: [ls], stdin: false}
  both: {type: command, deny_by_default: true, allowed_commands: [ls], approval: {by_client: true, quorum: 2}}
EOF
sed -i 's/roles: \[agent, human\]}/roles: [agent, human], agents: [coder, looker]}/' callgate.yaml
said() { # WHAT REGEX COMMAND...: the complaint holds it
	local what=$1 regex=$2
	shift 2
	expect_match "$what" "$("$callgate" "$@" 2>&1)" "$regex"
}
said 'both ways' 'tools.both: by_client does nothing with quorum 2' policy check
said 'one warning' ' 1 warning$' policy check callgate.yaml
said 'the same file' 'callgate.yaml: ok: 0 tests' policy test
said 'the packs' '^curl .*git ' policy pack
expect 'a pack' "$("$callgate" policy pack git | head -n 1)" 'pack: git'
said 'no pack' 'did you mean git' policy pack gti
said 'another socket' 'up: --socket other.sock: the policy has the daemon listen at .*run/callgate.sock' --socket other.sock up
said 'no value' '^callgate: --socket: lacks its value' --socket
said 'no url' '--url http://gate.example: http is for this machine only' --url http://gate.example status
(cd / && said 'no policy' 'neither ./callgate.yaml, .*config/callgate/callgate.yaml nor /etc/callgate/callgate.yaml' up) || exit 1
echo 'correct horse battery' >pass
expect_match 'a key without a daemon' "$("$callgate" keys create --approver --name one <pass)" 'no daemon answers at .*callgate reload'
up
said 'agents' 'several agents .*callgate agents.*name an agent with --agent' call look command=ls
said 'tools of nobody' 'tools: none: .*several agents' tools
said 'tools of a stranger' 'tools: none: .*does not let this user act as that agent' tools --agent nobody
said 'tools elsewhere' 'tools: none: .*namespace' tools --agent coder --namespace elsewhere
said 'a typed tool' 'typed takes no command line; use .callgate call typed' run --agent coder --tool typed -- ls
said 'no tool named' 'no tool was named, so it was bash; name yours with --tool' run --agent coder -c ls
said 'cpu' 'limit of CPU time, 1 s \(sandbox.cpu\)' run --agent coder --tool burn -- sha256sum /dev/zero
head -c 8192 /dev/zero >workspace/long
said 'file size' 'limit of 4096 bytes \(sandbox.file_size\)' run --agent coder --tool big -- cp long copy
expect_match 'input for nobody' "$(echo data | "$callgate" run --agent coder --tool deaf -- ls 2>&1)" 'warning: run: this tool takes no standard input'
expect 'no input' "$("$callgate" run --agent coder --tool deaf -- ls long </dev/null 2>&1)" long
expect 'input unread' "$(echo data | "$callgate" run --agent coder --tool look -- ls long 2>&1)" long
expect 'read only destroys nothing' "$("$callgate" --output json tools --agent coder |
	jq -c '.tools[] | select(.name == "typed") | .annotations | [.readOnlyHint, .destructiveHint]')" '[true,false]'
said 'explain of an object' 'result     allow' --agent coder policy explain look --json '{"argv":["ls"]}'
said 'explain offline' 'result     allow' --agent coder policy explain --config callgate.yaml look --json '{"argv":["ls"]}'
down

# a daemon goes where --socket says when its policy names no place
sed -i 's/^server:.*//; /^agents:/,/^tools:/{/^tools:/!d}; s/, agents: \[coder, looker\]//' callgate.yaml
env -u CALLGATE_SOCKET "$callgate" --socket "$PWD/xdg/own.sock" up --state state >up.out 2>&1 || fail "up: $(cat up.out)"
grep -q "export CALLGATE_SOCKET=$PWD/xdg/own.sock" up.out || fail "up does not say how to find it: $(cat up.out)"
said 'no agents' 'no agents: the policy has none' --socket "$PWD/xdg/own.sock" agents
"$callgate" --socket "$PWD/xdg/own.sock" down >/dev/null || fail "down"
verify_ok
