#!/usr/bin/env python3
"""Hostile HTTP against the real daemon. usage: http_hostile.py PORT KEY PID VECTORS
KEY may list and call tools; PID is callgate-front-http's; VECTORS is tests/unit/http/vectors.h.
Every check must hold, the same process must serve at the end, and it must not have grown."""
import json, os, random, re, resource, socket, sys, threading, time

PORT, KEY, PID, VECTORS = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
GROWTH_KB = 24 * 1024  # what the allocator may keep after all of this


def check(what, condition, detail=""):
    if not condition:
        print(f"FAILED: {what}: {detail!r}", flush=True)
        os._exit(1)


def connect(timeout=20):
    s = socket.create_connection(("127.0.0.1", PORT), timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s, wait=20):
    """Up to the end of the connection, or until nothing came for a while."""
    s.settimeout(wait)
    data = b""
    try:
        while more := s.recv(65536):
            data += more
        return data, True
    except socket.timeout:
        return data, False
    except ConnectionError:
        return data, True


def statuses(data):
    return [int(code) for code in re.findall(rb"(?:^|\n|\})HTTP/1\.1 (\d{3}) ", data) if code != b"100"]


def ask(method, path, body=None, key=KEY, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if body is not None:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content_Type", "application/json")
        headers["Content_Length"] = len(body)
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    s = connect()
    try:
        s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
    except ConnectionError:
        pass  # refused before all of it was sent
    data, ended = read_all(s)
    s.close()
    check(f"{method} {path} is answered and ended", ended and statuses(data), data[:200])
    head, _, text = data.partition(b"\r\n\r\n")
    return statuses(data)[0], head, text


def memory_kb():
    """What is resident, without pages of files: the rest is not ours to read as an ordinary user."""
    with open(f"/proc/{PID}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def serves(what):
    code, _, body = ask("GET", "/health", key=None)
    check(f"{what}: /health", code == 200, body)
    code, _, body = ask("GET", "/tools")
    check(f"{what}: /tools", code == 200 and b"echo" in body, body)


# ---- framing: the table of the unit tests, against the whole program -----------------------------


def c_text(literals):
    """The bytes of C string literals."""
    out = b""
    for literal in literals:
        out += literal.encode("latin-1").decode("unicode_escape").encode("latin-1")
    return out


def vectors():
    text = open(VECTORS).read()
    macros = {}
    for name, value in re.findall(r'^#define (GET|POST|CHUNK|EVIL)\s+(.*)$', text, re.M):
        macros[name] = value
    token = re.compile(r'"((?:[^"\\]|\\.)*)"|\b(GET|POST|CHUNK|EVIL)\b')

    def expand(source):
        parts = []
        for literal, macro in token.findall(source):
            parts += expand(macros[macro]) if macro else [literal]
        return parts

    for row in re.findall(r'^    V\((.*?)\),$', text, re.M | re.S):
        name, rest = re.match(r'\s*"((?:[^"\\]|\\.)*)",\s*(.*)$', row, re.S).groups()
        source, wanted = re.match(r'(.*),\s*"((?:[^"\\]|\\.)*)"$', rest, re.S).groups()
        data = c_text(expand(source))
        data = data.replace(b"Host: a\r\n", b"Host: localhost\r\n")
        json = b"POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\n"  # so that the body counts
        yield name, data.replace(b"POST / HTTP/1.1\r\n", json), wanted


def send_cut(s, data, rng):
    """In one piece, or in random ones: the answer must be the same."""
    at = 0
    while at < len(data):
        step = rng.choice((1, 2, 7, len(data)))
        try:
            s.sendall(data[at : at + step])
        except ConnectionError:
            return
        at += step


def framing():
    rng = random.Random(4)
    count = 0
    for name, data, wanted in vectors():
        for cut in (False, True):
            s = connect()
            if cut:
                send_cut(s, data, rng)
            else:
                s.sendall(data)
            honest = not re.fullmatch(r"\d{3}", wanted)
            got, ended = read_all(s, 0.3 if honest else 20)
            codes = statuses(got)
            s.close()
            if honest:
                most = len(re.findall(r"\[", wanted))
                check(f"vector {name}", len(codes) <= max(most, 1), codes)
                check(f"vector {name}", wanted == "..." or codes, got[:200])
                pages = wanted.count("GET / [")  # which is everybody's
                check(f"vector {name}: nothing is let in", codes.count(200) <= pages, codes)
            else:
                check(f"vector {name}", codes == [int(wanted)] and ended, (codes, wanted, got[:200]))
        count += 1
    rows = len(re.findall(r"^    V\(", open(VECTORS).read(), re.M))
    check("all vectors were read", count == rows > 100, (count, rows))
    print(f"framing: {count} vectors, whole and cut")


# ---- slow clients, all at once ---------------------------------------------------------------------


def slow_head(result):
    s, begin = connect(40), time.monotonic()
    s.sendall(b"GET /tools HTTP/1.1\r\nHost: localhost\r\n")
    try:
        for i in range(80):
            s.sendall(b"X-%d: y\r\n" % i)
            time.sleep(0.5)
    except ConnectionError:
        pass
    data, _ = read_all(s, 5)
    result["head"] = (time.monotonic() - begin, statuses(data))


def slow_body(result):
    s, begin = connect(60), time.monotonic()
    s.sendall(
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + KEY.encode() + b"\r\nContent-Length: 1000\r\n\r\n"
    )
    try:
        for _ in range(100):
            s.sendall(b" ")
            time.sleep(0.5)
    except ConnectionError:
        pass
    data, _ = read_all(s, 5)
    result["body"] = (time.monotonic() - begin, statuses(data))


def slow_read(result):
    """Never reads: pipelines questions whose answers it does not take."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.connect(("127.0.0.1", PORT))
    begin = time.monotonic()
    question = (
        b"GET /tools HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n\r\n"
    )
    s.settimeout(1)
    ended = None
    while time.monotonic() - begin < 100:
        try:
            s.sendall(question * 64)
        except socket.timeout:
            continue
        except ConnectionError:
            ended = time.monotonic() - begin
            break
    result["read"] = (ended, [])


# ---- sizes and forms ---------------------------------------------------------------------------------


def sizes():
    hundred = 100 * 1024 * 1024
    s = connect()
    s.sendall(
        b"POST /v1/tools/echo/call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + KEY.encode() + b"\r\nContent-Length: %d\r\n\r\n" % hundred
    )
    data, ended = read_all(s)  # not a byte of it was sent
    check("100 MB by length", statuses(data) == [413] and ended, data[:200])
    s = connect()
    s.sendall(
        b"POST /v1/tools/echo/call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + KEY.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    before, sent = memory_kb(), 0
    try:
        while sent < hundred:  # what comes behind the refusal is thrown away, for two seconds
            s.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
            sent += 65536
    except ConnectionError:
        pass
    held = memory_kb() - before
    data, _ = read_all(s)
    check("100 MB by chunks", statuses(data) in ([413], []), data[:200])  # a reset may eat it
    check("100 MB by chunks are not kept", held < 8 * 1024, held)


def forms():
    call = "/v1/tools/echo/call"
    bad = [
        ("deep JSON", b'{"arguments":' + b"[" * 100000 + b"]" * 100000 + b"}", {}, 400),
        ("many commas", b'{"arguments":[' + b"[],"*200000 + b"[]]}", {}, (400, 413)),
        ("a key twice", b'{"arguments":{},"arguments":{}}', {}, 400),
        ("NaN", b'{"arguments":{"command":NaN}}', {}, 400),
        ("not UTF-8", b'{"arguments":{"command":"\xff"}}', {}, 400),
        ("no object", b"[]", {}, 400),
        ("text/plain", b'{"arguments":{}}', {"Content_Type": "text/plain"}, 415),
        ("a form", b"arguments=1", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ("a foreign origin", b'{"arguments":{}}', {"Origin": "https://evil.example"}, 403),
        ("a bad namespace", b'{"arguments":{}}', {"Callgate_Namespace": "a b"}, 400),
        ("a long namespace", b'{"arguments":{}}', {"Callgate_Namespace": "a" * 256}, 400),
        ("a climbing namespace", b'{"arguments":{}}', {"Callgate_Namespace": "../x"}, 400),
        ("a bad agent", b'{"arguments":{}}', {"Callgate_Agent": "a/b"}, 400),
        ("a foreign namespace", b'{"arguments":{}}', {"Callgate_Namespace": "elsewhere"}, 403),
    ]
    for name, body, headers, wanted in bad:
        code, _, text = ask("POST", call, body, **headers)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        check(name, code in wanted, (code, text[:200]))
        check(f"{name}: the error is JSON", "error" in json.loads(text), text[:200])
    for name, path, wanted in (
        ("a key in the query", f"/tools?api_key={KEY}", 400),
        ("a token in the query", f"/tools?access_token={KEY}", 400),
        ("an escaped slash", "/v1%2ftools", (400, 404)),
        ("dots", "/v1/../tools", (400, 404)),
        ("two slashes", "//tools", (400, 404)),
        ("a slash at the end", "/tools/", (400, 404)),
        ("another case", "/Tools", 404),
    ):
        code, _, text = ask("GET", path)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        check(name, code in wanted, (code, text[:200]))
    host = connect()
    host.sendall(b"GET /tools HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    check("a foreign Host", statuses(read_all(host)[0]) == [403])


def credentials():
    wrong = ["x", "Bearer", "A" * 43, KEY[:-1], KEY + "A", KEY[:-1] + ("A" if KEY[-1] != "A" else "B"), "a.b.c"]
    for text in wrong[:4]:  # few enough that the address is not made to wait
        code, head, body = ask("GET", "/tools", key=text)
        check(f"wrong credential {text[:12]}...", code == 401, (code, body))
        check("the challenge", b"WWW-Authenticate: Bearer" in head, head)
        check("nothing of it comes back", text.encode() not in body or len(text) < 8, body)
    code, _, body = ask("GET", "/tools", X_API_Key="other")
    check("two credentials", code == 401, (code, body))


# ---- ten thousand ------------------------------------------------------------------------------------


def idle():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = min(10000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, want + 200), hard))
    before = memory_kb()
    sockets = []
    for i in range(want):
        s = socket.socket()
        s.connect(("127.0.0.1", PORT))
        sockets.append(s)
        if i % 500 == 499:
            time.sleep(0.02)
    time.sleep(0.5)
    held = memory_kb() - before
    check("idle connections are cheap", held < want * 3, f"{held} KiB for {want}")
    s = connect()
    s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    check("somebody else is served", statuses(read_all(s)[0]) == [200])
    for s in sockets:
        s.close()
    print(f"idle: {want} connections, {held * 1024 // want} bytes each")


def main():
    serves("at the start")
    before = memory_kb()
    slow, threads = {}, []
    for client in (slow_head, slow_body, slow_read):
        threads.append(threading.Thread(target=client, args=(slow,)))
        threads[-1].start()
    framing()
    sizes()
    forms()
    credentials()
    idle()
    for thread in threads:
        thread.join()
    seconds, codes = slow["head"]
    check("a dripped head is ended", 5 < seconds < 25 and codes in ([408], []), slow)
    seconds, codes = slow["body"]
    check("a dripped body is ended", 20 < seconds < 50 and codes in ([408], []), slow)
    seconds, _ = slow["read"]
    check("who does not read is ended", seconds and seconds < 100, slow)
    print(f"slow: head {slow['head'][0]:.0f} s, body {slow['body'][0]:.0f} s, read {slow['read'][0]:.0f} s")
    serves("at the end")
    grown = memory_kb() - before
    with open(os.environ["IT_BIN"] + "/callgate-front-http", "rb") as program:
        sanitized = b"__asan_init" in program.read()  # a sanitizer keeps what is freed
    check("no growth", sanitized or grown < GROWTH_KB, f"{grown} KiB")
    check("the same process", os.path.exists(f"/proc/{PID}"))


main()
