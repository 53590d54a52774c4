# Links, special files and folders that are swapped while the tools run: nothing outside the working
# directory is shown, made or changed.
. ./lib.sh || exit 2
echo secret >"$outside/secret"
ln -s /etc/passwd passwd
ln -s "$outside" out
ln -s "$outside/secret" secret
ln -s "../$(basename "$outside")/secret" relative
ln -s loop loop
ln -s /proc/self/fd/0 stdin
ln -s /dev/stdin dev
mkfifo fifo
for path in passwd out/secret out secret relative stdin dev; do
	edit 1 'symbolic link' '{"command":"view","path":"'$path'"}'
	edit 1 'symbolic link' '{"command":"create","path":"'$path'","file_text":"evil"}'
	edit 1 'symbolic link' '{"command":"undo","path":"'$path'"}'
	search 1 'symbolic link' '{"pattern":".","path":"'$path'"}'
done
edit 1 'symbolic link' '{"command":"create","path":"out/new/file","file_text":"evil"}'
edit 1 'symbolic link' '{"command":"view","path":"loop"}'
edit 1 'neither' '{"command":"view","path":"fifo"}'
edit 1 'neither' '{"command":"create","path":"fifo","file_text":"x"}'
search 1 'neither' '{"pattern":".","path":"fifo"}'
for path in / /etc/passwd .. ../x a/../../x; do
	edit 2 'path: ' '{"command":"view","path":"'$path'"}'
	edit 2 'path: ' '{"command":"create","path":"'$path'","file_text":"x"}'
	search 2 'path: ' '{"pattern":".","path":"'$path'"}'
done
search 0 '^No matches' '{"pattern":"secret|root"}'
[ "$(cat "$outside/secret")" = secret ] && [ "$(ls -A "$outside")" = secret ] || fail "outside was changed"
# The folder is a link every other moment.
mkdir real && echo inside >real/secret && ln -s "$outside" link
cat >swap.py <<'PY'
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    libc.renameat2(-100, b"real", -100, b"link", 2)
PY
python3 swap.py 4 &
swapper=$!
seen=0
while kill -0 "$swapper" 2>/dev/null; do
	"$editor" <<<'{"command":"view","path":"real/secret"}' >>views
	"$editor" <<<'{"command":"create","path":"real/made","file_text":"m"}' >>views
	"$grep_search" <<<'{"pattern":"secret","glob":"secret"}' >>views
	"$grep_search" <<<'{"pattern":"inside","path":"real"}' >>views
	seen=$((seen + 1))
done
wait "$swapper"
grep -q '	inside' views || fail "the file inside was never seen in $seen rounds"
grep -qE '(	|:)secret$' views && fail "the file outside was shown"
[ "$(ls -A "$outside")" = secret ] || fail "outside was changed: $(ls -A "$outside")"
echo "$seen rounds while a folder was swapped"
