# Typed tools, rows of rules, packs, function tools, inline tests and namespaces in a real daemon.
. "$IT_TESTS/lib.sh"
extra='approvals: {hold: 100ms}'
write_policy() { # EXPECTATION OF THE INLINE TEST
	policy <<EOF
tools:
  say:
    type: command
    parameters:
      type: object
      additionalProperties: false
      required: [text]
      properties:
        text: {type: string, maxLength: 40}
        times: {type: integer, minimum: 1, maximum: 3, default: 1}
        file: {type: string, format: workspace-path}
    exec: {program: printf, argv: ["%s|", {if: file, then: "{file}"}, --, "{text}", "{times}"]}
    rules:
      - {id: no-main, when: {text: {const: main}}, decision: deny, reason: main is protected}
      - {id: others, decision: allow}
    tests:
      - {args: {text: main}, expect: $1}
      - {args: {text: x, times: 9}, expect: invalid}
  show-env:
    type: command
    parameters: {type: object, additionalProperties: false}
    exec: {program: env}
    env: {GREETING: hello, FROM_DAEMON: {api_key_env: IT_SECRET}}
    rules: [{id: all, decision: allow}]
  git: {type: command, deny_by_default: true, allowed_commands: [git, find, cat], packs: [git, find]}
  text_editor:
    type: function
    handler: text_editor
    rules: [{id: env, when: {path: {const: .env}}, decision: deny}]
  grep_search: {type: function, handler: grep_search}
  hasty_search: {type: function, handler: grep_search, max_execution_time: 2s}
EOF
}
write_policy allow
out=$("$callgate" policy test callgate.yaml 2>&1) && fail "a policy passes whose test fails"
expect_match 'where and what' "$out" 'callgate.yaml:[0-9]+:[0-9]+: tools.say.tests: expected allow, got deny'
start && fail "a daemon starts whose policy's tests fail"
write_policy deny
"$callgate" policy test callgate.yaml >/dev/null || fail "policy test"
up IT_SECRET=from-the-daemon
say() { "$callgate" call say "$@" 2>&1; }
expect 'one element, one argument' "$(say text='a b; $(id) *')" '--|a b; $(id) *|1|'
expect_match 'rule by id' "$(say text=main)" 'callgate.yaml:[0-9]+:[0-9]+ no-main: main is protected'
expect_match 'schema' "$(say text=x times:=9)" 'not valid: arguments.times'
expect_match 'unknown parameter' "$(say text=x other=y)" 'other'
expect_match 'a path that leaves' "$(say text=x file=../x)" 'below the working directory'
ln -s /etc workspace/out
expect_match 'a link that leaves' "$(say text=x file=out/passwd)" 'leaves|leads'
expect_match 'a value as an option' "$("$callgate" call --json '{"text":"x","file":"-v"}' say 2>&1)" 'starts with -'
out=$("$callgate" call show-env)
expect_match 'env literal' "$out" 'GREETING=hello'
expect_match 'env of the daemon' "$out" 'FROM_DAEMON=from-the-daemon'
grep -rq from-the-daemon state/audit daemon.log && fail "a secret is in the trail or the log"

# packs: what a program would do decides, in whatever form it is written
(cd workspace && git init -q . && git config user.email a@b && git config user.name n)
"$callgate" call git command='git status' >/dev/null || fail "git status"
for line in 'git -c alias.x=!id x' 'git push --force' 'find . -exec rm {} ;'; do
	"$callgate" call git command="$line" >out.txt 2>&1 && fail "allowed: $line"
	grep -q 'Refused by callgate, rule' out.txt || fail "$line: $(cat out.txt)"
done

# function tools run in cells of their own, and undo
"$callgate" call text_editor command=create path=dir/a.txt file_text='one two' >/dev/null || fail create
"$callgate" call text_editor command=str_replace path=dir/a.txt old_str=two new_str=three >/dev/null || fail replace
expect 'edited' "$(cat workspace/dir/a.txt)" 'one three'
expect_match 'found' "$("$callgate" call grep_search pattern='thr..$')" '^dir/a.txt:1:one three'
"$callgate" call text_editor command=undo path=dir/a.txt >/dev/null || fail undo
expect 'undone' "$(cat workspace/dir/a.txt)" 'one two'
# a rule about a path holds however the path is written, and a link is no way around it
echo secret-words >workspace/.env
ln -s .env workspace/envlink
ln -s . workspace/here
for path in .env ./.env .//.env envlink here/.env; do
	"$callgate" call text_editor command=view path=$path >out.txt 2>&1 && fail "shown: $path"
	grep -q secret-words out.txt && fail "shown though refused: $path"
done
expect_match 'a link' "$(cat out.txt)" 'leads through a symbolic link; name [.]env'
rm workspace/.env workspace/envlink workspace/here
"$callgate" call text_editor command=view path=out/passwd >out.txt 2>&1 && fail "a link out was followed"
grep -q root: out.txt && fail "a file outside was shown"
head -c 60 /dev/zero | tr '\0' a >line && for _ in $(seq 1 3000); do cat line; echo '!'; done >workspace/slow
out=$("$callgate" call hasty_search pattern='(a+)+[bc]' path=slow 2>&1)
expect_match 'an answer before the deadline' "$out" 'time is up'
rm workspace/slow
layers=$("$callgate" --output json call grep_search pattern=x | jq -r '._meta["callgate/call"].layers | join(" ")')
expect_match 'its walls' "$layers" 'allowlist seccomp'
down
verify_ok

# what calls leave behind is seen in their namespace only
rm -rf state run
mkdir -m 700 other
cat >callgate.yaml <<EOF
version: 1
server: {socket: {path: run/callgate.sock}}
roles:
  agent: {tools: ["*"], permissions: [daemon:control]}
  human: {tools: ["*"], approve: ["*"], permissions: [approvals:read, approvals:decide]}
principals:
  - {peer_uid: $uid, roles: [agent], namespaces: [default, other]}
  - {peer_uid: $uid, roles: [human], namespaces: [default]}
  - {peer_uid: 4242, roles: [human], namespaces: [other]}
namespaces: {default: {working_directory: ./workspace}, other: {working_directory: ./other}}
approvals: {hold: 100ms}
tools:
  ask: {type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true}
EOF
up
"$callgate" call ask command='touch here' >/dev/null 2>&1
"$callgate" call --namespace other ask command='touch there' >/dev/null 2>&1
"$callgate" --output json pending >pending.json
expect 'own questions are seen' "$(jq '.approvals | length' pending.json)" 2
there=$(jq -r '.approvals[] | select(.namespace == "other") | .id' pending.json)
"$callgate" approve "$there" >out.txt 2>&1 && fail "approved where no role of his may"
down
verify_ok
