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

# TOOL ARGUMENTS-AS-JSON: the whole explanation
explain() {
	local words=()
	mapfile -t words < <(jq -r 'to_entries[] | .key + ":=" + (.value | tojson)' <<<"$2")
	"$callgate" policy explain --config "$policy" --output json "$1" "${words[@]}"
}
judge() {
	local tool arguments answer
	while IFS= read -r line; do
		tool=$(jq -r .name <<<"$line")
		arguments=$(jq -c .arguments <<<"$line")
		answer=$(explain "$tool" "$arguments") || return 1
		jq -r --arg tool "$tool" --argjson arguments "$arguments" '
			[(if .reachable then .result.decision else "deny" end), $tool,
			 ($arguments.command // ($arguments.argv | join(" ")) | split("\n")[0]),
			 .result.rule] | @tsv' <<<"$answer"
	done <"$session"
}
judged=$(judge)
[ -z "$verbose" ] || printf '%s\n' "$judged"
printf '%s\n' "$judged" | awk -F '\t' '
	{ by[$1]++; if ($1 == "ask") asked[$2]++ }
	END {
		printf "%d calls: %d allowed, %d asked, %d denied\n", NR, by["allow"], by["ask"], by["deny"]
		for (tool in asked) printf "  asked by %s: %d\n", tool, asked[tool]
		printf "prompts per 100 calls: %.0f\n", 100 * by["ask"] / NR
	}'
