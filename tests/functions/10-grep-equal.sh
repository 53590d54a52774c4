# One dialect: the same lines as grep -P and rg -P.
here=$PWD
. ./lib.sh || exit 2
for program in rg python3; do
	command -v "$program" >/dev/null || fail "$program is missing"
done
python3 "$here/grep_equal.py" "$grep_search"
