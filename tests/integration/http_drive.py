#!/usr/bin/env python3
"""Drives http_server over real sockets. usage: http_drive.py SERVER CERTS
Each check is a function; the first that fails ends the run. CERTS: ca, server, server2, client and
other certificates, made by the case."""
import atexit, json, os, re, resource, signal, socket, ssl, subprocess, sys, time, warnings

warnings.simplefilter("ignore")  # TLS 1.1 is meant

SERVER, CERTS = sys.argv[1], sys.argv[2]
GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def check(what, condition, detail=""):
    if not condition:
        sys.exit(f"FAILED: {what}: {detail!r}")


def eventually(what, holds, seconds=5):
    """For what the server does in its own time; the machine may be slow."""
    end = time.monotonic() + seconds
    while not holds():
        check(what, time.monotonic() < end)
        time.sleep(0.05)


class Server:
    def __init__(self, *args, tls=(), **kwargs):
        args = list(args)
        for name in tls:
            args += ["-c", f"{CERTS}/{name}.pem", "-k", f"{CERTS}/{name}.key"]
        self.run = subprocess.Popen([SERVER, *args], stdout=subprocess.PIPE, text=True, **kwargs)
        atexit.register(self.run.kill)  # of one that has ended: nothing happens
        first = self.run.stdout.readline()
        check("server starts", first.startswith("port "), first)
        self.port = int(first.split()[1])
        self.tls = bool(tls)

    def connect(self, timeout=20):
        s = socket.create_connection(("127.0.0.1", self.port), timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def secure(self, raw=None, client=None, version=None, ca="ca"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(f"{CERTS}/{ca}.pem")
        if client:
            context.load_cert_chain(f"{CERTS}/{client}.pem", f"{CERTS}/{client}.key")
        if version:
            context.minimum_version = context.maximum_version = version
        return context.wrap_socket(raw or self.connect(), server_hostname="localhost")

    def stats(self, s=None):
        s = s or (self.secure() if self.tls else self.connect())
        s.sendall(b"GET /stats HTTP/1.1\r\nHost: a\r\n\r\n")
        return dict((k, int(v)) for k, v in re.findall(r"(\w+)=(\d+)", answer(s)[2].decode()))

    def line(self):
        return self.run.stdout.readline().strip()

    def end(self):
        self.run.send_signal(signal.SIGTERM)
        check("server ends", self.run.wait(10) == 0, self.run.returncode)


def answer(s, body=True):
    """One answer: status, headers, body. The rest stays in the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = s.recv(1)
        check("answer's head is whole", byte, head)
        head += byte
    lines = head.decode("latin1").split("\r\n")
    headers = {k.lower(): v for k, v in (l.split(": ", 1) for l in lines[1:-2])}
    left = int(headers.get("content-length", 0)) if body else 0
    text = b""
    while len(text) < left:
        piece = s.recv(left - len(text))
        check("answer's body is whole", piece, text)
        text += piece
    return int(lines[0].split()[1]), headers, text


def everything(s):
    text = b""
    while True:
        try:
            piece = s.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            return text
        if not piece:
            return text
        text += piece


def closes_within(s, low, high, what):
    start = time.monotonic()
    text = everything(s)
    took = time.monotonic() - start
    check(what + f" after {low}..{high} s, took {took:.2f}", low <= took <= high, text)
    return text


# ---- requests and answers ------------------------------------------------------------------------

def plain(server):
    s = server.secure() if server.tls else server.connect()
    for _ in range(3):  # one connection, kept
        s.sendall(GET)
        status, headers, body = answer(s)
        check("health", (status, body) == (200, b"ok\n"), (status, body))
        check("date", re.match(r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", headers["date"]))
        check("kept alive", "connection" not in headers, headers)
    s.sendall(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    status, headers, _ = answer(s, body=False)
    check("HEAD has a length", (status, headers["content-length"]) == (200, "3"), headers)
    check("HEAD has no body, the next answer follows", answer(s)[2] == b"ok\n")
    s.sendall(b"POST /health HTTP/1.1\r\nHost: a\r\n\r\n")
    status, headers, _ = answer(s)
    check("405 names what is allowed", (status, headers["allow"]) == (405, "GET, HEAD"), headers)
    s.sendall(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
    check("404", answer(s)[0] == 404)
    s.sendall(b"GET /%2e%2e HTTP/1.1\r\nHost: a\r\n\r\n")
    check("400 of the router keeps the connection", answer(s)[0] == 400)
    s.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    check("close is answered", answer(s)[1].get("connection") == "close")
    check("and done", s.recv(1) == b"")
    s = server.secure() if server.tls else server.connect()
    s.sendall(b"GET /health HTTP/1.0\r\nHost: a\r\n\r\n")
    check("HTTP/1.0 ends with its answer", everything(s).endswith(b"Connection: close\r\nContent-Length: 3\r\n\r\nok\n"))


def bodies(server):
    s = server.connect()
    big = os.urandom(1024 * 1024)
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(big) + big)
    check("1 MiB comes back", answer(s)[2] == big)
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for at in range(0, len(big), 4000):
        piece = big[at:at + 4000]
        s.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
    s.sendall(b"0\r\n\r\n")
    check("in chunks, too", answer(s)[2] == big)
    # a body that is too large is refused before it is sent, and while it is sent
    s = server.connect()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n")
    status, headers, body = answer(s)
    check("413", (status, headers["connection"]) == (413, "close"), status)
    check("the owner's words", json.loads(body)["error"] == "the body is too large", body)
    s = server.connect()
    before = server.stats()["taken"]
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(20):
        s.sendall(bytes(1024 * 1024))
    check("413 is read by who sends before he reads", everything(s).startswith(b"HTTP/1.1 413 "))
    check("and nobody was bothered", server.stats()["taken"] == before + 1)
    s = server.connect()
    s.sendall(b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
    check("a smaller limit of the owner", answer(s)[0] == 413)
    s = server.connect()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nX-No: 1\r\nContent-Length: 5\r\n\r\n")
    check("the owner refuses before the body", answer(s)[0] == 403)


def expect_continue(server):
    s = server.connect()
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    s.sendall(head % 5)
    check("100", answer(s)[0] == 100)
    s.sendall(b"hel")
    s.settimeout(0.3)
    try:
        check("100 is said once", False, s.recv(1))
    except socket.timeout:
        pass
    s.settimeout(10)
    s.sendall(b"lo")
    check("then the answer", answer(s)[2] == b"hello")
    s.sendall(head % 5 + b"hello")
    check("no 100 for a body that is there", answer(s)[0] == 200)
    s.sendall(head % 0)
    check("no 100 for no body", answer(s)[0] == 200)
    s.sendall(head % 104857600)
    check("413 in place of 100", answer(s)[0] == 413)
    done = subprocess.run(["curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}",
                           "-H", "Expect: 100-continue", "--data-binary", "@/dev/stdin",
                           f"http://127.0.0.1:{server.port}/echo"], input=b"x" * 500000,
                          capture_output=True)
    check("curl with 100-continue", done.stdout == b"200", done)


def pipelining(server):
    s = server.connect()
    later = b"GET /later?ms=%d HTTP/1.1\r\nHost: a\r\n\r\n"
    s.sendall(later % 200 + GET + later % 1 + GET)
    got = [answer(s)[2] for _ in range(4)]
    check("answers in the order of the questions", got == [b"later\n", b"ok\n", b"later\n", b"ok\n"], got)
    s.sendall(GET * 500)
    check("500 at once", all(answer(s)[2] == b"ok\n" for _ in range(500)))
    s.sendall(GET + b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + GET)
    check("one good", answer(s)[0] == 200)
    check("one bad", answer(s)[0] == 400)
    check("and nothing behind it", everything(s) == b"")
    # more than is kept, while the first is being answered
    s = server.connect()
    s.sendall(later % 300)
    s.settimeout(10)
    s.sendall(GET * 4000)
    answer(s)
    check("4000 behind a slow one", all(answer(s)[2] == b"ok\n" for _ in range(4000)))


def cut_everywhere(server):
    """Bytes with a pause between each: the same answers."""
    text = (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + GET)
    s = server.connect()
    for at in range(len(text)):
        s.sendall(text[at:at + 1])
        if at % 10 == 0:
            time.sleep(0.002)
    check("drop by drop", (answer(s)[2], answer(s)[2]) == (b"abc", b"ok\n"))


def hang_up(server):
    before = server.stats()
    s = server.connect()
    s.sendall(b"GET /later?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()  # a reset
    eventually("a reset is seen at once", lambda: server.stats()["gone"] == before["gone"] + 1)
    s = server.connect()
    s.sendall(b"GET /cancel?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    s.close()
    eventually("an end, too", lambda: server.stats()["half"] == before["half"] + 1)
    s = server.connect()
    s.sendall(b"GET /later?ms=200 HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    s.shutdown(socket.SHUT_WR)
    text = everything(s)
    check("who has said all still gets his answers", text.count(OK) == 2 and text.endswith(b"ok\n"), text)
    s = server.connect()
    s.sendall(b"GET /later?ms=3000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    s.shutdown(socket.SHUT_WR)
    time.sleep(0.1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()  # half, then a reset
    eventually("half, then gone", lambda: server.stats()["gone"] == before["gone"] + 2)
    s = server.connect()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
    s.shutdown(socket.SHUT_WR)
    check("a request that ends early", everything(s).startswith(b"HTTP/1.1 400 "))
    s = server.connect()
    s.sendall(GET)
    s.shutdown(socket.SHUT_WR)
    check("one request and an end", everything(s).endswith(b"ok\n"))
    s = server.connect()
    before = server.stats()
    s.sendall(b"GET /cancel?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n" + GET * 3000)
    time.sleep(0.1)
    s.close()
    eventually("an end behind more than is kept", lambda: server.stats()["half"] == before["half"] + 1)
    s = server.connect()
    s.sendall(b"GET /later?ms=200 HTTP/1.0\r\nHost: a\r\n\r\n" + bytes(100000))
    s.shutdown(socket.SHUT_WR)
    check("rubbish behind the last request", everything(s).endswith(b"later\n"))
    check("is no request", server.stats()["half"] == before["half"] + 2)
    eventually("nothing is held", lambda: server.stats()["held"] < 8192)


def streams(server):
    s = server.connect()
    s.sendall(b"GET /stream?n=3&ms=20 HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    status, headers, _ = answer(s)
    check("stream", (status, headers["transfer-encoding"]) == (200, "chunked"), headers)
    text = b""
    while not text.endswith(b"0\r\n\r\n"):
        text += s.recv(1)
    check("three events", text.count(b"event: progress\ndata: {\"a\":\ndata: 1}\n\n") == 3, text)
    check("and the next answer", answer(s)[2] == b"ok\n")
    s.sendall(b"HEAD /stream?n=3&ms=20 HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    check("HEAD of a stream", answer(s, body=False)[0] == 200)
    check("has no body", answer(s)[2] == b"ok\n")
    s = server.connect()
    s.sendall(b"GET /stream?n=2&ms=20 HTTP/1.0\r\nHost: a\r\n\r\n")
    text = everything(s)
    check("HTTP/1.0: up to the end", b"chunked" not in text and text.endswith(b"data: 1}\n\n"), text)
    # silence is filled with comments (tick is 300 ms here)
    s = server.connect()
    s.sendall(b"GET /stream?n=1&ms=1500 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    text = everything(s)
    check("comments", 6 <= text.count(b"3\r\n:\n\n\r\n") <= 9, text)
    before = server.stats()["gone"]
    s = server.connect()
    s.sendall(b"GET /stream?n=100&ms=100 HTTP/1.1\r\nHost: a\r\n\r\n")
    s.recv(10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()
    eventually("hang up in a stream", lambda: server.stats()["gone"] == before + 1)


def injection(server):
    s = server.connect()
    s.sendall(b"GET /inject HTTP/1.1\r\nHost: a\r\n\r\n")
    status, headers, _ = answer(s)
    check("a wrong field is a 500", status == 500 and "set-cookie" not in headers, headers)
    check("and the owner is told", server.line() == "inject 1")


def never_reads(server):
    s = server.connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
    word, said = server.line().split()
    check("a flood is cut", word == "flood" and 1000000 < int(said) < 16000000, said)
    eventually("nothing is kept of it", lambda: server.stats()["held"] < 8192)
    start = time.monotonic()
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", server.port))
    s.sendall(b"GET /big?bytes=8000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.3)
    check("an answer waits", server.stats()["held"] > 1000000, server.stats())
    while server.stats()["held"] > 8192 and time.monotonic() - start < 10:
        time.sleep(0.1)
    took = time.monotonic() - start
    check(f"but not for ever (2 s here): {took:.1f}", 1.5 < took < 5)
    s.close()
    s = server.connect()
    s.sendall(b"GET /big?bytes=8000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    check("who reads gets all of it", len(answer(s)[2]) == 8000000)


# ---- time ----------------------------------------------------------------------------------------

def slowloris(server):
    """head 1 s, body 1.5 s, idle 2 s here; each form keeps sending."""
    def drip(s, text, pause):
        start = time.monotonic()
        s.settimeout(pause)
        got = b""
        for at in range(len(text)):
            try:
                s.sendall(text[at:at + 1])
                piece = s.recv(4096)
                if not piece:
                    break
                got += piece
            except socket.timeout:
                continue
            except OSError:
                break
        return got, time.monotonic() - start

    got, took = drip(server.connect(), b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 40, 0.1)
    check(f"dripped headers end at their deadline ({took:.1f})", got.startswith(b"HTTP/1.1 408 ") and 0.8 < took < 2, got)
    s = server.connect()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    got, took = drip(s, b"x" * 60, 0.1)
    check(f"a dripped body, too ({took:.1f})", got.startswith(b"HTTP/1.1 408 ") and 1.2 < took < 2.7, got)
    s = server.connect()
    s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    got, took = drip(s, b"1\r\nx\r\n" * 20, 0.1)
    check(f"dripped chunks ({took:.1f})", got.startswith(b"HTTP/1.1 408 ") and 1.2 < took < 2.7, got)
    closes_within(server.connect(), 0.8, 2, "who says nothing at all is closed")
    s = server.connect()
    s.sendall(GET)
    answer(s)
    closes_within(s, 1.7, 3, "an idle connection is closed")
    s = server.connect()
    s.sendall(GET)
    answer(s)
    got, took = drip(s, GET + b"x" * 30, 0.1)
    check(f"the second request has a deadline of its own ({took:.1f})", got.startswith(b"HTTP/1.1 408 ") and 0.8 < took < 2, got)


def too_many():
    server = Server("-s", "connections=20", "-s", "head=5000")
    idle = []
    for _ in range(20):
        s = server.connect()
        s.sendall(GET)
        answer(s)
        idle.append(s)
    s = server.connect()
    s.sendall(GET)
    check("a newcomer is served", answer(s)[0] == 200)
    check("in place of the one idle for longest", idle[0].recv(1) == b"")
    server.end()
    server = Server("-s", "connections=20", "-s", "head=5000")
    busy = [server.connect() for _ in range(20)]
    for s in busy:
        s.sendall(b"GET / HTTP/1.1\r\n")
    time.sleep(0.2)
    s = server.connect()
    s.sendall(GET)
    check("a newcomer is served, too", answer(s)[0] == 200)
    check("in place of the first half request", busy[0].recv(1) == b"")
    s.close()
    server.end()
    server = Server("-s", "connections=20")
    busy += [server.connect() for _ in range(20)]
    for s in busy[20:]:
        s.sendall(b"GET /later?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.2)
    check("nobody to send away: 503", everything(server.connect()).startswith(b"HTTP/1.1 503 "))
    for s in busy:
        s.close()
    server.end()
    server = Server("-s", "held=3000000")
    held = [server.connect() for _ in range(6)]
    for s in held:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + bytes(999999))
    time.sleep(0.3)
    check("all together hold at most so much", server.stats()["held"] < 4500000, server.stats())
    refused = server.stats()["refused"]
    check("some were refused", 2 <= refused <= 5, refused)
    for s in held:
        s.close()
    server.end()


def out_of_descriptors():
    few = dict(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
    server = Server(**few)
    kept = []
    for _ in range(80):
        s = server.connect()
        s.sendall(GET)
        check("served though descriptors are short", answer(s)[0] == 200)
        kept.append(s)
    server.end()
    server = Server("-s", "head=20000", **few)
    silent = [server.connect() for _ in range(60)]
    time.sleep(0.3)
    for s in silent[:40]:
        s.close()
    silent[-1].sendall(GET)
    check("served when others have gone", answer(silent[-1])[0] == 200)
    server.end()


def no_spinning(server):
    """States that a level-triggered poll could turn into a busy loop."""
    def cpu():
        return sum(int(n) for n in open(f"/proc/{server.run.pid}/stat").read().split()[13:15])

    later = b"GET /later?ms=3000 HTTP/1.1\r\nHost: a\r\n\r\n"
    half, full, both, last, unread = (server.connect() for _ in range(5))
    half.sendall(later)
    half.shutdown(socket.SHUT_WR)
    full.sendall(later + GET * 4000)
    both.sendall(later + GET * 4000)
    both.shutdown(socket.SHUT_WR)
    last.sendall(later.replace(b"1.1", b"1.0") + GET * 100)
    last.shutdown(socket.SHUT_WR)
    unread.sendall(b"GET /big?bytes=8000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.5)
    before = cpu()
    time.sleep(1)
    used = cpu() - before
    check("no busy loop", used <= 10, f"{used} ticks in a second")
    check("half", everything(half).endswith(b"later\n"))
    check("both", answer(both)[2] == b"later\n")
    check("last", everything(last).endswith(b"later\n"))
    for s in (full, both, unread):
        s.close()


def draining():
    server = Server()
    idle, later, fresh = server.connect(), server.connect(), server.connect()
    idle.sendall(GET)
    answer(idle)
    later.sendall(b"GET /later?ms=500 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    server.run.send_signal(signal.SIGTERM)
    check("idle ones end", idle.recv(1) == b"" and fresh.recv(1) == b"")
    status, headers, body = answer(later)
    check("a request in flight is answered", (body, headers["connection"]) == (b"later\n", "close"))
    try:
        server.connect()
        check("nobody is let in", False)
    except ConnectionRefusedError:
        pass
    later.close()
    check("then it ends", server.run.wait(5) == 0)
    server = Server()
    never = server.connect()
    never.sendall(b"GET /later?ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    start = time.monotonic()
    server.run.send_signal(signal.SIGTERM)
    check("a drain has an end", server.run.wait(10) == 0 and 1.5 < time.monotonic() - start < 4)


# ---- where from ----------------------------------------------------------------------------------

def where_from():
    server = Server("-t", "127.0.0.0/8")
    s = server.connect()
    s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n")
    check("behind a proxy", answer(s)[2] == b"client=192.0.2.7 scheme=https uid=-1\n")
    s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: nobody\r\n\r\n")
    check("a proxy without sense", answer(s)[0] == 400)
    server.end()
    server = Server("-l", "::")
    s = server.connect()
    s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n")
    check("a mapped address", answer(s)[2] == b"client=127.0.0.1 scheme=http uid=-1\n")
    server.end()
    path = os.path.join(CERTS, "http.sock")
    for args in ([], ["-u"]):  # the second time over a socket that was left behind
        server = Server("-l", path, *args)
        check("mode", os.stat(path).st_mode & 0o777 == 0o600)
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n")
        want = f"client={'192.0.2.7' if args else ''} scheme=http uid={os.getuid()}\n"
        check("over a Unix socket", answer(s)[2].decode() == want)
        server.end()
    server = Server("-l", path)
    second = subprocess.run([SERVER, "-l", path], capture_output=True, text=True)
    check("a path in use is left alone", second.returncode == 1 and "in use" in second.stderr, second)
    server.end()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def hand_over():
        os.dup2(listening.fileno(), 3, inheritable=True)
        os.environ["LISTEN_FDS"] = "1"
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.execv(SERVER, [SERVER, "-l", "inherited"])

    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(into, 1)
        hand_over()
    os.close(into)
    port = int(os.fdopen(out).readline().split()[1])
    check("the socket of the service manager", port == listening.getsockname()[1])
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(GET)
    check("is served", answer(s)[0] == 200)
    os.kill(pid, signal.SIGTERM)
    check("ends", os.waitpid(pid, 0)[1] == 0)


# ---- TLS -----------------------------------------------------------------------------------------

def tls(server):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        s = server.secure(version=version)
        s.sendall(GET)
        check(f"{version}", answer(s)[2] == b"ok\n")
        big = os.urandom(900000)
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(big) + big)
        check("a body of many records", answer(s)[2] == big)
        s.sendall(b"GET /later?ms=100 HTTP/1.1\r\nHost: a\r\n\r\n" + GET * 50)
        check("pipelined over TLS", answer(s)[2] == b"later\n" and all(answer(s)[2] == b"ok\n" for _ in range(50)))
        s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
        check("https", b"scheme=https" in answer(s)[2])
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        old.wrap_socket(server.connect())
        check("TLS 1.1 is refused", False)
    except (ssl.SSLError, ConnectionResetError):
        pass
    alpn = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    alpn.load_verify_locations(f"{CERTS}/ca.pem")
    alpn.set_alpn_protocols(["h2", "http/1.1"])
    s = alpn.wrap_socket(server.connect(), server_hostname="localhost")
    check("http/1.1 is chosen", s.selected_alpn_protocol() == "http/1.1")
    alpn.set_alpn_protocols(["h2"])
    try:
        alpn.wrap_socket(server.connect(), server_hostname="localhost")
        check("h2 alone is refused", False)
    except (ssl.SSLError, ConnectionResetError):
        pass
    s = server.connect()
    s.sendall(GET)
    check("plain HTTP to a TLS port gets no answer of HTTP", b"HTTP/1.1" not in everything(s))
    # half-open handshakes: nothing, and half a hello
    closes_within(server.connect(), 0.8, 2, "a handshake that never begins")
    s = server.connect()
    s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    closes_within(s, 0.8, 2, "half a hello")
    s = server.secure()
    closes_within(s, 0.5, 2, "a handshake and nothing behind it")
    raw = server.connect()
    s = server.secure(raw)
    before = server.stats()["gone"]
    s.sendall(b"GET /later?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    os.close(s.detach())  # no close_notify
    eventually("a cut without good-bye", lambda: server.stats()["gone"] == before + 1)
    s = server.secure()
    s.sendall(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
    check("a flood over TLS is cut", server.line().startswith("flood "))
    s.close()
    done = subprocess.run(["curl", "-sS", "-m", "10", "--cacert", f"{CERTS}/ca.pem",
                           f"https://localhost:{server.port}/big?bytes=3000000", "--resolve",
                           f"localhost:{server.port}:127.0.0.1", "-o", "/dev/null", "-w",
                           "%{http_code} %{size_download} %{http_version}"], capture_output=True, text=True)
    check("curl over TLS", done.stdout == "200 3000000 1.1", done)


def client_certificates():
    ca = ["-a", f"{CERTS}/ca.pem"]
    server = Server(*ca, "-r", tls=["server"])
    s = server.secure(client="client")
    s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
    text = answer(s)[2].decode()
    for part in ("subject=CN=ci,O=Corp", "name=1:spiffe://corp/ci", "name=2:ci.corp.example",
                 "name=3:ci@corp.example", "expires="):
        check("what the certificate says: " + part, part in text, text)
    digest = subprocess.run(["openssl", "x509", "-in", f"{CERTS}/client.pem", "-noout", "-fingerprint",
                             "-sha256"], capture_output=True, text=True).stdout
    check("its digest", digest.split("=")[1].strip().replace(":", "").lower() in text, text)
    for client in (None, "other", "expired"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            text = b""
            try:
                s = server.secure(client=client, version=version)
                s.sendall(GET)
                text = everything(s)
            except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
                pass
            check(f"certificate {client} is refused", text == b"", text)
    try:
        s = server.secure(client="nul")
        s.sendall(GET)
        check("a name with a NUL in it is refused", everything(s) == b"")
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        pass
    server.run.send_signal(signal.SIGTERM)
    check("ends", server.run.wait(10) == 0)
    server = Server(*ca, tls=["server"])
    s = server.secure()
    s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
    check("asked for, not required", b"subject" not in answer(s)[2])
    s = server.secure(client="client")
    s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
    check("and taken", b"subject" in answer(s)[2])
    text = b""
    try:
        s = server.secure(client="other")
        s.sendall(GET)
        text = everything(s)
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        pass
    check("a wrong one is not taken for none", text == b"", text)
    server.end()


def reload():
    live = f"{CERTS}/live"
    for kind in ("pem", "key"):
        subprocess.run(["cp", f"{CERTS}/server.{kind}", f"{live}.{kind}"], check=True)
    server = Server("-c", f"{live}.pem", "-k", f"{live}.key")
    server.tls = True
    old = server.secure()
    first = old.getpeercert(True)
    for kind in ("pem", "key"):
        subprocess.run(["cp", f"{CERTS}/server2.{kind}", f"{live}.{kind}"], check=True)
    server.run.send_signal(signal.SIGHUP)
    check("reload", server.line() == "reload 0")
    new = server.secure()
    check("new connections see the new certificate", new.getpeercert(True) != first)
    old.sendall(GET)
    check("old ones live on", answer(old)[2] == b"ok\n")
    subprocess.run(["cp", f"{CERTS}/server.key", f"{live}.key"], check=True)
    server.run.send_signal(signal.SIGHUP)
    check("a pair that does not match is refused", server.line() == "reload -22")
    s = server.secure()
    check("and the old pair stays", s.getpeercert(True) == new.getpeercert(True))
    server.end()


def opens_nothing():
    """After its start the library opens no file: not for a request, not for a certificate's dates."""
    trace = f"{CERTS}/trace"
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=%file", "-o", trace, SERVER, "-a",
                               f"{CERTS}/ca.pem", "-c", f"{CERTS}/server.pem", "-k",
                               f"{CERTS}/server.key"], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    server = object.__new__(Server)
    server.run, server.tls = tracer, True
    first = tracer.stdout.readline()
    check("strace", first.startswith("port "), first)
    server.port = int(first.split()[1])
    started = os.path.getsize(trace)
    check("the start is traced", started > 0)
    for client in ("client", None):
        s = server.secure(client=client)
        s.sendall(b"GET /who HTTP/1.1\r\nHost: a\r\n\r\n")
        check("traced answer", answer(s)[0] == 200)
    with open(trace) as f:
        f.seek(started)
        check("nothing is opened afterwards", not f.read().strip(), open(trace).read()[started:])
    children = open(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read().split()
    os.kill(int(children[0]), signal.SIGTERM)
    check("traced server ends", tracer.wait(10) == 0)


# ---- many ----------------------------------------------------------------------------------------

def pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    except OSError:
        return 0


def many(what, count, limit, connect, server):
    sockets = []
    first = connect()
    first.sendall(GET)
    answer(first)
    before, start = pss_kib(server.run.pid), time.monotonic()
    for _ in range(count):
        s = connect()
        s.sendall(GET)
        sockets.append(s)
        if len(sockets) % 50 == 0:
            for waiting in sockets[-50:]:
                check("one of many", answer(waiting)[0] == 200)
    took = time.monotonic() - start
    each = (pss_kib(server.run.pid) - before) * 1024 / count
    stats = server.stats(first)
    check("all of them are there", stats["connections"] >= count, stats)
    print(f"{what}: {count} idle connections, {each:.0f} bytes of PSS each, {took:.1f} s")
    if not stats["sanitized"] and before:
        check(f"memory of an idle {what} connection", each <= limit, each)
    for s in sockets:
        s.close()
    time.sleep(0.3)
    stats = server.stats(first)
    check("they are gone again", stats["connections"] <= 2 and stats["held"] < 8192, stats)


def idle_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if os.getuid() == 0 and hard < 12000:
        hard = 12000
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = Server("-s", "idle=120000", "-s", "connections=20000")
    many("plain", min(10000, hard // 50 * 50 - 100), 2048, server.connect, server)
    server.end()
    server = Server("-s", "idle=120000", "-s", "connections=20000", tls=["server"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(f"{CERTS}/ca.pem")
    many("TLS", 500, 24 * 1024, lambda: context.wrap_socket(server.connect(), server_hostname="localhost"), server)
    server.end()


SHORT = ["-s", "head=1000", "-s", "body=1500", "-s", "idle=2000", "-s", "write=2000", "-s", "tick=300",
         "-s", "linger=500"]


def main():
    server = Server("-s", "tick=300", "-s", "write=2000")
    for step in (plain, bodies, expect_continue, pipelining, cut_everywhere, hang_up, streams, injection,
                 never_reads, no_spinning):
        step(server)
    server.end()
    server = Server(*SHORT)
    slowloris(server)
    server.end()
    server = Server(*SHORT, tls=["server"])
    plain(server)
    tls(server)
    server.end()
    client_certificates()
    reload()
    opens_nothing()
    too_many()
    out_of_descriptors()
    draining()
    where_from()
    idle_connections()
    print("http: all checks passed")


main()
