"""Section F: resources. Each limit of a tool, driven against; the daemon stays as it is."""
import os, resource, socket, subprocess, threading, time

from harness import Failed, case, check
from web import must

LIMITS = "memory: 64MiB, disk: 4MiB, inodes: 128, files: 64, pids: 32, file_size: 1MiB, output: 64KiB"


def tools(g):
    limits = f"max_execution_time: 30s, sandbox: {{{LIMITS}, {must(g)}}}"
    return (f"  box: {{type: command, deny_by_default: true, allowed_commands: [python3, sh, yes, dd, truncate], {limits}}}\n"
            f"  ask: {{type: command, deny_by_default: true, allowed_commands: [python3, echo], require_approval: true, {limits}}}\n"
            f"  flood: {{type: command, deny_by_default: true, allowed_commands: [sh, yes], max_execution_time: 3s, "
            f"sandbox: {{output: 64KiB, {must(g)}}}}}\n"
            f"  burn: {{type: command, deny_by_default: true, allowed_commands: [sh], max_execution_time: 60s, "
            f"sandbox: {{cpu: 1s, {must(g)}}}}}")


def family(pid):
    """A process and all below it."""
    out, todo = [], [pid]
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as f:
                parents.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
        except OSError:
            pass
    while todo:
        out.append(todo.pop())
        todo += parents.get(out[-1], [])
    return out


def resident_kb(d):
    """Anonymous memory of the daemon's roles, cells and zygote included."""
    total = 0
    for pid in family(d.daemon_process.pid):
        try:
            with open(f"/proc/{pid}/status") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))
        except OSError:
            pass
    return total


def run(d, way, script, tool="box"):
    """As the tool, below a shell, or as what a human was asked about only in a neighbouring form."""
    if way == "neighbour":
        d.neighbour({"command": "echo x"})
        got = d.call("ask", {"argv": ["python3", "-c", script]})
        check("it was not asked about", got.outcome == "pending", got)
        d.deny(got.approval)
        return None
    argv = ["python3", "-c", script] if way == "tool" else ["sh", "-c", 'python3 -c "$1"; exit $?', "sh", script]
    got = d.call(tool, {"argv": argv})
    d.serving()
    return got


def told(got, outcome, limit):
    check(f"not told as {outcome}, {limit}", (got.outcome, got.meta.get("limit")) == (outcome, limit), (got, got.meta.get("limit")))
    check("the record says otherwise", got.outcomes[0].get("limit") == limit, got.outcomes)


HOGS = {
    "private pages": "b = []\nwhile len(b) < 4096: b.append(bytearray(1 << 20))\nprint('HELD')",
    "shared pages": "import mmap\nm = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096): m[i] = 1\nprint('HELD')",
    "a tree of small ones": "import os, time\nfor i in range(24):\n    if os.fork() == 0:\n        b = bytearray(os.urandom(1 << 20) * 16)\n"
                            "        time.sleep(5)\n        os.write(1, b'HELD\\n')\n        os._exit(0)\ntime.sleep(8)",
    "segments": "import ctypes, time\nc = ctypes.CDLL(None)\nc.shmat.restype = ctypes.c_void_p\nn = 0\nfor i in range(40):\n"
                "    s = c.shmget(0, 16 << 20, 0o1600)\n    p = c.shmat(s, None, 0)\n    if s < 0 or p in (None, 2 ** 64 - 1): break\n"
                "    ctypes.memset(p, 1, 16 << 20)\n    n += 1\n    time.sleep(0.03)\nprint('HELD' if n > 6 else n)",
    "a hidden file": "import ctypes\nf = ctypes.CDLL(None).memfd_create(b'x', 0)\nprint('HELD' if f >= 0 else 'none')",
    "/dev/shm": "n = 0\ntry:\n    with open('/dev/shm/x', 'wb') as f, open('/dev/shm/y', 'wb') as g:\n        for i in range(64):\n"
                "            n += f.write(bytes(1 << 19)) + g.write(bytes(1 << 19)); f.flush(); g.flush()\nexcept OSError as e: print(e)\n"
                "print('HELD' if n > 5 << 20 else n)",
}


@case("F01", "memory in all its forms")
def f01(g, way):
    with g.daemon(tools=tools(g)) as d:
        for name, script in g.some(HOGS.items(), 2):
            began, got = time.monotonic(), run(d, way, script)
            if not got:
                return
            check(f"{name}: it was held", "HELD" not in got.stdout, got)
            check(f"{name}: no bad end", got.outcome in ("oom", "completed", "disk"), got)
            if got.outcome == "oom":
                told(got, "oom", "memory")
            if "limits:cgroup" in got.layers and name in ("private pages", "shared pages"):
                told(got, "oom", "memory")
            check(f"{name}: it took too long", time.monotonic() - began < 60 * g.slow)


@case("F02", "growing slowly to the limit, and the host's patience")
def f02(g, way):
    slow = ("import mmap, time\nm = mmap.mmap(-1, 256 << 20)\nfor i in range(0, 256 << 20, 4096):\n    m[i] = 1\n"
            "    if i % (1 << 20) == 0: time.sleep(0.01)\nprint('HELD')")
    with g.daemon(tools=tools(g)) as d:
        worst, done = [0.0], threading.Event()

        def look():
            connection = d.connect()
            while not done.wait(0.05):
                began = time.monotonic()
                connection.ask("callgate/status")
                worst[0] = max(worst[0], time.monotonic() - began)
            connection.close()
        thread = threading.Thread(target=look)
        thread.start()
        try:
            got = run(d, way, slow)
        finally:
            done.set()
            thread.join()
        if got:
            told(got, "oom", "memory")
            check("it was held", "HELD" not in got.stdout, got)
        check("nobody else was answered meanwhile", worst[0] < 10 * g.slow, worst)


@case("F04", "files without end")
def f04(g, way):
    # Without a limit, or in the host's /tmp (battery-matrix), nothing is left behind.
    fill = ("import os, sys\nn = 0\ntry:\n    while n < 4096:\n        open(f'%s/f04-{n}', 'w').close(); n += 1\n"
            "    for i in range(n): os.unlink(f'%s/f04-{i}')\n"
            "except OSError as e: print('errno', e.errno, n)\nsys.exit(3)")
    with g.daemon(tools=tools(g)) as d:
        for place in ("/tmp", "/dev/shm"):
            got = run(d, way, fill % (place, place))
            if got:
                check(f"{place}: not refused with ENOSPC", "errno 28" in got.stdout, got)
                check(f"{place}: more than its share", int(got.stdout.split()[2]) <= 128, got)
                told(got, "disk", "inodes") if way == "tool" else check("outcome", got.outcome in ("disk", "completed"), got)
        full = run(d, way, "import os, sys\ntry:\n    for n in range(9): open(f'/tmp/f04-{n}', 'wb', 0).write(bytes(1 << 20))\n"
                   "    for n in range(9): os.unlink(f'/tmp/f04-{n}')\n"
                   "except OSError as e: print('errno', e.errno); open('/tmp/f04-x', 'wb', 0)\nsys.exit(3)")
        if full:
            check("bytes: not refused", "errno 28" in full.stdout, full)


@case("F05", "output without end", ways=("tool", "child"))
def f05(g, way):
    with g.daemon(tools=tools(g)) as d:
        d.call("box", {"command": "sh -c true"})
        before = resident_kb(d)
        line = "yes & yes >&2" if way == "tool" else "sh -c 'yes & yes >&2'"
        got = d.call("flood", {"argv": ["sh", "-c", line]})
        grown = resident_kb(d) - before
        check("not ended", got.outcome == "deadline" and got.meta["limit"] == "time", got)
        said = got.answer["result"]["structuredContent"]
        check("not told as cut", said["truncated"] and "bytes left out" in said["stdout"], said["stdout"][-200:])
        check("more than its share", len(said["stdout"]) + len(said["stderr"]) < 3 * 64 * 1024, len(said["stdout"]))
        check("the record", got.outcomes[0]["output"]["truncated"] and got.outcomes[0]["output"]["out_bytes"] > 1 << 20, got.outcomes)
        check("the daemon grew with the output", grown < 24 * 1024, (before, grown))
        got = d.call("box", {"argv": ["python3", "-c", "print('x' * 500000)"]})
        told(got, "output", "output")
        check("that is no error", not got.is_error, got)
        d.serving()


@case("F07", "descriptors without end")
def f07(g, way):
    with g.daemon(tools=tools(g)) as d:
        got = run(d, way, "import os, resource\ntry: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20)); print('RAISED')\n"
                  "except (OSError, ValueError): print('kept')\nn = 0\ntry:\n    while n < 1 << 20: os.dup(0); n += 1\n"
                  "except OSError as e: print('errno', e.errno, n)")
        if got:
            check("not refused with EMFILE", "errno 24" in got.stdout and "RAISED" not in got.stdout, got)
            check("more than its share", int(got.stdout.split()[-1]) < 64, got)
        if way != "tool":
            return
        held = []
        for _ in range(400):
            s = socket.socket(socket.AF_UNIX)
            held.append(s)
            try:
                s.connect(d.socket_path)
                s.sendall(b'{"jsonrpc":"2.0",')
            except OSError:
                break
        d.serving()
        check("a call meanwhile", d.call("box", {"command": "sh -c true"}).outcome == "completed")
        for s in held:
            s.close()
        end = time.monotonic() + 20
        while True:
            try:
                other = d.connect()
                check("a new connection", "result" in other.ask("callgate/status", timeout=5))
                other.close()
                break
            except (OSError, TimeoutError) as error:
                if time.monotonic() > end:
                    raise Failed(f"the socket did not come back: {error}") from None
                time.sleep(0.1)


def refused_line(d, parts, what):
    """A line in parts on a connection of its own: an error or a hang-up, and it is over soon."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(d.socket_path)
    got = b""
    try:
        for part in parts:
            s.sendall(part)
        s.sendall(b"\n")
    except OSError:
        pass
    try:
        while b"\n" not in got and (more := s.recv(65536)):
            got += more
    except OSError:
        pass
    s.close()
    check(f"{what}: taken", not got or b'"error"' in got or b'"refused"' in got, got[:300])
    check(f"{what}: run", b'"allow"' not in got, got[:300])
    d.serving()


@case("F08", "huge and deep arguments", ways=("direct",))
def f08(g, way):
    head = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"box","arguments":'
    with g.daemon(tools=tools(g)) as d:
        before = resident_kb(d)
        refused_line(d, [head, b'{"argv":["echo"', b',"x"' * 1000000, b"]}}}"], "a million arguments")
        refused_line(d, [head, b'{"command":"', *([b"a" * (1 << 20)] * 100), b'"}}}'], "100 MiB")
        refused_line(d, [head, b"[" * 100000, b"]" * 100000, b"}}"], "deep lists")
        refused_line(d, [head, b'{"a":' * 100000, b"1", b"}" * 100000, b"}}"], "deep objects")
        refused_line(d, [head, b'{"argv":["sh","-c","true"', b',"x"' * 100000, b"]}}}"], "a hundred thousand")
        refused_line(d, [head, b'{"command":"sh -c true","stdin":"', b"\\u0000" * 160000, b'"}}}'], "zeros")
        check("the daemon grew", resident_kb(d) - before < 32 * 1024, resident_kb(d) - before)


@case("F10", "YAML bombs", ways=("direct",))
def f10(g, way):
    bombs = {
        "aliases": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
        "laughs": "".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}' if i else 'lol'] * 9)}]\n" for i in range(12)),
        "a million keys": "x:\n" + "".join(f"  k{i}: 1\n" for i in range(250000)),
        "twice": "version: 1\nversion: 1\n",
        "twice below": g.policy() + "defaults: {decision: deny, decision: allow}\n",
        "deep": "a: " + "[" * 50000 + "]" * 50000 + "\n",
        "deep blocks": "".join(" " * i + "a:\n" for i in range(2000)),
        "long": "a: " + "x" * (5 << 20) + "\n",
        "two documents": g.policy() + "---\nversion: 1\n",
        "a tag": "version: !!python/object/apply:os.system ['true']\n",
        "merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    }
    for name, text in g.some(bombs.items(), 3):
        path = f"{g.home}/bomb.yaml"
        with open(path, "w") as f:
            f.write(text)
        began = time.monotonic()
        done = subprocess.run([f"{g.bin}/callgate", "policy", "check", path], env=g.env, capture_output=True, text=True,
                              timeout=60, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
        check(f"{name}: it loads", done.returncode in (1, 2), (done.returncode, done.stdout[-200:], done.stderr[-200:]))
        check(f"{name}: no place is named", "bomb.yaml" in done.stdout + done.stderr, done.stderr[-300:])
        check(f"{name}: it took too long", time.monotonic() - began < 30 * g.slow)
    version = g.status().get("policy", {}).get("version")
    kept = open(g.config).read()
    try:
        g.write_policy(bombs["laughs"])
        check("a bomb was loaded", g.callgate("reload").returncode != 0)
        check("the policy is another", g.status().get("policy", {}).get("version") == version)
    finally:
        g.write_policy(kept)
    g.serving()


@case("F11", "patterns that explode", ways=("direct",))
def f11(g, way):
    patterns = ["(a+)+$", "^(a|aa)+$", "^(a*)*b$", "(.*a){20}$"]
    text = "".join(f"""
  r{i}:
    type: command
    parameters: {{type: object, additionalProperties: false, required: [v], properties: {{v: {{type: string, pattern: '{p}'}}}}}}
    exec: {{program: echo, argv: [--, "{{v}}"]}}
    sandbox: {{{must(g)}}}
  w{i}:
    type: command
    parameters: {{type: object, additionalProperties: false, required: [v], properties: {{v: {{type: string}}}}}}
    exec: {{program: echo, argv: [--, "{{v}}"]}}
    rules: [{{id: all, decision: allow}}, {{id: no, when: {{v: {{pattern: '{p}'}}}}, decision: deny}}]
    sandbox: {{{must(g)}}}""" for i, p in enumerate(patterns))
    with g.daemon(tools=text[1:]) as d:
        for size in (30, 30000):
            for i in range(len(patterns)):
                for kind in "rw":
                    began = time.monotonic()
                    d.request(f"{kind}{i}", {"v": "a" * size + "!"})
                    check(f"{patterns[i]} on {size}", time.monotonic() - began < 5 * g.slow)
        # a row that denies is not passed over because it would take long
        got = d.call("w0", {"v": "a" * 30000})
        check("a row that denies was passed over", got.decision == "deny", got)
        d.serving()


@case("F13", "files of eight exabytes")
def f13(g, way):
    grow = ("import os\nfor f in (lambda: os.truncate('big', 8 << 60), lambda: os.truncate('big', 2 << 20),\n"
            "          lambda: os.posix_fallocate(os.open('big', os.O_RDWR), 0, 2 << 20),\n"
            "          lambda: os.pwrite(os.open('big', os.O_RDWR), b'x', 1 << 40)):\n"
            "    try: f(); print('GREW')\n    except (OSError, OverflowError) as e: print('refused', e)\n")
    with g.daemon(tools=tools(g)) as d:
        open(f"{d.ws}/big", "w").close()
        os.chmod(f"{d.ws}/big", 0o666)
        got = run(d, way, grow)
        check("it grew", os.stat(f"{d.ws}/big").st_size <= 1 << 20)
        if got:
            check("not refused", got.stdout.count("refused") == 4, got)
        if way == "tool":
            got = d.call("box", {"command": "dd if=/dev/zero of=big2 bs=64K count=99"})
            told(got, "disk", "file_size")
            got = d.call("burn", {"argv": ["sh", "-c", "while :; do sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'; done"]})
            told(got, "deadline", "cpu")
