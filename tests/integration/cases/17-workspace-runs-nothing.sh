# No file of a workspace becomes code, however it is named to an allowed interpreter; no server of
# the host that listens in it is reached; and ordinary work on its files goes on as without callgate.
. "$IT_TESTS/lib.sh"
policy <<'EOF'
tools:
  python: {type: command, deny_by_default: true, allowed_commands: [python3]}
  shell: {type: command, deny_by_default: true, allowed_commands: [sh, echo, cat]}
  files: {type: command, deny_by_default: true, allowed_commands: [tar, sed, find, env, awk, cat]}
  build: {type: command, deny_by_default: true, allowed_commands: [make, sh, gcc, git, node, python3, cat]}
EOF
cat >xd.c <<'EOF'
#include <stdio.h>
int main(void) { puts("ran-from-workspace"); return 0; }
EOF
gcc -o workspace/xd xd.c || exit 2
run() { "$callgate" run --tool "$1" -- "${@:2}" 2>&1; }
up

# the loader of python3, on an ELF that is named as if it were a script
loader=/lib64/ld-linux-x86-64.so.2
for argv in './xd' '-W ./xd' 'xd xd'; do
	# shellcheck disable=SC2086
	out=$(run python python3 "-cimport os; os.execv('$loader',['ld.so','./xd'])" $argv)
	expect_match "loader: $argv" "$out" 'ld.so|xd:'
	[[ $out != *ran-from-workspace* ]] || fail "the loader ran a file of the workspace: $argv"
done
cat >workspace/xd.py <<EOF
import os, sys
print("script-ran", flush=True)
os.execv("$loader", ["ld.so", sys.argv[1]])
EOF
for file in ./xd.py ./xd; do
	out=$(run python python3 ./xd.py $file)
	expect_match 'script' "$out" script-ran
	[[ $out != *ran-from-workspace* ]] || fail "the loader ran $file"
done

# a server of the host in the workspace
(cd workspace && exec socat -u UNIX-RECV:server OPEN:../got,creat) &
server=$!
for _ in $(seq 50); do [ -S workspace/server ] || sleep 0.1; done
chmod 777 workspace/server
cat >workspace/send.py <<'EOF'
import socket
for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM, socket.SOCK_RAW):
    for how in ("sendto", "connect"):
        try:
            end, other = socket.socketpair(socket.AF_UNIX, kind)
            end.sendto(b"x", "server") if how == "sendto" else end.connect("server")
            print("reached", kind)
        except OSError as e:
            print("held", e)
EOF
out=$(run python python3 send.py)
kill $server
expect_match 'sockets' "$out" held
[[ $out != *reached* ]] && [ ! -s got ] || fail "a server of the host was reached: $out"

# what belongs to the owner alone is the tool's to read, as a script and as data
(umask 077 && echo 'echo private-ran' >workspace/priv.sh)
expect 'private script' "$(run shell sh priv.sh)" private-ran
expect 'private script, absolute' "$(run shell sh "$PWD/workspace/priv.sh")" private-ran

# operands that are data are written, removed, and may be large
echo one >workspace/q
run files tar -cf a.tar q >/dev/null || fail "tar"
run files tar -cf a.tar q || fail "tar over an old archive"
run files sed -i s/one/two/ q || fail "sed -i"
expect 'sed' "$(cat workspace/q)" two
expect 'env' "$(run files env A=q cat q)" two
run files find q -delete || fail "find -delete"
[ ! -e workspace/q ] || fail "find left q"
head -c 17000000 /dev/zero >workspace/big && tar -C workspace -cf workspace/big.tar big
expect 'a large archive' "$(run files tar -tf big.tar)" big
for text in x y; do
	run python python3 -c 'open("w", "w").write("'$text'")' w || fail "an inline script cannot write"
	expect 'data of an inline script' "$(cat workspace/w)" $text
done

# a log that grows all the while is data: no call is voided by it
(while :; do echo line >>workspace/log; done) &
writer=$!
for _ in 1 2 3 4 5; do
	run files cat log >/dev/null || fail "a growing file cannot be read"
done
kill $writer

# only processes in /proc, and the tools do without the rest
for file in cmdline kallsyms iomem sys/kernel/hostname diskstats; do
	run shell cat /proc/$file >/dev/null && fail "/proc/$file is seen"
done
expect 'the first process of a cell' "$(run shell cat /proc/1/cmdline | tr -d '\0')" callgate-cell
printf 'all:\n\tgcc -o hello hello.c\n\techo built | cat\n' >workspace/Makefile
cp xd.c workspace/hello.c
expect_match make "$(run build make -j2)" built
expect node "$(run build node -e 'console.log(require("os").cpus().length >= 0, process.memoryUsage().rss > 0)')" 'true true'
expect python "$(run build python3 -c 'import os, subprocess; print(os.cpu_count() > 0, subprocess.run(["cat", "hello.c"], capture_output=True).returncode)')" 'True 0'
run build git init -q . || fail git
down
verify_ok

# a workspace in /var/tmp, which is a link to the private /tmp in every cell
far=$(mktemp -d /var/tmp/callgate-it.XXXXXX)
trap 'rm -rf "$far"; bye' EXIT
sed -i "s:working_directory\: ./workspace:working_directory\: $far:" callgate.yaml
up
expect 'a workspace in /var/tmp' "$(run shell sh -c "echo here >a; cat a; cat $far/a")" $'here\nhere'
expect 'it is the same outside' "$(cat "$far/a")" here
down
verify_ok
