#!/bin/sh
# Files <= 600 lines, functions <= 60, lines <= 100 columns (a tab counts 8), parameters <= 5.
# The ordered lists of steps may reach 150 lines: they are named here, one by one.
set -u
cd "$(dirname "$0")/../.." || exit 2
lists="enter_prepare enter_arm main start_daemon"
bad=0
files=$(tests/lint/sources.sh)
for file in $files; do
	[ -f "$file" ] || continue
	lines=$(wc -l <"$file")
	case $file in
	tests/*) limit=1000 ;;
	*) limit=600 ;;
	esac
	if [ "$lines" -gt "$limit" ]; then
		echo "$file: $lines lines, $limit at most: it has two jobs"
		bad=1
	fi
	awk -v file="$file" '{
		text = $0; column = 0
		for (i = 1; i <= length(text); i++)
			column += substr(text, i, 1) == "\t" ? 8 - column % 8 : 1
		if (column > 100) { printf "%s:%d: %d columns, 100 at most\n", file, NR, column; bad = 1 }
	} END { exit bad }' "$file" || bad=1
done
# shellcheck disable=SC2086
ctags -f - --languages=C --kinds-C=f --fields=+neS $(for f in $files; do
	case $f in tests/*) ;; *) [ -f "$f" ] && echo "$f" ;; esac
done) 2>/dev/null |
	awk -F '\t' -v lists="$lists" 'BEGIN { n = split(lists, l, " "); for (i = 1; i <= n; i++) list[l[i]] = 1 }
	{
		start = end = 0; signature = ""
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) start = substr($i, 6)
			if ($i ~ /^end:/) end = substr($i, 5)
			if ($i ~ /^signature:/) signature = substr($i, 11)
		}
		size = end - start + 1
		limit = ($1 in list) ? 150 : 60
		if (size > limit) { printf "%s:%d: %s() has %d lines, %d at most\n", $2, start, $1, size, limit; bad = 1 }
		commas = gsub(/,/, ",", signature)
		if (signature != "(void)" && commas + 1 > 6) {
			printf "%s:%d: %s() has %d parameters, 6 at most\n", $2, start, $1, commas + 1; bad = 1
		}
	} END { exit bad }' || bad=1
exit $bad
