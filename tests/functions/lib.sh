# Sourced by each case: a working directory of its own, the programs, and checks that say what they
# expected. $1 is the build folder.
set -u
editor=$1/callgate-text-editor
grep_search=$1/callgate-grep-search
dir=$(mktemp -d "${TMPDIR:-/tmp}/callgate-functions.XXXXXX") || exit 2
outside=$(mktemp -d "${TMPDIR:-/tmp}/callgate-outside.XXXXXX") || exit 2
trap 'chmod -R u+rwx "$dir" 2>/dev/null; rm -rf "$dir" "$outside"' EXIT
cd "$dir" || exit 2
fail() {
	echo "$*"
	exit 1
}
# expect STATUS PATTERN PROGRAM <input   the exit status, and a pattern (grep -E) of the text
expect() {
	local status=$1 pattern=$2 got text
	shift 2
	text=$("$@" 2>&1 | tr -d '\0'; exit "${PIPESTATUS[0]}")
	got=$?
	[ "$got" = "$status" ] || fail "$*: exit status $got, not $status: $text"
	printf '%s' "$text" | grep -qE -- "$pattern" || fail "$*: \"$text\" does not hold $pattern"
}
edit() { # edit STATUS PATTERN JSON
	expect "$1" "$2" "$editor" <<<"$3"
}
search() { # search STATUS PATTERN JSON
	expect "$1" "$2" "$grep_search" <<<"$3"
}
