# Completion in real shells: commands, verbs, options and their values, and names that the daemon
# tells this caller; help with an example for every command.
. "$IT_TESTS/lib.sh"
extra='approvals: {timeout: 60s, hold: 20s}'
policy <<'POLICY'
agents:
  coder: {tools: [bash, build]}
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls]}
  build: {type: command, deny_by_default: true, allowed_commands: [ls], require_approval: true}
POLICY
sed -i 's/roles: \[agent, human\]}/roles: [agent, human], agents: [coder]}/' callgate.yaml
up
export PATH=$IT_BIN:$PATH HOME=$IT_DIR/home
mkdir -p home

"$callgate" completion bash >callgate.bash || fail "completion bash"
bash -n callgate.bash || fail "bash does not read it"
# bash_proposes WORD...: what bash proposes for the last word
bash_proposes() {
	bash --norc -c '
		source ./callgate.bash
		[[ $(complete -p callgate) == "complete -F _callgate callgate" ]] || exit 1
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_callgate 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}" | sort | paste -s -d " "' bash "$@"
}
expect 'bash: a command' "$(bash_proposes callgate re)" reload
expect 'bash: verbs' "$(bash_proposes callgate audit '')" 'prove tail verify'
expect 'bash: tools' "$(bash_proposes callgate call b)" 'bash build'
expect 'bash: tools of --tool' "$(bash_proposes callgate run --tool bu)" build
expect 'bash: agents' "$(bash_proposes callgate --agent '')" coder
expect 'bash: a value behind =' "$(bash_proposes callgate --output = j)" json
expect 'bash: an option' "$(bash_proposes callgate run --no)" '--no-wait'
expect 'bash: scopes' "$(bash_proposes callgate approve --scope '')" 'always once session'
expect 'bash: a program' "$(bash_proposes callgate run -- callgated)" callgated
touch 'a policy.yaml'
expect 'bash: a file' "$(bash_proposes callgate up --config a)" 'a policy.yaml'
expect 'bash: commands of help' "$(bash_proposes callgate help gr)" grants
"$callgate" call build command=ls >/dev/null 2>&1 &
call=$!
for _ in $(seq 100); do
	id=$("$callgate" --output json pending | jq -r '.approvals[0].id // empty')
	[ -n "$id" ] && break
	sleep 0.05
done
expect 'bash: what waits' "$(bash_proposes callgate approve '')" "$id"
kill $call 2>/dev/null
wait $call 2>/dev/null

command -v zsh >/dev/null || fail "zsh is not installed"
mkdir functions
"$callgate" completion zsh >functions/_callgate || fail "completion zsh"
zsh -n functions/_callgate || fail "zsh does not read it"
cat >proposes.zsh <<'ZSH'
# A zsh on a terminal of its own; each word that is given to compadd goes to a file.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($PWD/functions \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell "compadd() { print -rl -- \${@[\${@[(i)--]}+1,-1]} >>$PWD/proposed; builtin compadd \"\$@\" }"
zpty -w shell "$1"$'\t'
for i in {1..60}; do [[ -s $PWD/proposed ]] && break; sleep 0.1; done
sleep 0.3
zpty -d shell
ZSH
zsh_proposes() {
	rm -f proposed
	timeout 20 zsh -f proposes.zsh "$1" >/dev/null 2>&1
	grep -v '^$' proposed | sort -u | paste -s -d ' '
}
expect 'zsh: tools' "$(zsh_proposes 'callgate call ')" 'bash build'
expect 'zsh: verbs' "$(zsh_proposes 'callgate audit ')" 'prove tail verify'
expect 'zsh: a value' "$(zsh_proposes 'callgate --output ')" 'json text'

command -v fish >/dev/null || fail "fish is not installed"
"$callgate" completion fish >callgate.fish || fail "completion fish"
fish_proposes() {
	timeout 20 fish --no-config -c "source callgate.fish; complete -C '$1'" | cut -f 1 | sort | paste -s -d ' '
}
expect 'fish: a command' "$(fish_proposes 'callgate rel')" reload
expect 'fish: tools' "$(fish_proposes 'callgate call ')" 'bash build'
expect 'fish: verbs' "$(fish_proposes 'callgate audit ')" 'prove tail verify'
expect 'fish: a value' "$(fish_proposes 'callgate --output ')" 'json text'
expect 'fish: scopes' "$(fish_proposes 'callgate approve --scope ')" 'always once session'

# where an agent must be named, the one on the line is
"$callgate" down >/dev/null
wait "$daemon"
sed -i -e 's/agents: \[coder\]}/agents: [coder, looker]}/' -e 's/^  coder: .*/&\n  looker: {tools: [bash]}/' callgate.yaml
up
expect 'bash: no agent, no tools' "$(bash_proposes callgate call '')" ''
expect 'bash: tools of an agent' "$(bash_proposes callgate --agent looker call '')" bash
expect 'bash: tools of an agent behind =' "$(bash_proposes callgate --agent = coder call '')" 'bash build'
expect 'bash: agents still' "$(bash_proposes callgate --agent '')" 'coder looker'
expect 'zsh: tools of an agent' "$(zsh_proposes 'callgate --agent coder call ')" 'bash build'
expect 'zsh: tools of an agent behind =' "$(zsh_proposes 'callgate --agent=coder call ')" 'bash build'
expect 'fish: tools of an agent' "$(fish_proposes 'callgate --agent coder call ')" 'bash build'
expect 'fish: tools of an agent behind =' "$(fish_proposes 'callgate --agent=looker call ')" bash
expect 'fish: agents still' "$(fish_proposes 'callgate --agent ')" 'coder looker'

# nobody answers: no words, no complaints, soon
down
expect 'words without a daemon' "$(bash_proposes callgate call '' 2>&1)" ''
"$callgate" completion tcsh 2>/dev/null
expect 'another shell' $? 1

# help of every command says how and gives an example; --help is the same
for name in $("$callgate" help --output json | jq -r '.commands[].name'); do
	text=$("$callgate" help "$name") || fail "help $name"
	expect_match "help $name" "$text" "^usage: callgate $name"
	expect_match "example of $name" "$text" "example: .*$name"
	expect "$name --help" "$("$callgate" "$name" --help)" "$text"
done
expect_match 'help' "$("$callgate" help)" 'usage: callgate'
"$callgate" >/dev/null
expect 'no command' $? 1
