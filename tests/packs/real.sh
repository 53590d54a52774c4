#!/bin/bash
# usage: real.sh BUILD
# The packs' own tests, and their reading of long options beside the real programs: for every option
# that --help names and every beginning of it, both must take it, or both must not.
set -u
reader=$1/packs/reader
[ -x "$reader" ] || { echo "packs: $reader is not built; run make check-packs"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
failed=0 compared=0 differ=0

for file in "$here"/../../policy/packs/*.yaml; do
	"$reader" "$(basename "$file" .yaml)" --test || failed=$((failed + 1))
done

program_takes() { # PROGRAM WORD
	local said
	said=$(cd /nonexistent 2>/dev/null || cd /proc/self/fdinfo; timeout 5 "$1" "$2" --version </dev/null 2>&1)
	[[ ! $said =~ (ambiguous|unrecognized|unknown)\ option|\ is\ ambiguous ]]
}
pack_takes() { # PACK WORD
	local said
	said=$("$reader" "$1" "$1" "$2" --version)
	[[ ! $said =~ doubt\ [12]\  ]]
}
for program in sort sed tar; do
	for option in $("$program" --help 2>&1 | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		for ((n = 3; n <= ${#option}; n++)); do
			word=${option:0:n}
			compared=$((compared + 1))
			program_takes "$program" "$word" && theirs=yes || theirs=no
			pack_takes "$program" "$word" && ours=yes || ours=no
			[ $theirs = $ours ] && continue
			differ=$((differ + 1))
			echo "FAILED packs: $program $word: the program takes it: $theirs, the pack: $ours"
		done
	done
done
echo "packs: $compared beginnings of options compared, $differ differ, $failed packs failed"
[ $differ -eq 0 ] && [ $failed -eq 0 ]
