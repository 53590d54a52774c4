#!/bin/sh
# usage: headers.sh "compiler flags"
# Each header compiles alone and opens with a paragraph that says what it owns.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0
flags=$1
for header in $(tests/lint/sources.sh | grep '\.h$' | grep -v '^tests/'); do
	[ -f "$header" ] || continue
	# shellcheck disable=SC2086
	if ! echo "#include \"$header\"" | ${CC:-cc} -I. -D_GNU_SOURCE -std=gnu17 -Wall -Wextra -Werror \
		$flags -fsyntax-only -xc - 2>/dev/null; then
		echo "$header: does not compile alone"
		bad=1
	fi
	head -n 1 "$header" | grep -q '^/\*' || {
		echo "$header: the first line does not begin its explanation"
		bad=1
	}
done
exit $bad
