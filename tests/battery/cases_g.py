"""Section G: approval. What is shown, what is asked about, and what a yes is good for."""
import os, subprocess, threading, time

from harness import case, check
from terminal import (ANSI, BIDI, HOMOGLYPHS, TAIL, Terminal, hostile, names, on_terminal, one_line, show,
                      watch_until_asked)
from walls import wait_for
from web import must

ASK = ("\napprovals: {timeout: %s, hold: 100ms, grants: [once, session, always], max_grant_ttl: 1h}")


def tools(g):
    walls = f"sandbox: {{{must(g)}}}"
    return f"""  ask: {{type: command, deny_by_default: true, allowed_commands: [echo, touch, sh, cat], require_approval: true, {walls}}}
  edit: {{type: function, handler: text_editor, {walls}}}
  pair: {{type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true, approval: {{quorum: 2}}, {walls}}}
  free: {{type: command, deny_by_default: true, allowed_commands: [echo, sh, python3], {walls}}}"""


def asked(d, arguments, tool="ask", **more):
    got = d.call(tool, arguments, **more)
    check("it does not wait for a human", got.outcome == "pending" and got.approval, got)
    return got


def decide(d, ident, decision="approve", connection=None, **more):
    plan = next((a["plan"] for a in d.pending() if a["id"] == ident), "sha256:" + "0" * 64)
    return (connection or d.connection).ask("callgate/approvals/decide",
                                            {"id": ident, "plan": plan, "decision": decision, **more})


def clear(d):
    for approval in d.pending():
        d.deny(approval["id"])


@case("G01", "ANSI and OSC in what is approved", ways=("direct",))
def g01(g, way):
    with g.daemon(tools=tools(g)) as d:
        hostile(d, g.some(ANSI, 3))


@case("G02", "bidi, zero-width and look-alikes", ways=("direct",))
def g02(g, way):
    with g.daemon(tools=tools(g)) as d:
        hostile(d, g.some(BIDI, 3))
        for text, code in HOMOGLYPHS:
            got = asked(d, {"argv": ["echo", text]})
            shown = on_terminal(d, "pending")
            check("no warning", "warning" in shown and code in shown, shown)
            d.deny(got.approval)
        # a name that another agent gave, in the log and in the list of those who ask
        names(d, [text for _, text, _ in g.some(BIDI + ANSI, 2)])


@case("G04", "what does not fit on a screen", ways=("direct",))
def g04(g, way):
    with g.daemon(tools=tools(g)) as d:
        places = show(d, ["echo", "ls" + " " * 5000 + "; rm -rf " + TAIL % 1], [TAIL % 1, r"\x20{5000}"])
        check("padding hides the end", places["pending"].count(" " * 40) == 0, places["pending"][:600])
        show(d, ["echo", "ls" + "\n" * 500 + TAIL % 2], [TAIL % 2])
        # 64 KiB: nothing is asked before the last page was shown, and a yes on the way is none
        long = "x" * 30000 + "y" * 34000 + TAIL % 3
        got = d.call("ask", {"argv": ["sh", "-c", "touch never; : " + long]})
        if got.outcome == "pending":
            terminal = Terminal([f"{d.bin}/callgate", "watch"], d.env, d.home)
            try:
                terminal.read(b"] ", 60)
                check("it asks before all was shown", b"approve? " not in terminal.seen, terminal.seen[-300:])
                terminal.type("y\n")  # neither a page nor an answer
                terminal.read(b"left waiting", 30)
                check("a yes at a page counts", b"approved" not in terminal.seen and b"passphrase" not in terminal.seen)
            finally:
                terminal.close()
            watch_until_asked(d)
            whole = one_line(watch_until_asked.last)
            check("the end was not shown", TAIL % 3 in whole)
            check("something is missing", whole.count("x") >= 30000 and whole.count("y") >= 34000)
            check("it still waits", any(a["id"] == got.approval for a in d.pending()))
            d.deny(got.approval)
        else:
            check("neither asked about nor refused", got.decision != "allow", got)
        got = d.call("ask", {"command": "echo x", "stdin": "\\" * 280000})
        check("what cannot be shown whole is asked about", got.outcome == "refused" and not got.approval, got)
        check("it ran", not os.path.exists(f"{d.ws}/never"))
        d.serving()


@case("G05", "what was approved has changed", ways=("direct",))
def g05(g, way):
    with g.daemon(tools=tools(g)) as d:
        for name, line in (("s.sh", ["sh", "s.sh"]), ("t.sh", ["sh", "-c", "sh ./t.sh"]), ("d/u.sh", ["sh", "d/u.sh"])):
            os.makedirs(f"{d.ws}/d", exist_ok=True)
            with open(f"{d.ws}/{name}", "w") as f:
                f.write("touch first\n")
            got = asked(d, {"argv": line})
            with open(f"{d.ws}/{name}", "w") as f:
                f.write("touch second\n")
            d.with_key("approve", got.approval)
            after = d.call("ask", {"argv": line})
            check(f"{name}: the swapped one ran", not os.path.exists(f"{d.ws}/second"), after)
            check(f"{name}: ran at all", after.outcome in ("pending", "failed") and not os.path.exists(f"{d.ws}/first"), after)
            clear(d)
        os.symlink("first.sh", f"{d.ws}/link.sh")
        for n, text in (("first.sh", "touch first"), ("second.sh", "touch second")):
            with open(f"{d.ws}/{n}", "w") as f:
                f.write(text + "\n")
        got = asked(d, {"argv": ["sh", "link.sh"]})
        os.unlink(f"{d.ws}/link.sh")
        os.symlink("second.sh", f"{d.ws}/link.sh")
        d.with_key("approve", got.approval)
        d.call("ask", {"argv": ["sh", "link.sh"]})
        check("the link leads elsewhere, and that ran", not os.path.exists(f"{d.ws}/second"))


@case("G07", "another folder, input or environment", ways=("direct",))
def g07(g, way):
    text = tools(g).replace("require_approval: true, sandbox", "require_approval: true, env: {WHERE: here}, sandbox", 1)
    with g.daemon(tools=text) as d:
        os.mkdir(f"{d.ws}/sub")
        os.chmod(f"{d.ws}/sub", 0o777)
        first = asked(d, {"argv": ["touch", "made"]})
        d.approve(first.approval, "always")
        check("approved", d.call("ask", {"argv": ["touch", "made"]}).outcome == "completed")
        for other in ({"argv": ["touch", "made"], "cwd": "sub"}, {"argv": ["touch", "made"], "stdin": "x"},
                      {"argv": ["touch", "made2"]}, {"argv": ["touch", "--", "made"]}, {"argv": ["/usr/bin/touch", "made"], "cwd": "sub"}):
            got = d.call("ask", other)
            check(f"{other}: stands for it", got.outcome != "completed", got)
        check("the effect", not os.path.exists(f"{d.ws}/sub/made"))
        clear(d)
        waiting = asked(d, {"argv": ["touch", "late"]})
        d.write_policy(g.policy(tools=text.replace("WHERE: here", "WHERE: there")))
        check("reload", d.callgate("reload").returncode == 0)
        answer = decide(d, waiting.approval)
        got = d.call("ask", {"argv": ["touch", "late"]})
        check("the old answer stands under another environment", got.outcome == "pending" and "error" in answer, (got, answer))
        got = d.call("ask", {"argv": ["touch", "made"]})
        check("the old grant stands under another environment", got.outcome == "pending", got)
        check("the effect", not os.path.exists(f"{d.ws}/late"))


@case("G08", "one answer used twice", ways=("direct",))
def g08(g, way):
    with g.daemon(tools=tools(g)) as d:
        got = asked(d, {"argv": ["touch", "one"]})
        d.approve(got.approval)
        check("twice", d.with_key("approve", got.approval).returncode != 0)
        check("the call", d.call("ask", {"argv": ["touch", "one"]}).outcome == "completed")
        os.unlink(f"{d.ws}/one")
        again = asked(d, {"argv": ["touch", "one"]})
        check("the same question", again.approval != got.approval)
        check("the effect", not os.path.exists(f"{d.ws}/one"))
        check("an answer to a question that is over", "error" in decide(d, got.approval))
        check("an answer with another's plan", "error" in d.connection.ask("callgate/approvals/decide", {
            "id": again.approval, "plan": "sha256:" + "1" * 64, "decision": "approve"}))
        d.restart()
        check("it outlived the daemon", d.with_key("approve", again.approval).returncode != 0)
        got = d.call("ask", {"argv": ["touch", "one"]})
        check("approved before, run after", got.outcome == "pending" and not os.path.exists(f"{d.ws}/one"), got)


@case("G10", "an agent approves itself", ways=("direct",))
def g10(g, way):
    with g.daemon(tools=tools(g)) as d:
        got = asked(d, {"argv": ["touch", "self"]})
        other = d.connect()
        for connection in (d.connection, other):
            for more in ({}, {"approver": {"key": "x", "time": 1, "signature": "AAAA"}}, {"scope": "always"},
                         {"_meta": {"callgate/agent": "human"}}, {"by": "uid:12345"}, {"approver": None}):
                answer = decide(d, got.approval, connection=connection, **more)
                check(f"{more}: taken", "error" in answer, answer)
        other.close()
        # from inside: no terminal, no socket, no command
        script = ("import os, socket\nfor p in ('/dev/tty', '/dev/console', '/dev/pts/0', '/dev/ptmx'):\n"
                  "    try: os.write(os.open(p, os.O_RDWR), b'y\\n'); print('REACHED', p)\n    except OSError: print('no')\n"
                  f"try: socket.socket(socket.AF_UNIX).connect({d.socket_path!r}); print('REACHED')\nexcept OSError: print('no')\n")
        inside = d.call("free", {"argv": ["python3", "-c", script]})
        check("reached from inside", "REACHED" not in inside.stdout and inside.stdout.count("no") == 5, inside)
        # a yes that is typed ahead is thrown away
        terminal = Terminal([f"{d.bin}/callgate", "watch"], d.env, d.home)
        try:
            terminal.type("y\ny\n")
            terminal.read(b"approve? ", 30)
            time.sleep(0.5)
            check("typed ahead", b": approved" not in terminal.seen, terminal.seen)
        finally:
            terminal.close()
        check("it ran", not os.path.exists(f"{d.ws}/self") and any(a["id"] == got.approval for a in d.pending()))
        wait_for("refusals are recorded", lambda: d.records("approval.refused")) # a note of its own, behind the answer


@case("G11", "nobody may approve", ways=("direct",))
def g11(g, way):
    roles = "  agent: {tools: ['*'], permissions: [approvals:read, daemon:control]}\n  human: {tools: ['*']}"
    with g.daemon(policy=g.policy(tools=tools(g), roles=roles, extra=ASK % "2s")) as d:
        got = d.call("ask", {"argv": ["touch", "open"]})
        check("allowed", got.decision != "allow", got)
        if got.approval:
            check("approved", "error" in decide(d, got.approval))
            end = time.monotonic() + 20
            while not d.records("approval.expire") and time.monotonic() < end:
                time.sleep(0.1)
            check("it waits for ever", d.records("approval.expire"), "no record")
        check("the effect", not os.path.exists(f"{d.ws}/open"))
        d.serving()


@case("G13", "consent of one agent used by another", ways=("direct",))
def g13(g, way):
    agents = ASK % "120s" + "\nagents:\n  a: {tools: [ask, free]}\n  b: {tools: [ask, free]}"
    who = f"  - {{peer_uid: {g.uid}, roles: [agent, human], agents: [a, b]}}"
    with g.daemon(policy=g.policy(tools=tools(g), extra=agents, principals=who)) as d:
        line = {"argv": ["touch", "shared"]}
        got = asked(d, line, meta={"callgate/agent": "a"})
        d.approve(got.approval, "always")
        check("a", d.call("ask", line, meta={"callgate/agent": "a"}).meta["by"] == "grant")
        os.path.exists(f"{d.ws}/shared") and os.unlink(f"{d.ws}/shared")
        for name in ("b", "A", "a ", "a,b"):
            got = d.request("ask", line, meta={"callgate/agent": name})
            check(f"{name!r}: allowed", got.decision != "allow", got)
        check("the effect", not os.path.exists(f"{d.ws}/shared"))


@case("G14", "the mode is switched to yes")
def g14(g, way):
    def text():
        with open(g.config) as f:
            return f.read()
    before = text()
    script = (f"import os\nfor p in ({g.config!r}, '../callgate.yaml', '.callgate/settings.json', 'callgate.yaml', '.env',\n"
              f"          {g.state!r} + '/approvers', {g.home!r} + '/.env'):\n"
              "    try:\n        os.makedirs(os.path.dirname(p) or '.', exist_ok=True)\n"
              "        open(p, 'a').write('defaults: {decision: allow}\\n'); print('wrote', p)\n"
              "    except OSError as e: print('no', e)\n")
    g.attack(way, argv=["python3", "-c", script])
    check("the policy was written", text() == before)
    check("files of the gate", not os.path.exists(f"{g.home}/.env") and not os.path.exists(f"{g.state}/approvers/x"))
    got = g.call("ask", {"command": "git status --porcelain=v2"})
    check("it does not ask any more", got.decision != "allow" or got.meta.get("by") == "grant", got)
    got.approval and g.deny(got.approval)
    g.attack(way, command="git config --global callgate.auto true")


@case("G16", "asked until somebody says yes", ways=("direct",))
def g16(g, way):
    with g.daemon(tools=tools(g)) as d:
        for _ in range(30):
            d.request("ask", {"argv": ["touch", "same"]})
        check("the same is asked again and again", len(d.pending()) == 1, len(d.pending()))
        clear(d)
        got = d.request("ask", {"argv": ["touch", "same"]})
        outcomes = {}
        for i in range(300 if not g.quick else 150):
            got = d.request("ask", {"argv": ["touch", f"flood{i}"]})
            outcomes[got.outcome] = outcomes.get(got.outcome, 0) + 1
        waiting = len(d.pending())
        check("no end of questions", waiting < 300 if not g.quick else waiting < 150, (waiting, outcomes))
        check("one that was too much was allowed", outcomes.get("completed", 0) == 0, outcomes)
        d.serving()


@case("G17", "an approver that fails is no yes", ways=("direct",))
def g17(g, way):
    with g.daemon(tools=tools(g)) as d:
        got = asked(d, {"argv": ["touch", "both"]}, tool="pair")
        d.approve(got.approval)
        for more in ({"approver": {"key": "x", "time": 1, "signature": "AAAA"}}, {"approver": {}}, {},
                     {"approver": {"key": "x", "time": int(time.time() * 1e6), "signature": "A" * 88}}):
            check(f"{more}: counted", "error" in decide(d, got.approval, **more))
        still = [a for a in d.pending() if a["id"] == got.approval]
        check("it does not wait any more", still and still[0]["agreed"] == 1, still)
        again = d.call("pair", {"argv": ["touch", "both"]})
        check("half was enough", again.outcome == "pending" and not os.path.exists(f"{d.ws}/both"), again)


@case("G19", "two answers at once, and too late", ways=("direct",))
def g19(g, way):
    with g.daemon(tools=tools(g)) as d:
        for n in range(2 if g.quick else 6):
            line = {"argv": ["touch", f"race{n}"]}
            got = asked(d, line)
            said = {}
            threads = [threading.Thread(target=lambda w=w: said.__setitem__(w, d.with_key(w, got.approval).returncode))
                       for w in ("approve", "deny")]
            d.with_key("pending")
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            check("not exactly one counts", sorted(said.values()).count(0) == 1, said)
            after = d.call("ask", line)
            ran = os.path.exists(f"{d.ws}/race{n}")
            check("the effect is not the answer's", ran == (said["approve"] == 0), (said, after))
            ends = [r for r in d.records() if r.get("approval") == got.approval
                    and r["type"] in ("approval.grant", "approval.deny")]
            check("not one record of the end", len(ends) == 1, ends)
            clear(d)
        # after the caller has gone, and after the end
        other = d.connect()
        ident = other.send("tools/call", {"name": "ask", "arguments": {"argv": ["touch", "gone"]}})
        other.wait(ident)
        other.close()
        check("it ran by itself", not os.path.exists(f"{d.ws}/gone"))
        clear(d)
        check("after the end", "error" in decide(d, got.approval))


@case("G20", "one person who counts twice", ways=("direct",))
def g20(g, way):
    with g.daemon(tools=tools(g)) as d:
        line = {"argv": ["touch", "quorum"]}
        got = asked(d, line, tool="pair")
        d.approve(got.approval)
        d.with_key("approve", got.approval)  # the same key again
        second = d.callgate("keys", "create", "--approver", "--name", "owner", "--key", f"{d.home}/second.key",
                            stdin="correct horse battery\n")
        if second.returncode == 0:
            read, write = os.pipe()
            os.write(write, b"correct horse battery\n")
            os.close(write)
            subprocess.run([f"{d.bin}/callgate", "approve", got.approval, "--key", f"{d.home}/second.key"],
                           env={**d.env, "CALLGATE_PASSPHRASE_FD": str(read)}, pass_fds=[read], capture_output=True)
            os.close(read)
        decide(d, got.approval)  # and bare, as the requester
        after = d.call("pair", line)
        check("one person was two", after.outcome == "pending" and not os.path.exists(f"{d.ws}/quorum"), (after, second.stderr))
        waiting = [a for a in d.pending() if a["id"] == got.approval]
        check("counted", waiting and waiting[0]["agreed"] == 1, waiting)
