#!/bin/sh
# The walls, attacked from inside real cells, and the test of that test: with one wall left out
# (a build with WALLS=1), the verbs of that wall must see it. As root: root's cells and an ordinary
# user's; else the latter only. Usage: run.sh BUILD BUILD_WITH_WALLS
set -u
cells=$1/escape/cells cells_walls=$2/escape/cells probe=$1/escape/probe
for program in "$cells" "$cells_walls" "$probe"; do
	[ -x "$program" ] || { echo "escape: $program is not built; run make check-escape"; exit 2; }
done
here=$(dirname "$0")
matrix=$here/matrix.txt
log=$(mktemp)
passed=0 failed=0
places=
trap 'rm -rf "$log" $places' EXIT

# one TITLE COMMAND...: the last line but one is "N held, N failed", the last the folder it used
one() {
	title=$1
	shift
	if timeout 300 "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED escape: $title"
		sed 's/^/    /' "$log" | tail -n 40
	fi
	place=$(tail -n 1 "$log")
	case $place in
	/tmp/callgate-cells-*) places="$places $place" ;;
	esac
}

users="$(id -u)"
[ "$users" -ne 0 ] || users="0 65534"
for user in $users; do
	one "uid $user: every wall holds" "$cells" --user "$user" "$probe" "$matrix"
	one "uid $user: life and death" "$cells" --user "$user" --life "$probe"
	for layer in $(awk '!/^#/ && $2 != "-" && NF == 2 {print $2}' "$matrix" | sort -u); do
		# An ordinary user's groups are not the daemon's to drop: nothing to leave out.
		[ "$user $layer" != "$user groups" ] || [ "$user" -eq 0 ] || continue
		one "uid $user: without $layer its probe must see it" \
			env CALLGATE_TEST_WALL_OFF="$layer" "$cells_walls" --user "$user" --off "$layer" "$probe" "$matrix"
	done
	# Walls that stand behind others: with those off they hold, with their own off as well not.
	while read -r verb layer front; do
		one "uid $user: $layer holds without $front" env CALLGATE_TEST_WALL_OFF="$front" \
			"$cells_walls" --user "$user" --verb "$verb" "$probe" "$matrix"
		one "uid $user: without $front and $layer its probe must see it" \
			env CALLGATE_TEST_WALL_OFF="$front,$layer" \
			"$cells_walls" --user "$user" --off "$layer" "$probe" "$matrix"
	done <<-END
		$(awk '!/^#/ && NF == 3' "$matrix")
	END
done
# The control group is the daemon's to give: the probe as a tool of a real one. An ordinary user's
# daemon has none here, and says so (integration case 13): nothing to leave out.
if [ "$(id -u)" -eq 0 ]; then
	one "a tree's memory is bounded" bash "$here/daemon.sh" "$1" "$1/callgated" "$probe" held
	one "without cgroup its probe must see it" \
		bash "$here/daemon.sh" "$1" "$2/callgated" "$probe" breached
fi

# No trace of the switch may be in a build that ships.
if grep -q CALLGATE_TEST_WALL_OFF "$cells"; then
	failed=$((failed + 1))
	echo "FAILED escape: the plain build can switch walls off"
else
	passed=$((passed + 1))
fi
echo "escape: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
