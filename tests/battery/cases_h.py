"""Section H: the trail. Everything an editor of the files, a crash or a tool may try."""
import glob, json, os, re, shutil, signal, subprocess, time

from harness import Failed, case, check
from terminal import hostile
from web import must


def tools(g):
    walls = f"sandbox: {{{must(g)}}}"
    return f"""  bash: {{type: command, deny_by_default: true, allowed_commands: [echo, ls, sh, sleep, touch, python3], max_execution_time: 60s, {walls}}}
  ask: {{type: command, deny_by_default: true, allowed_commands: [echo, touch, cat], require_approval: true, {walls}}}
  edit: {{type: function, handler: text_editor, {walls}}}
  token:
    type: command
    deny_by_default: true
    allowed_commands: [sh, echo]
    env: {{SECRET: {{api_key_env: THE_SECRET}}}}
    {walls}"""


def work(d, n=3):
    for i in range(n):
        check("a call", d.call("bash", {"command": f"echo {i}"}).outcome == "completed")


def copy(d, name="copy"):
    place = f"{d.home}/{name}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(d.audit, place)
    return place


def segment(place):
    return sorted(glob.glob(f"{place}/*.jsonl"))[-1]


def lines_of(place):
    with open(segment(place), "rb") as f:
        return f.read().splitlines(keepends=True)


def put(place, lines):
    with open(segment(place), "wb") as f:
        f.writelines(lines)


def verify(d, place, *args, pin=True):
    more = ["--pin", f"{d.state}/trust.pin"] if pin else []
    done = d.callgate("audit", "verify", *more, *args, place)
    return done.returncode, done.stdout + done.stderr


def spoiled(d, what, lines, code=None, *args):
    place = copy(d)
    put(place, lines)
    got, said = verify(d, place, *args)
    check(f"{what}: verified", got != 0 and not said.startswith("OK"), said)
    check(f"{what}: exit {got}", code is None or got in code, said)
    return said


def refuses(d, what, regex):
    """The daemon does not start on what is there now."""
    d.stop()
    try:
        d.restart()
    except Failed as failed:
        check(f"{what}: it does not say why", re.search(regex, str(failed)), failed)
        return
    raise Failed(f"{what}: it starts")


@case("H01", "the tail is cut off", ways=("direct",))
def h01(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d)
        d.stop()
        shutil.copy(f"{d.state}/keys/newest", f"{d.home}/anchor")
        lines = lines_of(d.audit)
        for n in range(1, 12):
            said = spoiled(d, f"{n} lines less", lines[:-n], (3,), "--anchor", f"{d.home}/anchor")
            check("which", re.match(r"TRUNCATED|INCOMPLETE|UNSEALED", said), said)
        spoiled(d, "the last line in half", lines[:-1] + [lines[-1][:40]], (3,), "--anchor", f"{d.home}/anchor")
        seal = next(i for i in range(len(lines) - 2, 0, -1) if b'"type":"log.seal"' in lines[i])
        put(d.audit, lines[:seal + 1])
        refuses(d, "cut at a seal", "ROLLBACK|MISSING|UNSEALED")
        put(d.audit, lines)
        d.restart()
        d.verify()


@case("H02", "all of it is removed", ways=("direct",))
def h02(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d)
        d.stop()
        shutil.copy(f"{d.state}/keys/newest", f"{d.home}/anchor")
        kept = copy(d, "kept")
        for path in glob.glob(f"{d.audit}/*.jsonl"):
            os.unlink(path)
        check("an empty log verifies", verify(d, d.audit)[0] != 0)
        refuses(d, "no journal", "MISSING|ROLLBACK|UNSEALED")
        shutil.rmtree(d.audit)
        refuses(d, "no folder", "MISSING|ROLLBACK|UNSEALED")
        # with the key and the mark removed as well a new chain begins: not under the old pin
        pin = open(f"{d.state}/trust.pin").read()
        shutil.rmtree(f"{d.state}/keys")
        with open(f"{d.home}/old.pin", "w") as f:
            f.write(pin)
        try:
            d.restart()
            work(d, 1)
            d.stop()
            done = d.callgate("audit", "verify", "--pin", f"{d.home}/old.pin", d.audit)
            check("the new chain passes for the old", done.returncode == 4, done.stdout)
            done = d.callgate("audit", "verify", "--anchor", f"{d.home}/anchor", d.audit)
            check("the old anchor fits", done.returncode != 0, done.stdout)
        except Failed as failed:
            check("refused for another reason", re.search("key|pin|missing", str(failed), re.I), failed)
        check("what was kept", verify(d, kept, "--pin", f"{d.home}/old.pin", pin=False)[0] == 0)


@case("H03", "an older copy is brought back", ways=("direct",))
def h03(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d, 1)
        d.stop()
        old = copy(d, "old")
        d.restart()
        work(d, 2)
        d.stop()
        shutil.copy(f"{d.state}/keys/newest", f"{d.home}/anchor")
        new = copy(d, "new")
        shutil.rmtree(d.audit)
        shutil.copytree(old, d.audit)
        got, said = verify(d, d.audit, "--anchor", f"{d.home}/anchor")
        check("it passes", got == 3 and said.startswith("TRUNCATED"), said)
        refuses(d, "an older copy", "ROLLBACK")
        shutil.rmtree(d.audit)
        shutil.copytree(new, d.audit)
        d.restart()
        d.verify()


@case("H04", "edited, swapped, inserted, doubled", ways=("direct",))
def h04(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d)
        d.call("bash", {"command": "rm x"})
        d.stop()
        lines = lines_of(d.audit)
        middle = [i for i, line in enumerate(lines) if b'"call.decision"' in line][0]
        for i in g.some(range(0, len(lines)), 3):
            for at in g.some((10, len(lines[i]) // 2, len(lines[i]) - 3), 1):
                text = bytearray(lines[i])
                text[at] ^= 1
                said = spoiled(d, f"line {i}, byte {at}", lines[:i] + [bytes(text)] + lines[i + 1:])
                n = re.search(r"n=(\d+)", said)
                check(f"line {i}: another is named", not n or abs(int(n.group(1)) - i) <= 1, said)
        spoiled(d, "a refusal becomes a yes", [x.replace(b'"allow":false', b'"allow":true ') for x in lines])
        spoiled(d, "swapped", lines[:middle] + [lines[middle + 1], lines[middle]] + lines[middle + 2:], (2,))
        spoiled(d, "doubled", lines[:middle] + [lines[middle]] + lines[middle:], (2,))
        spoiled(d, "left out", lines[:middle] + lines[middle + 1:], (2,))
        spoiled(d, "inserted", lines[:middle] + [b'{"@n":%d,"type":"call.outcome"}\n' % middle] + lines[middle:])
        spoiled(d, "blanks", lines[:middle] + [b"\n"] + lines[middle:])
        spoiled(d, "a seal without its signature", [re.sub(rb"(\xe2\x80\x94 [^ ]+ ).{20}", rb"\1AAAAAAAAAAAAAAAAAAAA", x)
                                                    for x in lines])
        put(d.audit, lines[:middle] + [lines[middle].replace(b'"allow":true', b'"allow":fals')] + lines[middle + 1:])
        refuses(d, "an edited line", "CORRUPT|ROLLBACK")
        put(d.audit, lines)
        d.restart()
        d.verify()


INJECT = [
    ("a record of its own", 'x\n{"decision":"allow","type":"call.outcome"}', r'x\n{"decision"'),
    ("a line end in each form", "a\r\nb\u2028c\u2029d\u0085e", r"a\x0d\nb\u{2028}c\u{2029}d\u{0085}e"),
    ("quotes", '","outcome":"completed","x":"', '"outcome":"completed"'),
    ("escape", "\x1b[31mred\x1b[0m\x1b[2J", r"\x1b[31mred\x1b[0m"),
    ("a log line", "x\n2026-01-01T00:00:00Z info  warden[1]: stopping", r"x\n2026-01-01T"),
]


@case("H05", "lines and control characters of one's own", ways=("direct",))
def h05(g, way):
    with g.daemon(tools=tools(g)) as d:
        hostile(d, g.some(INJECT, 2))
        for bad in (b"\xff\xfe", b"\\ud800 lone"):
            answer = d.connect()
            answer.raw(b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"bash","arguments":{"command":"touch %s"}}}\n' % bad)
            with answer.news:
                answer.news.wait_for(lambda: answer.answers or answer.ended, 10)
            said = str(list(answer.answers.values()))
            check("bytes that are no UTF-8 were taken", "'error'" in said or "refused" in said, said)
            answer.close()
        # one line is one record, and no line holds a control character
        for path in glob.glob(f"{d.audit}/*.jsonl"):
            with open(path, "rb") as f:
                for n, line in enumerate(f):
                    check("a control character in a record", not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", line), line[:300])
                    check("a number that does not fit", json.loads(line)["@n"] == n, line[:100])
        d.verify()


@case("H06", "killed while the key is made", ways=("direct",))
def h06(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d, 1)
        d.stop()
        key = open(f"{d.state}/keys/signer.key", "rb").read()
        for name in ("signer.key.new", "signer.key.tmp", ".signer.key.new"):
            with open(f"{d.state}/keys/{name}", "wb") as f:
                f.write(b"\0" * 16)  # half of one
            os.chmod(f"{d.state}/keys/{name}", 0o600)
        try:
            d.restart()
            work(d, 1)
            d.stop()
        except Failed as failed:
            check("it does not say why", re.search("key", str(failed), re.I), failed)
        check("the key is another", open(f"{d.state}/keys/signer.key", "rb").read() == key)
        for name in ("signer.key.new", "signer.key.tmp", ".signer.key.new"):
            if os.path.exists(f"{d.state}/keys/{name}"):
                os.unlink(f"{d.state}/keys/{name}")
        with open(f"{d.state}/keys/signer.key", "wb") as f:
            f.write(os.urandom(32))
        refuses(d, "another key", "KEY|PIN|CORRUPT|ROLLBACK")
        with open(f"{d.state}/keys/signer.key", "wb") as f:
            f.write(key)
        d.restart()
        d.verify()


@case("H07", "the key is looked for")
def h07(g, way):
    with open(f"{g.state}/keys/signer.key", "rb") as f:
        key = f.read()
    script = ("import glob, os, sys\nseen = []\n"
              f"for p in [{g.state!r} + '/keys/signer.key', '/proc/1/environ', '/proc/self/environ', '/proc/kcore', '/dev/mem']"
              " + glob.glob('/proc/[0-9]*/mem') + glob.glob('/proc/[0-9]*/fd/*') + glob.glob('/proc/[0-9]*/environ')"
              " + glob.glob('/**/*.key', recursive=True) + glob.glob('/**/core*', recursive=True)[:50]:\n"
              "    try:\n        if os.path.isfile(p): seen.append(open(p, 'rb').read(1 << 20))\n    except OSError: pass\n"
              "sys.stdout.write(b''.join(seen).hex())\n")
    got = g.attack(way, argv=["python3", "-c", script])
    for one in got.all:
        check("the key was found", key.hex() not in one.stdout, "hex")
    # of the daemon's own user, too: no role may be traced or read
    from cases_f import family
    for pid in family(g.daemon_process.pid):
        if g.uid == 0:
            break
        try:
            with open(f"/proc/{pid}/comm") as f:
                if not f.read().startswith("callgate"):
                    continue
            open(f"/proc/{pid}/mem", "rb").close()
            readable = True
        except OSError:
            readable = False
        check(f"memory of {pid} may be read by its user", not readable)
    check("the key's mode", os.stat(f"{g.state}/keys/signer.key").st_mode & 0o777 == 0o600)


@case("H08", "killed between the act and its record", ways=("direct",))
def h08(g, way):
    with g.daemon(tools=tools(g)) as d:
        other = d.connect()
        other.send("tools/call", {"name": "bash", "arguments": {"argv": ["sh", "-c", "touch began; sleep 30; touch late"]}})
        end = time.monotonic() + 20
        while not os.path.exists(f"{d.ws}/began"):
            check("it does not begin", time.monotonic() < end)
            time.sleep(0.02)
        starts = d.records("exec.start")
        check("the act came before its record", starts and d.records("call.decision", call=starts[-1]["call"]), starts)
        d.stop(signal.SIGKILL)
        other.close()
        d.restart()
        ended = [r for r in d.records("call.outcome", call=starts[-1]["call"])]
        check("no end, or two", len(ended) == 1 and ended[0].get("cause") == "interrupted", ended)
        check("no exit", len(d.records("exec.exit", call=starts[-1]["call"])) == 1)
        check("the tool went on", not os.path.exists(f"{d.ws}/late"))
        done = d.callgate("audit", "verify", "--semantic", d.audit)
        check("semantic", done.returncode == 0, done.stdout)


@case("H09", "a torn last record", ways=("direct",))
def h09(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d, 1)
        for torn in (b'{"@n":99', b"\0" * 4096, b'{"@n":1,"type":"call.outcome"}\n', b"\xff\n\n"):
            d.stop(signal.SIGKILL)
            with open(segment(d.audit), "ab") as f:
                f.write(torn)
            d.restart()
            work(d, 1)
            check("not flagged", d.callgate("audit", "verify", d.audit).stdout.startswith("OK "), d.log_tail())
        check("no record of it", len(d.records("log.recovered")) >= 3, len(d.records("log.recovered")))
        d.verify()


@case("H10", "the clock is set back", ways=("direct",))
def h10(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d, 2)
        d.stop()
        lines = lines_of(d.audit)
        i = [n for n, line in enumerate(lines) if b'"call.outcome"' in line][0]
        spoiled(d, "another time", lines[:i] + [re.sub(rb'"@timestamp":"2\d', b'"@timestamp":"19', lines[i])] + lines[i + 1:], (2,))
        d.restart()
        stamps = [r["@timestamp"] for r in d.records()]
        numbers = [r["@n"] for r in d.records()]
        check("numbers", numbers == list(range(len(numbers))))
        check("times go back", stamps == sorted(stamps), "unsorted")
        outcome = d.records("call.outcome")[-1]
        check("no duration by a clock that cannot be set", outcome["latency_us"] > 0 and outcome["usage"]["wall_us"] > 0, outcome)


@case("H11", "secrets in records", ways=("direct",))
def h11(g, way):
    secret = "hunter2-" + os.urandom(12).hex()
    with g.daemon(policy=g.policy(tools=tools(g)), env={"THE_SECRET": secret}) as d:
        got = d.call("token", {"argv": ["sh", "-c", "echo $SECRET; echo $SECRET >&2"]})
        check("the tool has it", secret in got.stdout, got)
        d.call("token", {"argv": ["sh", "-c", "exit 3"], "stdin": "x"})
        d.connection.ask("callgate/explain", {"name": "token", "arguments": {"command": "echo x"}})
        for path in [d.log, *glob.glob(f"{d.state}/**", recursive=True)]:
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    check(f"{path} has the secret", secret.encode() not in f.read())
        check("what was written is known by its digest", got.outcomes[0]["output"]["out_sha256"], got.outcomes)
        for tool in (("pending",), ("audit", "tail", "-n", "50", d.audit), ("policy", "explain", "token", "command=echo x")):
            check("shown", secret not in d.callgate(*tool).stdout, tool)


@case("H12", "two daemons on one log", ways=("direct",))
def h12(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d, 1)
        text = open(d.config).read().replace("run/callgate.sock", "run/other.sock")
        with open(f"{d.home}/other.yaml", "w") as f:
            f.write(text)
        os.chmod(f"{d.home}/other.yaml", 0o600)
        for state in (d.state, f"{d.home}/state2"):
            if state != d.state:  # another state, the same journal
                with open(f"{d.home}/other.yaml", "a") as f:
                    f.write(f"audit: {{directory: {d.audit}}}\n")
            done = subprocess.run([d.callgated, "--config", f"{d.home}/other.yaml", "--state", state], env={
                **d.env, "CALLGATE_HOME": state}, cwd=d.home, capture_output=True, text=True, timeout=30)
            check("a second one started", done.returncode != 0, done.stderr)
            check("it does not say why", re.search("lock|LOCKED|another|runs|KEY|MISMATCH", done.stderr), done.stderr)
        d.serving()
        work(d, 1)
        d.verify()


@case("H13", "the same in other bytes", ways=("direct",))
def h13(g, way):
    with g.daemon(tools=tools(g)) as d:
        work(d, 1)
        for bad in (b'{"name":"bash","name":"bash","arguments":{"command":"echo"}}', b'{"name":"bash","arguments":{"command":"echo","command":"ls"}}',
                    b'{"name":"bash","arguments":{"command":"echo","x":1e400}}'):
            c = d.connect()
            c.raw(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + bad + b"}\n")
            with c.news:
                c.news.wait_for(lambda: c.answers or c.ended, 10)
            said = str(list(c.answers.values()))
            check("taken", "error" in said or "refused" in said or not c.answers, said[:300])
            c.close()
        d.call("bash", {"argv": ["echo", "e\u0301", "\u00e9", "-0"]})
        d.stop()
        lines = lines_of(d.audit)
        text = b"".join(lines).decode()
        check("normalised", "e\u0301" in text and "\u00e9" in text)
        i = [n for n, line in enumerate(lines) if "e\u0301".encode() in line][0]
        other = {
            "NFC": lines[i].replace("e\u0301".encode(), "\u00e9".encode()),
            "an escape for a letter": lines[i].replace(b"echo", b"\\u0065cho", 1),
            "a blank": lines[i].replace(b'","', b'", "', 1),
            "a key twice": lines[i].replace(b'"type":', b'"tool":"ls","type":', 1),
            "another order": b"{" + b",".join(reversed(lines[i].strip()[1:-1].split(b",", 1))) + b"}\n",
            "minus nothing": re.sub(rb'":0([,}])', rb'":-0\1', lines[i], count=1),
            "an exponent": re.sub(rb'"@n":(\d+)', rb'"@n":\1e0', lines[i], count=1),
            "CR LF": lines[i].replace(b"\n", b"\r\n"),
        }
        for name, line in other.items():
            if line != lines[i]:
                spoiled(d, name, lines[:i] + [line] + lines[i + 1:])


@case("H14", "a log that vouches for itself", ways=("direct",))
def h14(g, way):
    with g.daemon(tools=tools(g)) as d, g.daemon(tools=tools(g)) as forger:
        work(d, 1)
        work(forger, 1)
        d.stop()
        forger.stop()
        got, said = verify(d, forger.audit)
        check("another's log passes under our pin", got == 4, said)
        done = forger.callgate("audit", "verify", forger.audit)
        check("the forger's own", done.returncode == 0)
        got, said = verify(d, forger.audit, "--anchor", f"{d.state}/keys/newest")
        check("with our anchor", got != 0, said)
        place = copy(forger, "bare")
        done = d.callgate("audit", "verify", place, env={"CALLGATE_HOME": f"{d.home}/nowhere"})
        check("without a pin it is not said", done.returncode == 0 and "UNPINNED" in done.stdout, done.stdout)
        shutil.rmtree(d.audit)
        shutil.copytree(forger.audit, d.audit)
        refuses(d, "another's log", "KEY|ROLLBACK|PIN|CORRUPT")


@case("H15", "a long log", ways=("direct",))
def h15(g, way):
    with g.daemon(tools=tools(g)) as d:
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: d.request("bash", {"command": "rm " + "x" * 3000}), range(200 if g.quick else 1500)))
        d.stop()
        size = os.path.getsize(segment(d.audit))
        done = subprocess.run(["/bin/sh", "-c", 'ulimit -v 200000; exec "$0" audit verify --all-seals "$1"',
                               f"{d.bin}/callgate", d.audit], env=d.env, capture_output=True, text=True, timeout=120)
        check("not verified in little memory", done.stdout.startswith("OK "), (size, done.stdout, done.stderr))
