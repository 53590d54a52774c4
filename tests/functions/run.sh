#!/bin/bash
# usage: run.sh BUILD   the programs of the function tools: hostile files and input, and one dialect
# of patterns beside grep and ripgrep. Last line: "N passed, N failed, N skipped".
set -u
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")" || exit 2
passed=0 failed=0 skipped=0
for case in ./[0-9]*.sh; do
	out=$(timeout -k 5 180 bash "$case" "$build" 2>&1 </dev/null)
	case $? in
	0) passed=$((passed + 1)) && echo "ok   $case${out:+ ($(printf '%s' "$out" | tail -n 1))}" ;;
	77) skipped=$((skipped + 1)) && echo "skip $case: $out" ;;
	*) failed=$((failed + 1)) && echo "FAILED $case" && printf '%s\n' "$out" | sed 's/^/    /' ;;
	esac
done
if [ "$skipped" -ne 0 ] && [ -n "${CHECK_NO_SKIP:-}" ] && [ "$(id -u)" = 0 ]; then
	echo "skips are not allowed here"
	failed=$((failed + skipped))
fi
echo "functions: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
