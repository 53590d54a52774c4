# The studio: a policy read, checked and written over HTTP by whom the policy lets; never its server
# block; refused whole where it is wrong; the difference told and recorded; old versions kept.
. "$IT_TESTS/http.sh"
operator=$(openssl rand -hex 32) agent=$(openssl rand -hex 32)
printf 'OPERATOR=%s\nAGENT=%s\n' "$operator" "$agent" >.env
chmod 600 .env
# shellcheck disable=SC2034 # read by http_policy
server='  studio: {enabled: true, roles: [operator]}
  auth: {enabled: true, api_keys: ["${OPERATOR}", "${AGENT}"]}'
rest() { # ALLOWED: the file without its server block
	cat <<YAML
version: 1
# a comment that stays
roles:
  agent: {tools: [list]}
  operator: {tools: ["*"], permissions: [policy:read, policy:edit, daemon:control]}
principals:
  - {peer_uid: $uid, roles: [operator]}
  - {api_key: OPERATOR, roles: [operator]}
  - {api_key: AGENT, roles: [agent]}
namespaces: {default: {working_directory: ./workspace}}
defaults: {decision: allow}
tools:
  list:
    type: command
    deny_by_default: true
    allowed_commands: [$1]
    tests: [{args: {command: ls}, expect: allow}]
YAML
}
http_policy < <(rest ls | grep -v '^version')
http_up
ask() { jq -n --arg config "$1" --argjson more "${2:-{\}}" '{config: $config} + $more'; }

http_key=$agent
http GET /api/config
http_expect "an agent may not read it" 403
http_json POST /api/config "$(ask "$(rest 'ls, cat')")"
http_expect "nor write it" 403
http_key=''
http GET /api/config
http_expect "nobody may not, either" 401

http_key=$operator
http GET /api/config
http_expect "the operator reads it" 200
config=$(jq -r .config http.body) version=$(jq -r .version http.body)
grep -q '^server' <<<"$config" && fail "the server block is shown"
grep -q 'a comment that stays' <<<"$config" || fail "the text is not the file's: $config"
expect_match "version" "$version" '^sha256:[0-9a-f]{64}$'

before=$(sha256sum callgate.yaml)
for text in "server: {port: 1}
$config" "$config
\"server\": {port: 1}" '{"version": 1, "server": {"auth": {"enabled": false}}, "tools": {}}'; do
	http_json POST /api/config "$(ask "$text")"
	http_expect "a server block" 403 .error "Security: server configuration is immutable via studio API"
	[ -n "$(jq -r .details http.body)" ] || fail "no details"
done
http_json POST /api/config '{"server": {"auth": {"enabled": false}}, "config": "version: 1"}'
http_expect "a server block beside it" 403 .error "Security: server configuration is immutable via studio API"
http_json POST /api/config "$(ask "$(rest 'cat')")"
http_expect "its own test fails" 400
expect_match "it says which" "$(jq -r '.error + .details' http.body)" 'tests'
http_json POST /api/config "$(ask "$(rest 'ls, cat')
nonsense: 1")"
http_expect "an unknown key" 400
expect_match "it says where" "$(jq -r '.error + .details' http.body)" ':[0-9]+:[0-9]+: nonsense'
expect "nothing was written" "$(sha256sum callgate.yaml)" "$before"

http_json POST /api/config "$(ask "$(rest 'ls, cat')" '{"check": true}')"
http_expect "a check" 200
grep -q 'cat' <<<"$(jq -c .difference.gains http.body)" || fail "no gain is told: $(cat http.body)"
expect "a check writes nothing" "$(sha256sum callgate.yaml)" "$before"

http_json POST /api/config "$(ask "$(rest 'ls, cat')" '{"version": "sha256:'"$(printf '0%.0s' {1..64})"'"}')"
http_expect "another version is there" 409
http_json POST /api/config "$(ask "$(rest 'ls, cat')" "{\"version\": \"$version\"}")"
http_expect "written" 200
now=$(jq -r .version http.body)
[ "$now" != "$version" ] || fail "the version is the old one"
grep -q 'allowed_commands: \[ls, cat\]' callgate.yaml || fail "the file is the old one"
grep -q 'OPERATOR' callgate.yaml || fail "the server block is lost"
expect "the old one is kept" "$(sha256sum <callgate.yaml.1)" "$(sha256sum <<<"" >/dev/null; cut -d' ' -f1 <<<"$before")  -"
expect "mode" "$(stat -c %a callgate.yaml)" 600

# one at a time: whoever comes meanwhile is told by whom, and nothing is lost
racers=() count=0
for i in $(seq 8); do
	curl -s -o "race.$i" -w '%{http_code}\n' -X POST -H "X-API-Key: $http_key" \
		-H 'Content-Type: application/json' --data-binary \
		"$(ask "$(rest 'ls, cat')" '{"check": true}')" "$http_url/api/config" >"status.$i" &
	racers+=($!)
done
wait "${racers[@]}"
for i in $(seq 8); do
	case $(<"status.$i") in
	200) count=$((count + 1)) ;;
	409) expect_match 'who is first' "$(jq -r .error "race.$i")" \
		'being checked by api_key:OPERATOR; try again' ;;
	*) fail "eight at once: $(<"status.$i") $(<"race.$i")" ;;
	esac
done
[ $count -ge 1 ] || fail "eight at once, and none was served"

http_key=$agent
printf 'hello\n' >workspace/file
http_json POST /v1/tools/list/call '{"arguments": {"command": "cat file"}}'
http_expect "it is in force" 200 '.structuredContent.stdout' hello
"$callgate" config get >got.yaml || fail "callgate config get"
sed -i 's/ls, cat/ls, cat, head/' got.yaml
"$callgate" config check got.yaml >difference || fail "callgate config check"
grep -q head difference || fail "the command tells no difference: $(cat difference)"
sed '3s/^/nonsense: 1\n/' got.yaml >bad.yaml
"$callgate" config check bad.yaml 2>bad.err && fail "a bad file is good"
grep -q 'bad.yaml:3:1: nonsense' bad.err || fail "the complaint names another file: $(cat bad.err)"
"$callgate" config apply got.yaml >/dev/null || fail "callgate config apply"
grep -q 'head' callgate.yaml || fail "the command wrote nothing"
[ -e callgate.yaml.2 ] || fail "one old version only"
[ "$(records admin.config)" -ge 2 ] || fail "no record of who edited"
grep -h '"type":"admin.config"' state/audit/*.jsonl | grep -q 'api_key:OPERATOR' || fail "the record names nobody"
down
verify_ok
