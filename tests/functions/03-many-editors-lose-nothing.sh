# Editors of the same file at once: each says done or why not, and the file holds exactly what was
# done. Killed ones leave a whole file.
. ./lib.sh || exit 2
echo top >f
for n in $(seq 1 40); do
	"$editor" <<<'{"command":"insert","path":"f","insert_line":1,"insert_text":"line '"$n"'"}' >"out.$n" &&
		echo "line $n" >>done.list &
done
wait
[ -s done.list ] || fail "none was done"
[ "$(sort done.list)" = "$(tail -n +2 f | sort)" ] ||
	fail "done: $(wc -l <done.list), in the file: $(($(wc -l <f) - 1))"
for n in $(seq 1 40); do
	grep -q "^line $n\$" done.list || grep -qE 'changed meanwhile|another edit' "out.$n" ||
		fail "editor $n: $(cat "out.$n")"
done
done=$(wc -l <done.list)
# Each edit can be taken back.
for n in $(seq 1 "$done"); do
	edit 0 'Took back' '{"command":"undo","path":"f"}'
done
[ "$(cat f)" = top ] || fail "after all undos: $(cat f)"
# Killed at any moment: old or new, never half.
python3 - <<'PY' || exit 2
import json
for n in (1, 2):
    with open("want.%d" % n, "w") as out:
        out.write(("%d" % n) * 900000)
    with open("request.%d" % n, "w") as out:
        json.dump({"command": "create", "path": "whole", "file_text": ("%d" % n) * 900000}, out)
PY
"$editor" <request.1 >/dev/null || fail "create"
for n in $(seq 1 60); do
	"$editor" <"request.$((n % 2 + 1))" >/dev/null &
	victim=$!
	sleep "0.00$((n % 10))"
	kill -9 "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	cmp -s whole want.1 || cmp -s whole want.2 || fail "half a file after kill $n"
done
edit 0 'Overwrote' '{"command":"create","path":"whole","file_text":"last"}'
edit 0 'Took back' '{"command":"undo","path":"whole"}'
echo "$done of 40 editors at once were done"
