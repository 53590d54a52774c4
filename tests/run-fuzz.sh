#!/bin/sh
# usage: run-fuzz.sh SECONDS NAME...   libFuzzer on each harness in turn: executions, edges of all that
# is linked, and how much of the files it is there for (tests/fuzz/judged.txt) all inputs reach. Finds
# stay in build/fuzz. Exit 1: something was found, or a harness did not work.
set -u
seconds=$1
shift
failed=0

# covered NAME: "N % of judged edges", out of the log
covered() {
	files=$(sed -n "s/^$1 \{1,\}//p" tests/fuzz/judged.txt)
	awk -v files="$files" -v here="$PWD/" 'BEGIN { n = split(files, file, " ") }
	/COVERED_FUNC: / {
		edges = $0
		sub(/.* edges: /, "", edges)
		split(edges, part, /[\/ ]/)
		path = $NF
		sub(/:[0-9]*$/, "", path)
		for (i = 1; i <= n; i++)
			if (index(path, here file[i]) == 1) {
				hit += part[1]
				all += part[2]
				break
			}
	} END {
		if (!all) exit 1
		printf "%3d %% of %d edges judged", 100 * hit / all, all
	}' "build/fuzz/$1.log"
}

for name in "$@"; do
	mkdir -p "build/fuzz/work/$name"
	log="build/fuzz/$name.log"
	if "build/fuzz/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -max_len=70000 \
		-artifact_prefix="build/fuzz/$name-" -print_final_stats=1 -print_coverage=1 \
		"build/fuzz/work/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		state=clean
	else
		state=FOUND
		failed=1
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	edges=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	if ! judged=$(covered "$name") && [ $state = clean ]; then
		judged='no edge judged: see tests/fuzz/judged.txt'
		failed=1
	fi
	printf '%-11s %-6s %11s executions, %6s edges, %s\n' "$name" "$state" "${runs:-?}" "${edges:-?}" "$judged"
done
exit $failed
