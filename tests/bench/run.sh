#!/bin/bash
# usage: run.sh BUILD   Benchmarks, side by side in one run; prints figures and ratios, judges nothing.
set -eu
build=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${ROUNDS:-200}
"$top/tests/install-packages.sh" bubblewrap jq
dir=$(mktemp -d "${TMPDIR:-/tmp}/callgate-bench.XXXXXX")
export CALLGATE_HOME=$dir/state CALLGATE_SOCKET=$dir/run/callgate.sock
trap '"$build/callgate" down >/dev/null 2>&1 || :; rm -rf "$dir"' EXIT
mkdir -p "$dir/workspace" "$dir/bin"
chmod 755 "$dir" "$dir/bin"
# An ordinary user's own program is refused (he could change it): there it is the system's true.
if [ "$(id -u)" = 0 ]; then
	program=$dir/bin/tiny
	${CC:-cc} -O2 -static -o "$program" "$top/tests/bench/tiny.c"
else
	program=/usr/bin/true
fi
cat >"$dir/callgate.yaml" <<EOF
version: 1
server: {socket: {path: run/callgate.sock}}
roles: {agent: {tools: ["*"], permissions: [daemon:control]}}
principals: [{peer_uid: $(id -u), roles: [agent]}]
namespaces: {default: {working_directory: ./workspace}}
tools:
  tiny: {type: command, deny_by_default: true, allowed_commands: [$program]}
EOF
chmod 600 "$dir/callgate.yaml"
"$build/callgate" up --config "$dir/callgate.yaml" >/dev/null
pid=$("$build/callgate" --output json status | jq .pid)
echo "idle daemon, memory by process (PSS and private, KiB):"
for p in "$pid" $(pgrep -P "$pid"); do
	awk -v n="$(tr '\0' ' ' <"/proc/$p/cmdline" | cut -c 1-40)" '/^Pss:/ {p=$2} /^Private_/ {v+=$2} END {printf "  %-42s %6d %6d\n", n, p, v}' \
		"/proc/$p/smaps_rollup" 2>/dev/null || echo "  $p: not readable"
done
# The same walls: all namespaces, a private root, no new privileges, a filter of the same kind and
# size, and a Landlock step of twenty rules (which costs bubblewrap an exec of its own).
${CC:-cc} -O2 -static -D_GNU_SOURCE -o "$dir/bin/landlocked" "$top/tests/bench/landlocked.c"
"$build/bench/bench_filter" >"$dir/filter"
"$build/bench/bench_call" "$CALLGATE_SOCKET" tiny "$program" "$dir/sync" "$dir/filter" "$rounds" \
	/usr/bin/bwrap --seccomp 9 --unshare-all --die-with-parent --new-session \
	--ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin \
	--ro-bind /etc /etc --proc /proc --dev /dev --tmpfs /tmp \
	--bind "$dir/workspace" "$dir/workspace" --ro-bind "$dir/bin" "$dir/bin" \
	--chdir "$dir/workspace" --clearenv "$dir/bin/landlocked" "$program"
echo "rules, tests and decisions of a policy:"
"$build/bench/bench_policy"
echo "who asks, verifications a second on one core:"
"$build/bench/bench_identity"
echo "the recorded session of examples/coding-agent:"
"$top/tests/bench/prompts.sh" "$build"
echo "bubblewrap leaves no durable record, checks no policy and captures no output."
