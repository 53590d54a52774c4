#!/bin/bash
# usage: real.sh BUILD
# The packs' own tests; the command lines of never/, which no pack may allow; and the packs' reading
# beside the real programs (real.py).
set -u
reader=$1/packs/reader
[ -x "$reader" ] || { echo "packs: $reader is not built; run make check-packs"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
failed=0

for file in "$here"/../../policy/packs/*.yaml; do
	"$reader" "$(basename "$file" .yaml)" --test || failed=$((failed + 1))
done
for file in "$here"/never/*.txt; do
	"$reader" "$(basename "$file" .txt)" --never <"$file" || failed=$((failed + 1))
done
python3 "$here/real.py" "$reader" || failed=$((failed + 1))
[ $failed -eq 0 ] || { echo "packs: $failed FAILED"; exit 1; }
