#!/bin/bash
# How often would a person be asked? Judges each call of a recorded session by a policy, without a
# daemon: one line a call with -v, then the counts.
# usage: prompts.sh [-v] BUILD [POLICY [SESSION]]
set -eu
verbose=
[ "${1:-}" = -v ] && verbose=1 && shift
top=$(cd "$(dirname "$0")/../.." && pwd)
callgate=$(cd "$1" && pwd)/callgate
policy=${2:-$top/examples/coding-agent/callgate.yaml}
session=${3:-$top/examples/coding-agent/session-100.txt}
CALLGATE_UID=$(id -u)
export CALLGATE_UID

# The whole explanation of each call, one after the other.
explain() {
	local tool count
	while IFS= read -r -d '' tool && IFS= read -r -d '' count; do
		local words=()
		[ "$count" = 0 ] || mapfile -t -d '' -n "$count" words
		"$callgate" policy explain --config "$policy" --output json "$tool" "${words[@]}" || return 1
	done < <(jq -j '.name, "\u0000", (.arguments | length), "\u0000",
		(.arguments | to_entries[] | .key + ":=" + (.value | tojson) + "\u0000")' "$session")
}
judge() {
	explain | jq -r --slurpfile calls "$session" -n '
		[inputs] | if length == ($calls | length) then . else error("not all were judged") end |
		to_entries[] | .value as $answer | $calls[.key] as {$name, $arguments} |
		[(if $answer.reachable then $answer.result.decision else "deny" end), $name,
		 ([$arguments.command, ($arguments.argv // [])[], $arguments.pattern, $arguments.path] |
		  map(values) | join(" ") | split("\n")[0]),
		 $answer.result.rule] | @tsv'
}
judged=$(judge)
[ -z "$verbose" ] || printf '%s\n' "$judged"
printf '%s\n' "$judged" | awk -F '\t' '
	{ by[$1]++; if ($1 == "ask") asked[$2]++ }
	END {
		printf "%d calls: %d allowed, %d asked, %d denied\n", NR, by["allow"], by["ask"], by["deny"]
		for (tool in asked) printf "  asked by %s: %d\n", tool, asked[tool]
		printf "prompts per 100 calls: %.0f, refused: %.0f\n", 100 * by["ask"] / NR, 100 * by["deny"] / NR
	}'
