# Socket activation: one listening Unix stream socket as descriptor 3. Whoever connected before the
# daemon was there is served, the socket is not removed at the end, and anything else handed over
# refuses the start.
. "$IT_TESTS/lib.sh"
policy <<'POLICY'
tools:
  bash: {type: command, deny_by_default: true, allowed_commands: [ls]}
POLICY
mkdir -m 700 run
cat >hand_over.py <<'PYTHON'
"""hand_over.py KIND COUNT PID PROGRAM...: what a service manager does; PID "own" is the program's."""
import os, socket, sys
kind, count, pid = sys.argv[1:4]
family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
held = socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
if kind == "tcp":
    held.bind(("127.0.0.1", 0))
else:
    if os.path.exists("run/callgate.sock"):
        os.unlink("run/callgate.sock")
    held.bind("run/callgate.sock")
if kind not in ("idle", "datagram"):
    held.listen(16)
os.dup2(held.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = count
os.environ["LISTEN_PID"] = str(os.getpid()) if pid == "own" else pid
open("bound", "w").close()
if os.path.exists("wait"):
    os.read(os.open("wait", os.O_RDONLY), 1)
os.execv(sys.argv[4], sys.argv[4:])
PYTHON
hand_over() { # KIND COUNT PID: in the background
	rm -f bound
	python3 hand_over.py "$@" "$IT_BIN/callgated" --config callgate.yaml --state state >>daemon.log 2>&1 &
	daemon=$!
	for _ in $(seq 200); do [ -e bound ] && break; sleep 0.05; done
}
refuses() { # KIND COUNT REGEX
	: >daemon.log
	hand_over "$1" "$2" own
	wait "$daemon"
	expect "status of $1 $2" $? 1
	daemon=''
	expect_match "words of $1 $2" "$(cat daemon.log)" "$3"
}

# connected first, served later
mkfifo wait
hand_over unix 1 own
timeout 60 "$callgate" call bash command=ls >early 2>&1 &
early=$!
sleep 0.3
kill -0 $early || fail "nobody listens yet, and the client has ended: $(cat early)"
echo >wait
wait $early || fail "the early client: $(cat early)"
rm wait
"$callgate" call bash command=ls >/dev/null || fail "a later client"
grep -q 'ready on run/callgate.sock (handed over)' daemon.log || fail "where: $(cat daemon.log)"
ino=$(stat -c %i run/callgate.sock)
"$callgate" down 2>/dev/null &
wait "$daemon"
expect 'status of an ordinary end' $? 0
daemon=''
wait
expect "the manager's socket" "$(stat -c %i run/callgate.sock)" "$ino"
verify_ok

refuses idle 1 "the service manager's socket is not a listening stream socket"
refuses datagram 1 "the service manager's socket is not"
refuses tcp 1 "hands over a socket for HTTP .*, but the policy serves none"
refuses unix 2 "the service manager's socket is not"
# meant for another process: a socket of our own
rm -f run/callgate.sock
hand_over tcp 1 1
for _ in $(seq 200); do "$callgate" status >/dev/null 2>&1 && break; sleep 0.05; done
"$callgate" call bash command=ls >/dev/null || fail "a socket that was for another process"
down
[ ! -e run/callgate.sock ] || fail "our own socket was left behind"
verify_ok
