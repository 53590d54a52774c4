# Reload keeps the old policy when the new one is broken; a second daemon is refused; broken
# policies, loose permissions and working directories that are not what they seem refuse the start.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls, cat]}
EOF
up
version() { "$callgate" --output json status | jq -r .policy.version; }
first=$(version)
cp callgate.yaml good.yaml
echo 'nonsense: true' >>callgate.yaml
out=$("$callgate" reload 2>&1) && fail "a broken policy was loaded"
expect_match 'reload message' "$out" 'callgate.yaml:[0-9]+:[0-9]+: .*nonsense'
expect 'policy in force' "$(version)" "$first"
"$callgate" call bash command=ls >/dev/null || fail "the old policy is not in force"
sed 's/\[ls, cat\]/[cat]/' good.yaml >callgate.yaml
"$callgate" reload >/dev/null || fail "reload of a good policy: $?"
[ "$(version)" != "$first" ] || fail "the version did not change"
"$callgate" call bash command=ls >/dev/null && fail "ls still runs after the reload"
cp good.yaml callgate.yaml
kill -HUP "$daemon"
for _ in $(seq 60); do [ "$(version)" = "$first" ] && break; sleep 0.05; done
expect 'version after SIGHUP' "$(version)" "$first"
expect_match 'refused policies are recorded' "$(records policy.refused)" '^[1-9]'

# a policy that cannot even be read leaves the old one in force, and the daemon alive
not_read() { # WHAT REGEX
	out=$("$callgate" reload 2>&1) && fail "$1: it was loaded"
	expect_match "$1" "$out" "$2"
	kill -HUP "$daemon"
	"$callgate" call bash command=ls >/dev/null || fail "$1: the old policy is not in force: $?"
	expect "$1: policy in force" "$(version)" "$first"
}
mv callgate.yaml away.yaml
not_read 'a policy that is gone' 'No such file'
mv away.yaml callgate.yaml
chmod 666 callgate.yaml
not_read 'a policy that others write' 'others change'
chmod 600 callgate.yaml
mkdir .env
not_read 'a folder for .env' '[.]env'
rmdir .env
echo X=1 >.env
chmod 644 .env
not_read 'a .env that others read' '[.]env'
rm .env
head -c 300000 /dev/zero >.env
chmod 600 .env
not_read 'a .env that is too large' '[.]env:1:1: larger than 256 KiB; keep only variables in it'
out=$("$callgate" policy check callgate.yaml 2>&1) && fail "policy check of a .env that is too large"
expect_match 'policy check of it' "$out" '[.]env:1:1: larger than 256 KiB'
rm .env
"$callgate" reload >/dev/null || fail "reload after all that: $?"
# a second daemon on the same state
out=$("$IT_BIN/callgated" --config callgate.yaml --state state 2>&1) && fail "a second daemon started"
expect_match 'second daemon' "$out" "$daemon"
# tools, agents, explain, help, version
"$callgate" tools | grep -q '^bash ' || fail "tools"
"$callgate" policy explain bash command='rm x' | grep -q deny || fail "explain: $("$callgate" policy explain bash command='rm x')"
"$callgate" policy explain --config callgate.yaml bash command='ls' | grep -q allow || fail "explain offline"
runs_as='a uid of its own'
[ "$uid" = 0 ] || runs_as="the daemon's user"
for where in '' '--config callgate.yaml'; do
	# shellcheck disable=SC2086
	"$callgate" policy explain $where bash command=ls | grep -qF "runs as $runs_as" ||
		fail "explain $where: $("$callgate" policy explain $where bash command=ls | grep walls)"
done
"$callgate" policy check callgate.yaml >/dev/null || fail "policy check"
"$callgate" help | grep -q approve || fail help
"$callgate" version | grep -q '^callgate [0-9]' || fail version
down
"$callgate" status >/dev/null 2>&1
expect 'status without a daemon' $? 4
verify_ok

# whoever waits at the socket may ask for the end before the start is over
for _ in 1 2 3 4 5; do
	"$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &
	daemon=$!
	until "$callgate" down >/dev/null 2>&1; do
		kill -0 "$daemon" 2>/dev/null || break
	done
	for _ in $(seq 200); do
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.05
	done
	kill -0 "$daemon" 2>/dev/null && fail "the daemon was asked to stop while it started, and did not"
	wait "$daemon" || fail "a daemon that was asked to stop while it started: $?"
	daemon=''
done
refused() { # WHAT REGEX: the daemon does not start and says why in one line
	local out
	out=$(timeout 20 "$IT_BIN/callgated" --config callgate.yaml --state state 2>&1) && fail "$1: it started"
	expect_match "$1" "$out" "$2"
	[ "$(printf '%s\n' "$out" | grep -c 'not started:')" -eq 1 ] || fail "$1: more than one line: $out"
}
cp good.yaml callgate.yaml
chmod 644 state/keys/signer.key
refused 'a key that others can read' 'state/keys/signer.key: mode 0644 .*; chmod 600 it'
chmod 600 state/keys/signer.key
chmod 666 callgate.yaml
refused 'a policy that others can write' 'others change'
chmod 600 callgate.yaml
mv workspace gone
refused 'a missing working directory' 'callgate.yaml:[0-9]+:[0-9]+: .*workspace'
ln -s /etc workspace
refused 'a linked-out working directory' 'callgate.yaml:[0-9]+:[0-9]+: .*(link|symbolic)'
rm workspace
mkdir workspace
sed 's|working_directory: ./workspace|working_directory: .|' good.yaml >callgate.yaml
refused 'the policy inside a workspace' 'callgate.yaml:[0-9]+:[0-9]+: .*(policy|inside)'
printf 'tools: [\n' >callgate.yaml
refused 'a policy that does not parse' 'callgate.yaml:[0-9]+:[0-9]+:'
# up and down by the command
cp good.yaml callgate.yaml
"$callgate" up --config callgate.yaml >/dev/null || fail "up"
"$callgate" call bash command='ls' >/dev/null || fail "call after up"
"$callgate" down >/dev/null || fail "down"
# clients that wait at the socket before the daemon is ready neither kill it nor get lost
for _ in 1 2 3; do
	"$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &
	daemon=$!
	pids=()
	for _ in 1 2 3 4; do
		(for _ in $(seq 400); do "$callgate" call bash command=ls >/dev/null 2>&1 && exit 0; sleep 0.02; done; exit 1) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "a client that came early was never served: $(tail -n 3 daemon.log)"
	done
	down
done
