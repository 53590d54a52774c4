# `policy schema`: indented for people, in one line for programs, the same both times; a schema of
# draft 2020-12 in the eyes of another implementation, which the examples fit and broken files do not.
. "$IT_TESTS/lib.sh"
"$callgate" policy schema >schema.json || fail "policy schema: $?"
"$callgate" --output json policy schema >compact.json || fail "policy schema as JSON: $?"
expect 'lines for programs' "$(wc -l <compact.json)" 1
[ "$(wc -l <schema.json)" -gt 100 ] || fail "not indented: $(head -c 200 schema.json)"
expect_match 'two spaces' "$(sed -n 2p schema.json)" '^  "\$schema": "https://json-schema.org/draft/2020-12/schema"'
cmp <(jq -c . schema.json) compact.json || fail "the two differ, in more than blanks"

[ -d "$IT_NPM" ] || fail "the npm packages are missing"
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
[ -x "$node" ] || fail "node 22 is missing"
ln -s "$IT_NPM" node_modules
cp "$IT_TESTS/policy_schema.mjs" .
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls]}
POLICY
examples=("$IT_BIN"/../src/examples/*/callgate.yaml)
[ ${#examples[@]} -ge 4 ] || fail "where are the examples? ${examples[*]}"
sed 's/allowed_commands/alowed_commands/' callgate.yaml >key.bad.yaml
sed 's/type: command/type: programme/' callgate.yaml >choice.bad.yaml
sed 's/\[ls\]/7/' callgate.yaml >kind.bad.yaml
out=$("$node" policy_schema.mjs schema.json callgate.yaml "${examples[@]}" ./*.bad.yaml 2>&1) ||
	fail "ajv: $out"
expect 'what ajv says' "$out" "$((${#examples[@]} + 1)) fit, 3 do not"
