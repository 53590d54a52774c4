# Behind Debian's nginx the gate sees the client: the IP allowlist, rate limits and records are about
# whom a trusted proxy names, right to left; nobody else is believed. Streams are not held up.
. "$IT_TESTS/http.sh"
shout=127.0.0.5 quiet=127.0.0.6 stranger=127.0.0.7
server="  trusted_proxies: [127.0.0.1/32]
  ip_allowlist: [127.0.0.1/32, $shout/32, $quiet/32]
  rate_limiting: {enabled: true, requests_per_minute: 12, burst: 12}"
http_policy <<EOF
defaults: {decision: allow}
roles:
  agent: {tools: ["*"]}
  human: {permissions: [daemon:control]}
principals:
  - {anonymous: true, roles: [agent]}
  - {peer_uid: $uid, roles: [agent, human]}
namespaces: {default: {working_directory: ./workspace}}
tools:
  nap: {type: command, deny_by_default: true, allowed_commands: [sleep]}
EOF
http_up
direct=$http_url
nginx_start

# the allowlist
http_url=$nginx_url
http GET /tools --interface $shout
http_expect 'a client that is listed' 200 '.tools[0].name' nap
http GET /tools --interface $stranger
http_expect 'one that is not' 403 '.error | type' string
http GET /tools --interface $stranger -H "X-Forwarded-For: $shout"
http_expect 'a name that the client put there himself' 403
http GET /tools --interface $stranger -H "X-Forwarded-For: $shout, $shout"
http_expect 'two of them' 403
http GET /tools --interface $stranger -H "Forwarded: for=$shout"
[[ $http_status =~ ^40[03]$ ]] || fail "the other header says another: $http_status"
http_url=$direct
http GET /tools --interface $stranger -H "X-Forwarded-For: $shout"
http_expect 'past the proxy, and forged' 403
http GET /tools --interface $quiet -H "X-Forwarded-For: $stranger"
http_expect 'past the proxy: the address is what it is' 200
http GET /tools -H 'X-Forwarded-For: not an address'
[[ $http_status =~ ^4 ]] || fail "a proxy that says nonsense: $http_status"

# rate limits: each client his own, whatever he calls himself
http_url=$nginx_url
limited=0
for i in $(seq 16); do
	http GET /tools --interface $shout -H "X-Forwarded-For: 203.0.113.$i"
	[ "$http_status" != 429 ] || limited=$((limited + 1))
done
[ $limited -gt 0 ] || fail "sixteen requests at once, and twelve were allowed: no 429"
http_expect 'the last one' 429 '.error | type' string
expect_match 'Retry-After' "$(http_header Retry-After)" '^[0-9]+$'
http GET /tools --interface $quiet
http_expect 'another client is not limited' 200
http GET /health --interface $shout
http_expect 'monitors are always answered' 200 .status ok

# a stream begins before its end, though nginx buffers (X-Accel-Buffering)
version=io.modelcontextprotocol/protocolVersion
timing=$(curl -s --interface $quiet -o stream -w '%{http_code} %{content_type} %{time_starttransfer} %{time_total}' \
	-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
	-H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: nap' --data-binary \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"nap\",\"arguments\":{\"argv\":[\"sleep\",\"2\"]},\"_meta\":{\"progressToken\":1,\"$version\":\"2026-07-28\",\"${version%/*}/clientCapabilities\":{}}}}" \
	"$nginx_url/mcp")
read -r code type first total <<<"$timing"
expect 'a call through nginx' "$code $type" '200 text/event-stream'
python3 -c "import sys; sys.exit(not ($first < 1.5 and $total >= 1.9))" ||
	fail "the stream was held up: first byte after $first s of $total s"
expect_match 'the result' "$(cat stream)" '"outcome":"completed"'
grep -h '"type":"call.' state/audit/*.jsonl | grep -qF "$quiet" ||
	fail "the client's address is in no record of the call"
down
verify_ok
