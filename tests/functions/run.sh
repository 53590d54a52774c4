#!/bin/bash
# usage: run.sh BUILD   the programs of the function tools: hostile files and input, and one dialect
# of patterns beside grep and ripgrep. A case that cannot run says so in one line that must be
# listed in tests/skips.txt, or it counts as failed. Last line: "N passed, N failed, N skipped".
set -u
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")" || exit 2
[ "$(id -u)" = 0 ] && who=root || who=user
passed=0 failed=0 skipped=0
for case in ./[0-9]*.sh; do
	name=functions/$(basename "$case" .sh)
	out=$(timeout -k 5 180 bash "$case" "$build" 2>&1 </dev/null)
	status=$?
	if [ $status -eq 77 ] && ! grep -qxF "$name $who: $out" ../skips.txt; then
		out="a skip that tests/skips.txt does not list: $name $who: $out"
		status=1
	fi
	case $status in
	0) passed=$((passed + 1)) && echo "ok   $name${out:+ ($(printf '%s' "$out" | tail -n 1))}" ;;
	77) skipped=$((skipped + 1)) && echo "skip $name ($who): $out" ;;
	*) failed=$((failed + 1)) && echo "FAILED $name" && printf '%s\n' "$out" | sed 's/^/    /' ;;
	esac
done
echo "functions: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
