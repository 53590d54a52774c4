"""Section E: the network. No network proxy exists yet, so a tool has no network at all."""
from harness import case, check
from web import must, web_daemon

CONNECT = """import socket, sys
for family, kind, address in %s:
    try:
        s = socket.socket(family, kind)
        s.settimeout(3)
        s.connect(address) if kind == socket.SOCK_STREAM else s.sendto(b'x', address)
        print('REACHED', address)
    except OSError as e:
        print('errno', e.errno)
"""
IN, IN6, UN, TCP, UDP = ("socket.AF_INET", "socket.AF_INET6", "socket.AF_UNIX", "socket.SOCK_STREAM",
                         "socket.SOCK_DGRAM")


def connect(*rows):
    return CONNECT % ("[" + ", ".join(f"({f}, {k}, {a})" for f, k, a in rows) + "]")


def python(g, way, script, **more):
    """By every way: as the call, which the list refuses; below a shell and an interpreter."""
    got = g.attack(way, argv=["python3", "-c", script], **more)
    for one in got.all:
        check("something was reached", "REACHED" not in one.stdout, one)
    return got


@case("E01", "abstract sockets of the host", control=True)
def e01(g, way):
    python(g, way, connect((UN, TCP, "'\\0{A}'"), (UN, UDP, "'\\0{A}-d'")))
    got = python(g, way, "print(open('/proc/net/unix').read())", control=False)
    check("the host's sockets are listed", g.listeners.abstract not in str([o.stdout for o in got.all]))


TOOLS = """  box: {{type: command, deny_by_default: true, allowed_commands: [python3, sh], sandbox: {{{0}}}}}
  none: {{type: command, deny_by_default: true, allowed_commands: [], sandbox: {{{0}}}}}"""


@case("E02", "an empty list is nothing", ways=("direct",))
def e02(g, way):
    for keys in ("network: []", "sockets: []", "network: ['']", "network: null", "require: []"):
        text = g.policy(tools=f"  box: {{type: command, deny_by_default: true, allowed_commands: [ls], sandbox: {{{keys}}}}}")
        path = f"{g.home}/empty.yaml"
        with open(path, "w") as f:
            f.write(text)
        done = g.callgate("policy", "check", path)
        check(f"{keys} loads, and means what?", done.returncode != 0 and "empty.yaml:" in done.stdout + done.stderr,
              done.stdout + done.stderr)
    roles = "  agent: {tools: []}\n  human: {tools: [none], permissions: [daemon:control]}"
    with g.daemon(policy=g.policy(tools=TOOLS.format(must(g)), roles=roles)) as d:
        check("a role without tools has one", d.request("box", {"command": "sh -c true"}).error)
        got = d.call("none", {"command": "touch x"})
        check("an empty list of programs lets one run", got.decision == "deny", got)
        d.serving()


@case("E04", "names that begin or end like a permitted one", ways=("direct",))
def e04(g, way):
    tools = TOOLS.format(must(g))
    with web_daemon(g, tools, server="  hosts: [allowed.com]\n  cors: {allowed_origins: ['https://allowed.com']}\n") as (d, web):
        check("the permitted name", web.ask("GET", "/tools", Host="allowed.com")[0] == 200)
        for host in ("allowed.com.evil.com", "evilallowed.com", "allowed.com@evil.com", "evil.com#allowed.com",
                     "allowed.com%00.evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "allowed.co",
                     "xn--allowed-.com", "allowed.com:evil"):
            status = web.ask("GET", "/tools", Host=host)[0]
            check(f"Host {host}", status in (400, 403), status)
            status = web.ask("GET", "/tools", Origin=f"https://{host}")[0]
            check(f"Origin {host}", status in (400, 403), status)
        d.serving()


@case("E05", "past any proxy: plain, raw and odd sockets", control=True)
def e05(g, way):
    python(g, way, connect((IN, TCP, "('127.0.0.1', {T})"), (IN, UDP, "('127.0.0.1', {U})"),
                           (UN, TCP, "'{S}'"), (UN, UDP, "'{D}'")))
    got = python(g, way, "import socket\n"
                 "for f, k, p in ((2, 3, 1), (2, 3, 255), (17, 3, 768), (17, 2, 768), (16, 3, 0), (40, 1, 0),\n"
                 "                (38, 5, 0), (31, 3, 0), (10, 3, 58), (2, 1, 132), (2, 5, 132), (2, 6, 33)):\n"
                 "    try: socket.socket(f, k, p); print('REACHED', f, k, p)\n"
                 "    except OSError as e: print('errno', e.errno)\n", control=False)
    if way == "child":
        check("a socket of that kind was not refused", got.stdout.count("errno") == 12, got)
    if way == "tool":
        g.attack(way, command="curl --noproxy '*' http://127.0.0.1:{T}/")


@case("E07", "odd spellings of an address", control=True)
def e07(g, way):
    names = ("0x7f000001", "017700000001", "2130706433", "0", "127.1", "0x7f.1", "localhost", "localhost.",
             "::ffff:127.0.0.1", "::1", "127.0.0.1")
    python(g, way, "import socket\nfor name in %r:\n    try: socket.create_connection((name, {T}), 3); "
                   "print('REACHED', name)\n    except OSError as e: print('errno', e.errno)\n" % (names,))


@case("E10", "h2c upgrade", ways=("direct",))
def e10(g, way):
    with web_daemon(g, TOOLS.format(must(g))) as (d, web):
        for path, body in (("/tools", b""), ("/v1/keys", b"{}"), ("/mcp", b"{}")):
            for method in ("GET", "POST"):
                status, head, _ = web.ask(method, path, body if method == "POST" else None, Upgrade="h2c",
                                          HTTP2_Settings="AAMAAABkAAQAoAAAAAIAAAAA")
                check("it switches protocols", status != 101 and "h2c" not in head.lower(), head)
        got = web.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        check("prior knowledge of HTTP/2", not got or got.startswith(b"HTTP/1.1 4") or got.startswith(b"HTTP/1.1 5"), got)
        d.serving()


@case("E11", "dot segments and escapes in a path", ways=("direct",))
def e11(g, way):
    with web_daemon(g, TOOLS.format(must(g))) as (d, web):
        for path in ("/health/%2e%2e/metrics", "/health/../metrics", "//metrics", "/health;x/../metrics",
                     "/health/..;/metrics", "/%6detrics", "/metrics/", "/metrics%00", "/metrics%20", "/./metrics",
                     "/health/%2e%2e%2fmetrics", "/health\\..\\metrics", "/METRICS", "/v1/tools/../keys",
                     "/v1/tools/box%2fcall", "/v1/tools/box/call/../../../keys"):
            for key in (None, True):
                status, _, body = web.ask("GET", path, key=key)
                check(f"{path} leads somewhere", status in (400, 401, 403, 404), (status, body[:200]))
                check(f"{path} tells", "callgate_" not in body, body[:200])
        d.serving()


@case("E13", "cloud metadata")
def e13(g, way):
    got = python(g, way, connect((IN, TCP, "('169.254.169.254', 80)"), (IN6, TCP, "('fd00:ec2::254', 80)"),
                                 (IN, TCP, "('100.100.100.200', 80)"), (IN, UDP, "('169.254.169.254', 53)")))
    if way == "child":
        check("not refused by the network itself", got.stdout.count("errno") == 4, got)
    if way == "tool":  # nor does callgate go there for somebody
        for url in ("http://169.254.169.254/latest", "https://169.254.169.254/", "http://[fd00:ec2::254]/"):
            text = g.policy(tools=TOOLS.format(must(g)), extra="server:\n  socket: {path: run/callgate.sock}\n  port: 1\n  auth: {enabled: true, "
                            f"jwks_url: '{url}', issuer: 'https://i.example/', audience: callgate}}\n")
            with open(f"{g.home}/meta.yaml", "w") as f:
                f.write(text)
            done = g.callgate("policy", "check", f"{g.home}/meta.yaml")
            said = done.stdout + done.stderr
            check("http to elsewhere is no issuer", not url.startswith("http:") or done.returncode != 0, said)


@case("E14", "very long host names")
def e14(g, way):
    for size in g.some((256, 1024, 70000), 1):
        python(g, way, "import socket\nfor name in ('a' * %d, 'a.' * %d, 'x' * 255 + '.127.0.0.1'):\n"
               "    try: socket.create_connection((name, {T}), 3); print('REACHED')\n"
               "    except (OSError, UnicodeError) as e: print('refused')\n" % (size, size // 2))
    if way == "tool":
        for size in (256, 2000):
            text = g.policy(tools=TOOLS.format(must(g)), extra="server:\n  socket: {path: run/callgate.sock}\n  port: 1\n  auth: {enabled: true, "
                            f"jwks_url: 'https://{'a' * size}.example/k', issuer: 'https://i.example/', audience: c}}\n")
            with open(f"{g.home}/long.yaml", "w") as f:
                f.write(text)
            check("a name that cannot be looked up", g.callgate("policy", "check", f"{g.home}/long.yaml").returncode)


@case("E16", "the daemon itself")
def e16(g, way):
    tools = ("  box: {type: command, deny_by_default: true, allowed_commands: [python3, sh, bash, echo, git], sandbox: {%s}}\n"
             "  bash: {type: command, deny_by_default: true, allowed_commands: [ls, git], sandbox: {%s}}\n"
             "  ask: {type: command, deny_by_default: true, allowed_commands: [ls, git], require_approval: true, sandbox: {%s}}"
             % ((must(g),) * 3))
    with web_daemon(g, tools, server="  observability: {metrics: {enabled: true}}\n") as (d, web):
        before = d.status()["pid"]
        got = python(d, way, connect((UN, TCP, repr(d.socket_path)), (IN, TCP, f"('127.0.0.1', {web.port})"),
                                     (IN6, TCP, f"('::1', {web.port})")))
        if way == "child":
            check("not refused", got.stdout.count("errno") == 3, got)
            got = python(d, way, f"import os\nfor p in ({d.socket_path!r}, {d.state!r}, {d.config!r}, {d.log!r}):\n"
                         "    print('REACHED' if os.path.lexists(p) else 'gone')\n")
            check("not gone", got.stdout.count("gone") == 4, got)
        check("another daemon", d.status()["pid"] == before)
