# Large files, many files and patterns without end: bounded time and memory, and it is said.
. ./lib.sh || exit 2
head -c 10000000 /dev/urandom | base64 -w 100 >ten
search 0 'No matches' '{"pattern":"-never in base64-","path":"ten"}'
edit 1 'larger than 8 MiB' '{"command":"view","path":"ten"}'
truncate -s 3G sparse
search 0 '1 binary' '{"pattern":"x","path":"sparse"}'
edit 1 'larger than 8 MiB' '{"command":"view","path":"sparse"}'
mkdir many && (cd many && seq 1 4000 | split -l 1 -a 4) || exit 2
search 0 '^many/[a-z]+:1:4000$' '{"pattern":"^4000$"}'
# What is too much to show is not told as nothing.
edit 0 'cut: 2000 entries' '{"command":"view","path":"many"}'
edit 0 '^many/x' '{"command":"view","path":"."}'
mkdir dots && (cd dots && seq 1 2500 | split -l 1 -a 4 - .) || exit 2
edit 0 'cut: 0 entries' '{"command":"view","path":"dots"}'
edit 0 '^.cut' '{"command":"view","path":"dots"}'
head -c 60 /dev/zero | tr '\0' a >line && for _ in $(seq 1 3000); do cat line; echo '!'; done >slow
begin=$(date +%s)
CALLGATE_TIME_MS=1500 search 0 'time is up' '{"pattern":"(a+)+[bc]","path":"slow"}'
[ $(($(date +%s) - begin)) -le 5 ] || fail "the bound on the time did not bind"
(
	# Address space that a sanitizer reserves is no memory.
	ldd "$grep_search" | grep -q libasan || ulimit -v 300000
	search 0 'many/' '{"pattern":"^1.*7$","max_results":1000}'
) || exit 1
