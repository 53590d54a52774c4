# Whatever stands on standard input, the answer is a sentence on standard output and status 2.
. ./lib.sh || exit 2
for program in "$editor" "$grep_search"; do
	for input in '' ' ' 'null' '[]' '7' '"x"' '{' '{}' '{"path":"x"' '{"path":"x"}x' '{"path":"a\u0000b"}' \
		'{"path":"\ud800"}' '{"path":"a","path":"b"}' '{"command":"view","path":1e999}' \
		'{"command":"view","path":123456789012345678901234567890}' "$(printf '{"path":"\377"}')" \
		"$(printf '{"path":"a\nb"}')"; do
		expect 2 '^[a-z]+: ' "$program" <<<"$input"
	done
	expect 2 'longer than 1048576' "$program" < <(head -c 1048577 /dev/zero | tr '\0' ' ')
	expect 2 'not valid JSON' "$program" < <(head -c 1048576 /dev/zero | tr '\0' '[')
	expect 2 'not valid JSON' "$program" < <(head -c 65536 /dev/urandom)
	# Closed by the program's own shell: a pipe made by this one would take the free number.
	expect 1 'cannot be read' sh -c 'exec "$0" <&-' "$program"
	# The argument vector is for people.
	expect 2 '^[a-z]+: ' "$program" view /etc/passwd <<<'{}'
done
# A full pipe, or a reader that left, is no crash.
echo '{"pattern":"^","path":"."}' | "$grep_search" >/dev/full && fail "a full device passed for done"
echo '{"command":"view","path":"."}' | "$editor" >/dev/full && fail "a full device passed for done"
[ -z "$(ls -A)" ] || fail "something was left: $(ls -A)"
# Large, and still valid.
python3 - >request <<'PY' || exit 2
import json
print(json.dumps({"command": "create", "path": "big", "file_text": "x" * 1000000}))
PY
expect 0 'Created big \(1000000 bytes\)' "$editor" <request
[ "$(wc -c <big)" = 1000000 ] || fail "not all of it was written"
