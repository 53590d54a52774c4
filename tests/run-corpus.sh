#!/bin/sh
# usage: run-corpus.sh BUILD NAME...   replays tests/fuzz/corpus/NAME/* through each harness
set -u
build=$1
shift
passed=0 failed=0
for name in "$@"; do
	files=$(find "tests/fuzz/corpus/$name" -type f 2>/dev/null | sort)
	if [ -z "$files" ]; then
		echo "corpus $name: empty; every harness needs seeds"
		failed=$((failed + 1))
		continue
	fi
	# shellcheck disable=SC2086 # names of our own making
	if timeout 300 "$build/fuzz/replay_$name" $files >"$build/fuzz/$name.log" 2>&1; then
		passed=$((passed + 1))
	else
		echo "corpus $name: failed"
		tail -n 40 "$build/fuzz/$name.log" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
done
echo "corpus: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
