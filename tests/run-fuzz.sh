#!/bin/sh
# usage: run-fuzz.sh SECONDS NAME...   libFuzzer on each harness in turn; finds stay in build/fuzz
set -u
seconds=$1
shift
failed=0
for name in "$@"; do
	mkdir -p "build/fuzz/work/$name"
	log="build/fuzz/$name.log"
	if "build/fuzz/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -max_len=70000 \
		-artifact_prefix="build/fuzz/$name-" -print_final_stats=1 \
		"build/fuzz/work/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		state=clean
	else
		state=FOUND
		failed=1
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	cover=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	printf '%-10s %-6s %12s executions, %6s edges\n' "$name" "$state" "${runs:-?}" "${cover:-?}"
done
exit $failed
