#!/bin/bash
# usage: run.sh BUILD [CASE...]
# Runs each case against the real daemon in a folder of its own. As root every case runs twice: as
# root, and as an ordinary user made for the run, both at the same time unless it has a line "# alone:
# WHY" or looks for processes by name. A case that cannot run says so in one line that must be listed in tests/skips.txt, or it counts
# as failed. IT_SLOW=N: a machine that takes N times as long. Last line: "N passed, N failed, ...".
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd) || exit 2
shift
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=("$here"/cases/*.sh)
timeout_s=${CASE_TIMEOUT:-180}
user=''

scratch=$(mktemp -d /tmp/callgate-it.XXXXXX) || exit 2
cleanup() {
	[ -z "$user" ] || userdel "$user" >/dev/null 2>&1
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
chmod 755 "$scratch"
# A copy outside the checkout: an ordinary user may not be able to read the latter.
mkdir "$scratch/bin" "$scratch/tests" "$scratch/src"
cp "$build"/callgate "$build"/callgated "$build"/callgate-* "$scratch/bin/"
# A sanitizer cannot live in a cell (address space, ptrace): what runs there comes from another build.
for program in ${IT_CELLS_FROM:+callgate callgate-text-editor callgate-grep-search}; do
	cp "$top/$IT_CELLS_FROM/$program" "$scratch/bin/" || exit 2
done
cp -R "$here"/. "$scratch/tests/"
[ ! -d "$build/it" ] || cp "$build"/it/* "$scratch/bin/"
[ ! -d "$top/build/npm" ] || cp -R "$top/build/npm" "$scratch/npm"
mkdir -p "$scratch/src/tests/bench" "$scratch/src/tests/unit/http"
cp -R "$top/examples" "$top/README.md" "$scratch/src/"
cp "$top/tests/bench/prompts.sh" "$scratch/src/tests/bench/"
cp "$top/tests/unit/http/vectors.h" "$scratch/src/tests/unit/http/"
mkdir "$scratch/src/agent-api"
cp "$top/agent-api/openapi.yaml" "$scratch/src/agent-api/"
chmod -R a+rX "$scratch"

run_case() { # USER CASE KIND: one line in results
	local name who=$1 who_kind=$3 log status
	name=$(basename "$2" .sh)
	log=$scratch/$name.$who.log
	mkdir "$scratch/$name.$who"
	chmod 700 "$scratch/$name.$who"
	if [ "$who" = "$(id -un)" ]; then
		env -i PATH="$PATH" HOME="$scratch/$name.$who" LANG=C.UTF-8 USER="$who" IT_BIN="$scratch/bin" \
			IT_TESTS="$scratch/tests" IT_DIR="$scratch/$name.$who" IT_NPM="$scratch/npm/node_modules" \
			ASAN_OPTIONS=detect_leaks=0 IT_SLOW="${IT_SLOW:-1}" \
			timeout -k 5 "$timeout_s" bash "$scratch/tests/cases/$name.sh" >"$log" 2>&1 </dev/null
	else
		chown "$who" "$scratch/$name.$who"
		setpriv --reuid "$who" --regid "$who" --clear-groups -- \
			env -i PATH="$PATH" HOME="$scratch/$name.$who" LANG=C.UTF-8 USER="$who" \
			IT_BIN="$scratch/bin" IT_TESTS="$scratch/tests" IT_DIR="$scratch/$name.$who" \
			IT_NPM="$scratch/npm/node_modules" ASAN_OPTIONS=detect_leaks=0 IT_SLOW="${IT_SLOW:-1}" \
			timeout -k 5 "$timeout_s" bash "$scratch/tests/cases/$name.sh" >"$log" 2>&1 </dev/null
	fi
	status=$?
	if [ $status -eq 77 ]; then
		local why
		why=$(tail -n 1 "$log")
		if grep -qF "$name $who_kind: ${why#SKIP: }" "$top/tests/skips.txt"; then
			echo skipped >>"$scratch/results"
			echo "skip $name ($who_kind): ${why#SKIP: }"
			return
		fi
		echo "a skip that tests/skips.txt does not list: $name $who_kind: ${why#SKIP: }" >>"$log"
		status=1
	fi
	if [ $status -eq 0 ]; then
		echo passed >>"$scratch/results"
		echo "ok   $name ($who_kind)"
	else
		echo failed >>"$scratch/results"
		{ # in one piece: another case may be running
			echo "FAIL $name ($who_kind), status $status"
			tail -n 40 "$log" | sed 's/^/     /'
			for file in "$scratch/$name.$who"/*/callgated.log "$scratch/$name.$who"/daemon.log; do
				[ -s "$file" ] && tail -n 15 "$file" | sed 's/^/     daemon: /'
			done
		} >"$log.told"
		cat "$log.told"
	fi
	[ -n "${KEEP:-}" ] || rm -rf "$scratch/$name.$who"
}

if [ "$(id -u)" = 0 ]; then
	user=cgtest$$
	useradd --no-create-home --shell /usr/sbin/nologin --user-group "$user" || exit 2
fi
count() { grep -cx "$1" "$scratch/results"; }
: >"$scratch/results"
for case in "${cases[@]}"; do
	run_case "$(id -un)" "$case" "$([ "$(id -u)" = 0 ] && echo root || echo user)" &
	if [ -n "$user" ] && ! grep -q '^# only: root' "$case"; then
		! grep -q '^# alone: \|pgrep\|pkill\|pidof' "$case" || wait
		run_case "$user" "$case" user &
	fi
	wait
done
echo "integration: $(count passed) passed, $(count failed) failed, $(count skipped) skipped"
[ "$(count failed)" -eq 0 ] && [ "$(count passed)" -gt 0 ]
