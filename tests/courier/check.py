"""The real callgate-courier between an engine and a warden of ours, against real servers.

usage: check.py COURIER FOLDER    FOLDER: for certificates; each line of output is one case
"""
import fcntl, gzip, http.server, os, socket, ssl, struct, subprocess, sys, threading, time, warnings
from email.utils import formatdate

warnings.simplefilter("ignore")
courier_program, folder = sys.argv[1:3]
FETCH, FETCHED, PING, PONG, OUTGOING, DRAIN, FORGET = 18, 19, 16, 17, 154, 140, 156
GET, POST = 1, 2
OK, UNAVAILABLE = 1, 3
failures = 0


def check(name, ok, seen=""):
    global failures
    failures += not ok
    print(("ok   " if ok else "FAILED ") + name + ("" if ok else ": " + repr(seen)), flush=True)


# ---- the wire of supervisor/link/message.h -----------------------------------------------------
def text(value):
    value = value.encode()
    return struct.pack("<I", len(value)) + value + b"\0"


def texts(values):
    return struct.pack("<I", len(values)) + b"".join(map(text, values))


def put(sock, kind, serial, fields, fds=()):
    head = struct.pack("<IHHQ", 0x31474C43, kind, len(fds), serial)
    socket.send_fds(sock, [head + fields], list(fds))


def get(sock, wait=20):
    sock.settimeout(wait)
    data, fds, _, _ = socket.recv_fds(sock, 65536, 9)
    if not data:
        return None
    _, kind, _, serial = struct.unpack_from("<IHHQ", data)
    return kind, serial, data[16:], fds


class Answer:
    def __init__(self, data, fds):
        self.status, self.http, self.retry, length = struct.unpack_from("<HHII", data)
        self.note = data[12 : 12 + length].decode()
        (size,) = struct.unpack_from("<I", data, 13 + length)
        self.body = data[17 + length :]
        if size == 0xFFFFFFFF:
            self.body = os.pread(fds[0], 5_000_000, 0)
            os.close(fds[0])
        assert size in (0xFFFFFFFF, len(self.body))

    def __repr__(self):
        return f"{self.status} {self.http} {self.retry} {self.note!r} {self.body[:80]!r}"


class Courier:
    def __init__(self, networks=(), ca=True, tell=True, env=None):
        self.engine, engine = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.warden, warden = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.serial = 0
        fds = [engine.fileno(), warden.fileno()]

        def place():
            high = [os.dup2(fd, 40 + i, False) for i, fd in enumerate(fds)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, True)
            os.closerange(5, 256)

        self.process = subprocess.Popen(
            [courier_program], preexec_fn=place, close_fds=False,
            env={"CALLGATE_LOG": "warn,text", **(env or {})})
        engine.close()
        warden.close()
        if tell:
            self.tell(networks, ca)

    def tell(self, networks=(), ca=True):
        fds = []
        if ca:
            fd = os.memfd_create("ca", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            with open(folder + "/ca.pem", "rb") as file:
                os.write(fd, file.read())
            fcntl.fcntl(fd, 1033, 15)  # F_ADD_SEALS, all four
            fds = [fd]
        put(self.warden, OUTGOING, 0, struct.pack("<B", bool(ca)) + texts(networks), fds)
        for fd in fds:
            os.close(fd)
        if self.serial:  # two links have no order between them: it has taken this when it answers
            put(self.warden, PING, 8, b"")
            assert get(self.warden)[0] == PONG

    def ask(self, url, method=GET, headers=(), timeout=5000, most=100000, body=b""):
        self.serial += 1
        put(self.engine, FETCH, self.serial, struct.pack("<H", method) + text(url)
            + texts(headers) + struct.pack("<II", timeout, most)
            + struct.pack("<I", len(body)) + body)
        return self.serial

    def answer(self, wait=20):
        kind, serial, data, fds = get(self.engine, wait)
        assert kind == FETCHED, kind
        return serial, Answer(data, fds)

    def fetch(self, *args, **named):
        asked = self.ask(*args, **named)
        serial, answer = self.answer()
        assert serial == asked
        return answer

    def end(self):
        self.engine.close()
        self.warden.close()
        return self.process.wait(10)


# ---- the servers -------------------------------------------------------------------------------
connections = [0]
bomb = gzip.compress(b"\0" * 50_000_000)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = {}

    def log_message(self, *args):
        pass

    def setup(self):
        connections[0] += 1
        super().setup()

    def say(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Handler.seen = dict(self.headers)
        self.say(201, body)

    def do_GET(self):
        path = self.path.split("?")[0]
        Handler.seen = dict(self.headers)
        if path == "/redirect":
            self.say(302, b"moved", [("Location", "/good")])
        elif path == "/long":
            self.say(200, b"x" * 5000)
        elif path == "/endless":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            except OSError:
                pass
        elif path == "/big":
            self.say(200, b"y" * 90000)
        elif path == "/slow":
            time.sleep(8)
            self.say(200, b"late")
        elif path == "/pause":
            time.sleep(0.05)
            self.say(200, b"fine")
        elif path == "/gzip":
            self.say(200, bomb, [("Content-Encoding", "gzip")])
        elif path == "/gzip-frames":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "gzip, chunked")
            self.end_headers()
            try:
                self.wfile.write(b"%x\r\n" % len(bomb) + bomb + b"\r\n0\r\n\r\n")
            except OSError:
                pass
        elif path == "/early":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            self.close_connection = True
        elif path == "/nothing":
            self.close_connection = True
        elif path == "/nonsense":
            self.wfile.write(b"\x00\xff SSH-2.0 nonsense\r\n\r\n")
            self.close_connection = True
        elif path == "/headers":
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"z" * 90000 + b"\r\n\r\n")
            except OSError:
                pass
            self.close_connection = True
        elif path == "/retry":
            self.say(429, b"slowly", [("Retry-After", "7")])
        elif path == "/retry-date":
            self.say(503, b"", [("Retry-After", formatdate(time.time() + 100, usegmt=True))])
        elif path == "/retry-odd":
            self.say(503, b"", [("Retry-After", "99999999999999999999")])
        else:
            self.say(200, b"good")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *args):
        pass


def serve(certificate=None, address="127.0.0.1", least=None, most=None):
    server = Server((address, 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{certificate}.pem", f"{folder}/{certificate}.key")
        if most:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = most
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


good, expired, foreign, alien = map(serve, ("good", "expired", "foreign", "alien"))
plain = serve()
old = serve("good", most=ssl.TLSVersion.TLSv1_1)
url = f"https://127.0.0.1:{good}"


def refused(name, answer, *words):
    check(name, answer.status == UNAVAILABLE and answer.http == 0 and not answer.body
          and all(word in answer.note for word in words)
          and "SECRET" not in answer.note, answer)


# ---- the cases ---------------------------------------------------------------------------------
c = Courier(tell=False)
c.ask(url + "/good")
c.engine.settimeout(0.3)
try:
    c.engine.recv(1)
    check("nothing goes out before OUTGOING", False)
except TimeoutError:
    check("nothing goes out before OUTGOING", connections[0] == 0, connections)
c.tell()
serial, a = c.answer()
check("then what waited does", serial == 1 and a.status == OK and a.http == 200, a)

a = c.fetch(url + "/good?key=SECRET", headers=["Accept: text/plain", "Authorization: Bearer SECRET"])
check("a good answer", (a.status, a.http, a.body) == (OK, 200, b"good"), a)
seen = Handler.seen
check("its headers", seen.get("User-Agent", "").startswith("callgate/")
      and seen.get("Accept") == "text/plain" and "Accept-Encoding" not in seen
      and seen.get("Authorization") == "Bearer SECRET", seen)
before = connections[0]
for i in range(10):
    c.fetch(url + "/good")
check("connections are kept", connections[0] == before, connections[0] - before)
body = os.urandom(20000)
a = c.fetch(url + "/post", method=POST, headers=["Content-Type: application/json"], body=body)
check("POST", a.http == 201 and a.body == body
      and Handler.seen.get("Content-Type") == "application/json"
      and "Expect" not in Handler.seen, a)
a = c.fetch(url + "/redirect")
check("a redirect is an answer and is not followed", (a.http, a.body) == (302, b"moved"), a)
a = c.fetch(url + "/big")
check("a long answer that is allowed", a.http == 200 and a.body == b"y" * 90000, a)
refused("an answer longer than allowed", c.fetch(url + "/long?SECRET", most=4999), "longer than")
a = c.fetch(url + "/long", most=5000)
check("one that just fits", len(a.body) == 5000, a)
refused("an endless answer", c.fetch(url + "/endless?SECRET"), "longer than")
a = c.fetch(url + "/gzip")
check("what is compressed stays so", a.status == OK and a.body == bomb or a.status == UNAVAILABLE
      and "longer" in a.note, a)
refused("a bomb in the framing", c.fetch(url + "/gzip-frames?SECRET"), "longer than")
refused("endless headers", c.fetch(url + "/headers?SECRET"))
start = time.time()
refused("a slow server", c.fetch(url + "/slow?SECRET", timeout=700), "127.0.0.1", "imeout")
check("within its time", time.time() - start < 3, time.time() - start)
refused("a server that hangs up in the middle", c.fetch(url + "/early?SECRET"))
refused("a server that hangs up at once", c.fetch(url + "/nothing?SECRET"))
refused("a server that speaks no HTTP", c.fetch(url + "/nonsense?SECRET"))
check("Retry-After in seconds", c.fetch(url + "/retry").retry == 7)
a = c.fetch(url + "/retry-date")
check("Retry-After as a date", a.http == 503 and 90 <= a.retry <= 101, a)
a = c.fetch(url + "/retry-odd")
check("Retry-After out of all measure", a.retry <= 86400, a)

refused("an expired certificate", c.fetch(f"https://127.0.0.1:{expired}/SECRET"), "expired")
refused("another name", c.fetch(f"https://127.0.0.1:{foreign}/SECRET"), "127.0.0.1")
refused("another authority", c.fetch(f"https://127.0.0.1:{alien}/SECRET"), "certificate")
refused("TLS 1.1", c.fetch(f"https://127.0.0.1:{old}/SECRET"))
refused("TLS where there is none", c.fetch(f"https://127.0.0.1:{plain}/SECRET"))
a = c.fetch(f"http://127.0.0.1:{plain}/good")
check("plain http on loopback", a.http == 200, a)
a = c.fetch(f"http://localhost:{plain}/good")
check("plain http on localhost", a.http == 200, a)
a = c.fetch(f"https://LOCALHOST:{good}/good")
check("localhost in capitals", a.http == 200, a)

hosts = ["rebind.localhost", "127.0.0.2", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"]
for name in ("ip6-localhost", "ip6-loopback", socket.gethostname()):
    try:
        if any(ip[4][0] in ("::1",) or ip[4][0].startswith("127.")
               for ip in socket.getaddrinfo(name, 443)):
            hosts.append(name)
    except OSError:
        pass
check("a name of /etc/hosts that leads to loopback is among them", len(hosts) > 6, hosts)
for host in hosts:
    refused(f"{host} leads to loopback",
            c.fetch(f"https://{host}:{good}/SECRET", timeout=2000), "server.outgoing.networks")
for host, what in (("10.1.2.3", "private"), ("169.254.169.254", "metadata"), ("0.0.0.0", "unspec"),
                   ("100.100.100.200", "NAT"), ("[fd00:ec2::254]", "private"),
                   ("[64:ff9b::7f00:1]", "NAT64"), ("[2002:7f00:1::]", "6to4"),
                   ("[fe80::1]", "link-local"), ("192.168.0.1", "private")):
    refused(f"{host} is refused", c.fetch(f"https://{host}:{good}/SECRET", timeout=2000), what)
    refused(f"{host} without TLS too", c.fetch(f"http://{host}:{good}/SECRET", timeout=2000))
refused("no such name", c.fetch("https://no.such.name.invalid/SECRET", timeout=15000), "no.such")
for bad in ("ftp://127.0.0.1/SECRET", "file:///etc/SECRET", "https://user:SECRET@127.0.0.1/",
            "HTTPS:127.0.0.1/SECRET", "https:///SECRET", "https://127.0.0.1/SE CRET", "SECRET", "",
            "https://127.0.0.1:99999/SECRET", "https://127.0.0.1:0/SECRET", "https://a\u00e9.x/SECRET",
            "https://127.0.0.1/\nSECRET", "gopher://x/SECRET", "https://x/" + "SECRET" * 900):
    refused(f"{bad[:30]!r} is no address", c.fetch(bad))
for header in ("SECRET", "X:SECRET", "X: a\r\nY: SECRET", ": SECRET", "Host: SECRET", "X: ", "X y: 1",
               "Content-Length: 1", "transfer-encoding: chunked", "X: " + "SECRET" * 2000):
    refused(f"header {header[:20]!r}", c.fetch(url + "/good", headers=[header]))
refused("a GET with a body", c.fetch(url + "/good", body=b"x"))

# An old connection counts only as long as its address does.
c.tell(networks=["127.0.0.0/8", "::1/128"])
a = c.fetch(f"https://rebind.localhost:{good}/good", timeout=2000)
check("a listed network may be reached", a.http in (0, 200) and "networks" not in a.note, a)
a = c.fetch(f"https://127.0.0.2:{good}/x")
check("its certificate must still fit", a.status == UNAVAILABLE and "networks" not in a.note, a)
a = c.fetch(f"http://rebind.localhost:{plain}/good")
check("plain http to listed loopback", a.http == 200, a)
c.tell(networks=["192.0.2.0/24"])
refused("a network that is no longer listed", c.fetch(f"http://rebind.localhost:{plain}/SECRET"),
        "server.outgoing.networks")
c.tell(ca=False)
refused("an authority that is no longer given", c.fetch(url + "/SECRET"), "certificate")
c.tell()
put(c.warden, PING, 6, b"")
check("it answers PING", get(c.warden)[:2] == (PONG, 6))

asked = [c.ask(url + "/pause", timeout=60000) for _ in range(300)]
before = connections[0]
answers = dict(c.answer(60) for _ in asked)
good_ones = [a for a in answers.values() if a.http == 200]
late_ones = [a for a in answers.values() if "wait already" in a.note]
check("300 at once: each is answered once", sorted(answers) == asked
      and len(good_ones) >= 288 and len(good_ones) + len(late_ones) == 300,
      (len(answers), len(good_ones), len(late_ones),
       {a.note for a in answers.values()}))
running = [c.ask(url + "/slow", timeout=4000) for _ in range(32)]
behind = [c.ask(url + "/slow", timeout=700) for _ in range(8)]
start = time.time()
told = dict(c.answer() for _ in behind)
took = time.time() - start
check("those whose turn does not come are told in time", sorted(told) == behind and took < 3
      and all("turn" in a.note for a in told.values()), (took, sorted(told), behind))
told = dict(c.answer() for _ in running)
check("and those that run are ended by their own time", sorted(told) == running
      and all("imeout" in a.note for a in told.values()), {a.note for a in told.values()})
check("and it is as before", c.fetch(url + "/good").http == 200)


def forget(serial):
    put(c.engine, FORGET, 0, struct.pack("<Q", serial))


held = [c.ask(url + "/slow", timeout=60000) for _ in range(32)]
queued = [c.ask(url + "/good", timeout=60000) for _ in range(2)]
forget(queued[0])
forget(held[5])
forget(999999)
check("a place that is given up is the next one's, and nobody is answered for it",
      c.answer()[0] == queued[1])
for serial in held:
    forget(serial)
check("all of them", c.fetch(url + "/good").http == 200)
check("it still is the same process", c.process.poll() is None)
if os.geteuid() == 0:
    open_files = os.listdir(f"/proc/{c.process.pid}/fd")
    check("few descriptors stay open", len(open_files) < 64, len(open_files))
else:
    print("not judged: few descriptors stay open (only root may look)")
c.ask(url + "/pause")
put(c.warden, DRAIN, 0, text("test"))
check("what was asked is answered before it leaves", c.answer()[1].http == 200)
check("then it leaves in peace", c.process.wait(10) == 0, c.process.returncode)

c = Courier(env={"https_proxy": f"http://127.0.0.1:{plain}", "ALL_PROXY": "socks5://127.0.0.1:1",
                 "HOME": folder, "SSL_CERT_FILE": folder + "/alien.pem"})
check("no proxy of the environment", c.fetch(url + "/good").http == 200)
c.ask(url + "/slow")
c.engine.close()
check("it ends with engine", c.process.wait(10) == 1, c.process.returncode)
c = Courier()
c.ask(url + "/slow")
c.warden.close()
check("it ends with the warden", c.process.wait(10) == 1, c.process.returncode)
c = Courier(tell=False)
c.tell(networks=["10.0.0.1/8"])
check("it takes no settings that it cannot read", c.process.wait(10) == 1, c.process.returncode)
c = Courier()
c.engine.send(b"nonsense")
check("it ends at nonsense", c.process.wait(10) == 1, c.process.returncode)
c = Courier()
for i in range(20):
    c.ask(url + "/slow")
    c.ask("https://no.such.name.invalid/", timeout=100)
time.sleep(0.3)
check("it ends in the middle of things", c.end() == 1)
print(f"courier: {failures} failed")
sys.exit(1 if failures else 0)
