# The protocol's own inspector from npm over `callgate mcp`, in both eras: list (strict schemas),
# an allowed call, a refused one, an unknown tool.
. "$IT_TESTS/lib.sh"
policy <<'YAML'
tools:
  look: {type: command, deny_by_default: true, allowed_commands: [cat]}
YAML
echo hello >workspace/hello
up
node=$(echo "$IT_NPM"/node-linux-*/bin/node)
export PATH=${node%/node}:$PATH HOME=$IT_DIR
inspect() { # ERA ARGS...
	local era=$1
	shift
	timeout 25 "$node" "$IT_NPM/@modelcontextprotocol/inspector/clients/launcher/build/index.js" --cli \
		-e CALLGATE_SOCKET="$CALLGATE_SOCKET" --protocol-era "$era" --format json -q "$@" \
		"$callgate" mcp
}
look() { # ERA COMMAND
	inspect "$1" --method tools/call --tool-name look --tool-args-json "{\"command\":\"$2\"}"
}
both() { # ERA: prints what went wrong
	local out status
	out=$(inspect "$1" --method tools/list --strict 2>&1) || echo "$1 list: $? $out"
	[[ $out == *'"look"'* ]] || echo "$1 list: $out"
	out=$(look "$1" 'cat hello' 2>&1) || echo "$1 allowed: $? $out"
	[[ $out == *hello* ]] || echo "$1 allowed: $out"
	out=$(look "$1" 'rm hello' 2>&1)
	status=$?
	[ $status -eq 5 ] || echo "$1 refused: status $status, $out"
	[[ $out == *'Refused by callgate, rule callgate.yaml:'* ]] || echo "$1 refused: $out"
	inspect "$1" --method tools/call --tool-name absent --tool-args-json '{}' >absent.$1 2>&1
	status=$?
	[ $status -eq 5 ] || echo "$1 unknown: status $status, $(cat absent.$1)"
}
both legacy >legacy.log 2>&1 &
legacy=$!
both modern >modern.log 2>&1
wait $legacy
expect 'the legacy era' "$(cat legacy.log)" ''
expect 'the modern era' "$(cat modern.log)" ''
[ -e workspace/hello ] || fail "hello is gone"
down
verify_ok
