# A wall that is required and missing is a refusal that names the switch and the remedy; without
# any cgroup the other limits hold and are attested as what they are.
. "$IT_TESTS/lib.sh"
if [ "$uid" = 0 ] && [ "${IT_INSIDE:-}" != 1 ]; then
	exec unshare -m env IT_INSIDE=1 bash "$0"
fi
[ "$uid" != 0 ] || mount -t tmpfs none /sys/fs/cgroup || fail "cannot hide the cgroups"
policy <<'EOF'
tools:
  strict: {type: command, deny_by_default: true, allowed_commands: [touch], sandbox: {require: [cgroup]}}
  plain:
    type: command
    deny_by_default: true
    allowed_commands: [ls, sh, python3]
    sandbox: {pids: 20, memory: 64MiB}
EOF
up
out=$("$callgate" call strict command='touch marker')
expect 'exit' $? 5
expect_match 'names the wall' "$out" 'cgroup'
expect_match 'names a remedy' "$out" '(elegate|systemd)'
[ ! -e workspace/marker ] || fail "it ran without the required wall"
json=$("$callgate" --output json call plain command=ls)
layers=$(jq -r '._meta["callgate/call"].layers | join(" ")' <<<"$json")
expect_match layers "$layers" 'limits:rlimit'
expect_match layers "$layers" 'memory:watched'
[[ $layers == *cgroup:v* ]] && fail "a cgroup is attested: $layers"
out=$("$callgate" --output json call plain argv:='["python3","-c","x = bytearray(1 << 30); print(len(x))"]')
[[ $(jq -r .structuredContent.stdout <<<"$out") == *1073741824* ]] && fail "memory did not hold"
out=$("$callgate" --output json call plain command='sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do ( while :; do :; done ) & done; echo started"' )
[ "$(jq -r '._meta["callgate/call"].outcome' <<<"$out")" != '' ] || fail "no outcome"
"$callgate" call plain command=ls >/dev/null || fail "not serving"
down
verify_ok
