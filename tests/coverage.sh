#!/bin/sh
# usage: coverage.sh BUILD   line coverage by folder, from gcov's own numbers
set -u
build=$1
find "$build/obj" -name '*.gcda' ! -path '*/tests/*' | while read -r data; do
	gcov -n -o "$(dirname "$data")" "$data" 2>/dev/null
done | awk '/^File .[a-z]/ { split($2, q, "\047"); file = q[2] }
	/^Lines executed:/ && file !~ /^\/|\.h$/ {
		split($2, p, /[:%]/); n = $4; sub(/^executed:/, "", $2); percent = $2 + 0
		folder = file; sub(/\/[^\/]*$/, "", folder)
		lines[folder] += n; hit[folder] += n * percent / 100; all += n; got += n * percent / 100
		file = "/"
	}
	END {
		for (f in lines) printf "%-24s %6d lines %5.1f %%\n", f, lines[f], 100 * hit[f] / lines[f] | "sort"
		close("sort")
		if (all) printf "%-24s %6d lines %5.1f %%\n", "all", all, 100 * got / all
	}'
