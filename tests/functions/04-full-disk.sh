# A full disk and a read-only folder: a sentence, and everything as it was. Needs a mount of its own.
. ./lib.sh || exit 2
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo "only root can mount the disk that is filled"
	exit 77
fi
export editor grep_search dir
export -f edit search expect fail
unshare -m bash -u <<'EOS' || exit 1
mkdir disk && mount -t tmpfs -o size=1M tmpfs disk && cd disk || fail "no disk to fill"
echo keep >f
head -c 2M /dev/zero >fill 2>/dev/null
edit 1 'o space' '{"command":"create","path":"new","file_text":"x"}'
rm fill
edit 0 'Overwrote' '{"command":"create","path":"f","file_text":"changed"}'
head -c 2M /dev/zero >fill 2>/dev/null
text=$(head -c 9000 /dev/zero | tr '\0' y)
edit 1 'o space' "{\"command\":\"create\",\"path\":\"f\",\"file_text\":\"$text\"}"
[ "$(cat f)" = changed ] || fail "a full disk changed the file"
rm fill
[ "$(ls)" = f ] || fail "left on the full disk: $(ls)"
[ "$(ls -A .callgate/undo | wc -l)" = 1 ] || fail "an entry of an edit that was not made"
edit 0 'Took back' '{"command":"undo","path":"f"}'
[ "$(cat f)" = keep ] || fail "undo after a full disk: $(cat f)"
# Room for the undo entry and none for the new text.
text=$(head -c 600000 /dev/zero | tr '\0' y)
edit 0 'Created' "{\"command\":\"create\",\"path\":\"g\",\"file_text\":\"$text\"}"
edit 1 'o space' "{\"command\":\"insert\",\"path\":\"g\",\"insert_line\":0,\"insert_text\":\"x\"}"
[ "$(wc -c <g)" = 600000 ] && [ "$(ls)" = "$(printf 'f\ng')" ] || fail "after a failed insert: $(ls -l)"
mount -o remount,ro . || fail "cannot be made read-only"
edit 1 'read-only' '{"command":"create","path":"f","file_text":"x"}'
edit 1 'read-only|Read-only' '{"command":"create","path":"a/b","file_text":"x"}'
edit 0 'keep' '{"command":"view","path":"f"}'
search 0 'f:1:keep' '{"pattern":"keep"}'
EOS
