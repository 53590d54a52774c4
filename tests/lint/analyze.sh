#!/bin/sh
# usage: analyze.sh CC "compiler flags"   static analysis; prints findings, fails on errors.
set -u
cd "$(dirname "$0")/../.." || exit 2
flags=$2
log=build/analyze.log
mkdir -p build
: >"$log"
for file in $(tests/lint/sources.sh | grep '\.c$' | grep -v '^tests/'); do
	# shellcheck disable=SC2086
	$1 -std=gnu17 -D_GNU_SOURCE -DCALLGATE_VERSION='"0"' -I. $flags -O1 -fanalyzer -fsyntax-only \
		"$file" >>"$log" 2>&1
done
grep -E 'warning:|error:' "$log" | sort | uniq -c | sort -rn | head -n 40
cppcheck --quiet --enable=warning,portability --inline-suppr --suppress=missingInclude \
	--error-exitcode=1 -I. supervisor policy sandbox agent-api
