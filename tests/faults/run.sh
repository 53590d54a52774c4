#!/bin/bash
# usage: run.sh BUILD [quick]
# Every system call of the launch path fails once (sweep.py); quick: as many as fit into 15 seconds, drawn
# by a seed that is printed and can be given again: FAULTS_SEED=N. FAULTS_ONLY=WHO[:K[:N]] picks some.
# As root the sweep runs twice: as root, and as an ordinary user made for the run.
# Last line: "faults: N passed, N failed, N skipped".
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) || exit 2
options=()
[ "${2:-}" != quick ] || options+=(--quick 15)
[ -z "${FAULTS_SEED:-}" ] || options+=(--seed "$FAULTS_SEED")
[ -z "${FAULTS_ONLY:-}" ] || options+=(--only "$FAULTS_ONLY")
if [ "$(uname -m)" != x86_64 ]; then
	echo "skip faults: written for x86-64 only; this is $(uname -m)"
	echo "faults: 0 passed, 0 failed, 1 skipped"
	[ -z "${CHECK_NO_SKIP:-}" ]
	exit
fi
user=''
scratch=$(mktemp -d /tmp/callgate-faults.XXXXXX) || exit 2
cleanup() {
	[ -z "$user" ] || userdel "$user" >/dev/null 2>&1
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
# A copy outside the checkout: an ordinary user may not be able to read the latter.
chmod 755 "$scratch"
mkdir "$scratch/bin"
cp "$build"/callgate "$build"/callgated "$build"/callgate-* "$build/faults/tracer" "$here/sweep.py" \
	"$scratch/bin/" || exit 2
chmod -R a+rX "$scratch"

sweep() { # USER COMMAND...
	local who=$1
	shift
	mkdir -m 700 "$scratch/$who"
	chown "$who" "$scratch/$who"
	"$@" env -i PATH="$PATH" HOME="$scratch/$who" LANG=C.UTF-8 FAULTS_TELL="${FAULTS_TELL:-}" \
		python3 "$scratch/bin/sweep.py" "$scratch/bin" "$scratch/$who/gate" "${options[@]}" \
		>"$scratch/$who.log" 2>&1 </dev/null
	echo $? >"$scratch/$who.status"
}
users=("$(id -un)")
sweep "${users[0]}" &
if [ "$(id -u)" = 0 ]; then
	user=cgfault$$
	useradd --no-create-home --shell /usr/sbin/nologin --user-group "$user" || exit 2
	users+=("$user")
	sweep "$user" setpriv --reuid "$user" --regid "$user" --clear-groups --
fi
wait
passed=0 failed=0
for who in "${users[@]}"; do
	[ "$who" = "$user" ] && echo "an ordinary user:" || echo "$who:"
	sed 's/^/  /' "$scratch/$who.log"
	if [ "$(cat "$scratch/$who.status")" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "faults: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
