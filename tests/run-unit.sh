#!/bin/sh
# Runs each unit test program in a process of its own and sums up. TAP from cmocka is kept in
# build/.../*.tap; only failures and skips are printed. Last line: "N passed, N failed, N skipped".
set -u
passed=0 failed=0 skipped=0
for test in "$@"; do
	log="$test.tap"
	if ASAN_OPTIONS="${ASAN_OPTIONS:-}:abort_on_error=0" CMOCKA_MESSAGE_OUTPUT=TAP \
		"$test" >"$log" 2>&1; then
		status=ok
	else
		status=failed
	fi
	ok=$(grep -c '^ok ' "$log")
	bad=$(grep -c '^not ok ' "$log")
	skip=$(grep -c '^ok .*# SKIP' "$log")
	[ "$status" = failed ] && [ "$bad" -eq 0 ] && bad=1
	[ "$ok" -eq 0 ] && [ "$bad" -eq 0 ] && bad=1
	sed -n "s|^ok \(.*# SKIP.*\)|skip ${test#*/unit/}: \1|p" "$log"
	passed=$((passed + ok - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
	if [ "$bad" -eq 0 ]; then
		echo "ok   ${test#*/unit/} ($ok)"
	else
		echo "FAILED $test"
		sed 's/^/    /' "$log" | tail -n 60
	fi
done
if [ "$skipped" -ne 0 ] && [ -n "${CHECK_NO_SKIP:-}" ]; then
	echo "skips are not allowed here"
	failed=$((failed + skipped))
fi
echo "unit: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
