"""A daemon that fails one streamed call in the way it is told: fake_daemon.py SOCKET WAY.

output: the second fetch is refused; over: the call ends with output that was never sent;
stdin: the second write is refused; slam: it hangs up with a word before it has read anything.
"""
import json
import os
import socket
import sys

path, way = sys.argv[1:]
OVER = {"code": -32602, "message": "no call of that id"}
BUSY = {"code": 503, "message": "too busy"}


def serve(client):
    lines = client.makefile("r", encoding="utf-8", newline="\n")
    reads = writes = call = 0

    def answer(number, **what):
        line = json.dumps({"jsonrpc": "2.0", "id": number, **what}, separators=(",", ":"))
        client.sendall(line.encode() + b"\n")

    if way == "slam":
        answer(None, error={"code": 503, "message": "no room here"})
        client.close()
        return
    for line in lines:
        said = json.loads(line)
        method, params, number = said["method"], said.get("params", {}), said.get("id")
        if method == "tools/call":
            call = number
        elif method == "callgate/output" and params["requestId"] == 0:
            answer(number, error=OVER)
        elif method == "callgate/output":
            reads += 1
            if reads == 1:
                answer(number, result={"chunks": [{"stream": "stdout", "data": "aGkK"}], "end": False})
            elif way == "output":
                answer(number, error=BUSY)
            elif way == "over":
                answer(number, error=OVER)
                facts = {"outcome": "completed", "exit": {"code": 0}, "usage": {"out_bytes": 13, "err_bytes": 0}}
                answer(call, result={"content": [], "_meta": {"callgate/call": facts}})
        elif method == "callgate/stdin":
            writes += 1
            if writes == 1:
                answer(number, result={"closed": False})
            elif way == "stdin":
                answer(number, error=BUSY)


if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(4)
while True:
    connection, _ = listener.accept()
    with connection:
        try:
            serve(connection)
        except (OSError, ValueError):
            pass
