"""Section D: processes and time. The verbs are those of probe_proc.c; {M} marks what must be dead."""
import contextlib, json, mmap, os, shutil, signal, socket, struct, subprocess, tempfile, time

from effects import Marker
from gate import Gate
from harness import case, check
from walls import found_nothing, run_held, wait_for


def quick_tools(g, seconds=2, more=""):
    """The tools of the rig with a deadline that a test can wait for."""
    return "".join(f"\n  {name}: {{type: command, deny_by_default: true, max_execution_time: {seconds}s, "
                   f"allowed_commands: [sh, bash, python3, echo, sleep, cat, git, {g.probes}]{ask}{more}}}"
                   for name, ask in (("probe", ""), ("box", ""), ("ask", ", require_approval: true"))) + "\n"


def killed(d, way, verb, *words, outcomes=("deadline",)):
    """Runs until the daemon ends it; its tree is then dead, by the record's proof and by looking."""
    mark = Marker()
    argv = [f"{d.bin}/probe_proc", verb, mark.text, *words]
    if way == "child":
        tool, line = "box", ["python3", "-c", "import subprocess, sys\nsubprocess.Popen(sys.argv[1:]).wait()", *argv]
    else:
        tool, line = "ask" if way == "neighbour" else "probe", argv
    if way == "neighbour":
        d.neighbour({"argv": [f"{d.bin}/probe_fs", "touch"]})
    began = time.monotonic()
    got = d.call(tool, {"argv": line})
    if way == "neighbour":
        check("another command's approval let it run", got.approval and not mark.alive(), got)
        d.approve(got.approval)
        began = time.monotonic()
        got = d.call(tool, {"argv": line})
    took = time.monotonic() - began
    alive = mark.alive()
    for pid in alive:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    check("a process lives on", not alive, (alive, got))
    check("not the outcome", got.outcome in outcomes, got)
    exits = [r for r in got.records if r["type"] == "exec.exit"]
    check("no proof that its tree is dead", len(exits) == 1 and exits[0].get("proof"), got.records)
    d.serving()
    return got, took


@case("D01", "a daemonized child outlives the deadline")
def d01(g, way):
    with g.daemon(tools=quick_tools(g)) as d:
        canary = f"{d.ws}/survived"
        later = str(4 * g.slow)
        killed(d, way, "daemonize", canary, later)
        killed(d, way, "daemonize", canary, later, "leave", outcomes=("completed",))
        killed(d, way, "chain", outcomes=("deadline", "completed"))
        time.sleep(0 if g.quick else 5 * g.slow)
        check("it survived and did its work", not os.path.exists(canary))


@case("D02", "an orphan holds the pipe", quick=False)
def d02(g, way):
    with g.daemon(tools=quick_tools(g, 60)) as d:
        _, took = killed(d, way, "orphan", outcomes=("completed",))
        check("an orphan held the call", took < 45 * g.slow, took)


@case("D04", "a fork bomb", quick=False)
def d04(g, way):
    with g.daemon(tools=quick_tools(g, 3)) as d:
        got, _ = killed(d, way, "bomb", outcomes=("deadline", "pids", "completed", "oom"))
        check("there was no limit", "BREACHED" not in got.stdout, got)
        if way == "child":
            for line in (":(){ :|:& };:", "f() { f | f & wait; }; f", "while :; do sh -c 'sleep 9' & done"):
                got = d.call("box", {"argv": ["bash", "-c", line]})
                check("a fork bomb ended otherwise", got.decision == "allow", got)
                d.serving()
        found_nothing(d.call("probe", {"argv": [f"{d.bin}/probe_fs", "id"]}))


@case("D05", "forks faster than the killer", quick=False)
def d05(g, way):
    with g.daemon(tools=quick_tools(g)) as d:
        for _ in range(1 if g.quick else 4):
            killed(d, way, "chain", outcomes=("deadline", "completed"))


@case("D07", "signals for the daemon")
def d07(g, way):
    victim = subprocess.Popen(["sleep", "600"])
    try:
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(g.pid)], capture_output=True, text=True)
        pids = [str(g.pid), str(os.getpid()), str(os.getppid()), str(victim.pid), *children.stdout.split()]
        run_held(g, way, "probe_proc", "signals", *pids)
        last = run_held(g, way, "probe_proc", "kill_all", code=None)
        if way == "tool":
            check("init did not live to tell", last.code == 0, last)
        check("a process of the host is gone", victim.poll() is None)
        with open(f"/proc/{g.pid}/stat") as f:
            check("the daemon was stopped", f.read().rsplit(")", 1)[1].split()[0] not in "TtZ")
    finally:
        victim.kill()
        victim.wait()


@case("D08", "ptrace, memory and descriptors of others")
def d08(g, way):
    other = g.connect()
    mark = Marker()
    running = other.send("tools/call", {"name": "probe", "arguments": {
        "argv": [f"{g.bin}/probe_proc", "hold", mark.text]}})  # a second session's process
    try:
        wait_for("the second session does not run", mark.alive)
        pids = [str(p) for p in (*mark.alive(), g.pid, os.getpid())]
        run_held(g, way, "probe_proc", "trace", *pids)
        run_held(g, way, "probe_proc", "signals", *pids)
        check("the second session was ended", mark.alive())
    finally:
        other.close()
        wait_for("a call lives on whose client is gone", lambda: not mark.alive())


@case("D10", "a child that says it is traced")
def d10(g, way):
    run_held(g, way, "probe_proc", "traced", "/usr/bin/touch", "{C}")
    run_held(g, way, "probe_proc", "traced", "/usr/bin/id")


@case("D11", "the daemon starts anew while a tool lives", ways=("tool", "child"), quick=False)
def d11(g, way):
    with g.daemon(tools=quick_tools(g, 600)) as d:
        for how in (signal.SIGKILL, signal.SIGTERM):
            mark = Marker()
            argv = [f"{d.bin}/probe_proc", "daemonize", mark.text]
            line = ["sh", "-c", f"{' '.join(argv)}; :"] if way == "child" else argv
            d.connection.send("tools/call", {"name": "box" if way == "child" else "probe",
                                             "arguments": {"argv": line}})
            wait_for("it does not run", lambda: len(mark.alive()) >= 2)
            d.restart(how=how)
            wait_for("a tool outlives its daemon", lambda: not mark.alive())
            found_nothing(d.call("probe", {"argv": [f"{d.bin}/probe_fs", "fds"]}))
            calls = {r["call"] for r in d.records("exec.start")}
            ended = {r["call"] for r in d.records("call.outcome")}
            check("a call without an outcome", calls <= ended, calls - ended)
        d.verify()


@contextlib.contextmanager
def its_own_clock(g, extra=""):
    """A daemon whose wall clock is ours to step: step(seconds). The machine's is left alone."""
    place = tempfile.mkdtemp(prefix="clock.", dir=g.top)
    os.chmod(place, 0o755)
    with open(f"{place}/clock", "wb+") as f:
        f.write(bytes(4096))
        f.flush()
        page = mmap.mmap(f.fileno(), 4096)

        def step(seconds):
            page[:8] = struct.pack("q", seconds)

        programs = f"{place}/bin"
        shutil.copytree(g.bin, programs)
        for role in ("engine", "auditor", "front"):  # the daemon starts them with an empty environment
            os.rename(f"{programs}/callgate-{role}", f"{place}/callgate-{role}")
            with open(f"{programs}/callgate-{role}", "w") as script:
                script.write(f'#!/bin/sh\nexec env LD_PRELOAD={programs}/clock.so BATTERY_CLOCK={place}/clock '
                             f'{place}/callgate-{role} "$@"\n')
            os.chmod(f"{programs}/callgate-{role}", 0o755)
        other = Gate(g.top, programs, g.quick, g.off)
        # What tools run stays where it is: an ordinary user's copies could be replaced by his tools.
        other.bin, other.probe, other.probes = g.bin, g.probe, g.probes
        try:
            yield other.start(other.policy(tools=quick_tools(other, 4), extra=extra), env={
                "LD_PRELOAD": f"{programs}/clock.so", "BATTERY_CLOCK": f"{place}/clock"}), step
        finally:
            other.stop()
            other.listeners.close()
            shutil.rmtree(place, ignore_errors=True)


def began(record):
    return record["@timestamp"][:10]


@case("D13", "the clock is set back and forward", quick=False)
def d13(g, way):
    run_held(g, way, "probe_proc", "clocks")
    day = 86400
    extra = "\napprovals: {timeout: 60s, hold: 100ms, grants: [once, session, always], max_grant_ttl: 3s}"
    with its_own_clock(g, extra) as (d, step):
        for seconds in (2 * day, -day):
            mark = Marker()
            argv = [f"{d.bin}/probe_proc", "hold", mark.text]
            line = ["sh", "-c", f"{' '.join(argv)}; :"] if way == "child" else argv
            tool = {"tool": "probe", "child": "box", "neighbour": "ask"}[way]
            if way == "neighbour":
                asked = d.call(tool, {"argv": line})
                step(seconds)  # a question does not get old by it
                check("the question is gone", [a for a in d.pending() if a["id"] == asked.approval], d.pending())
                d.approve(asked.approval)
                step(0)
            request = d.connection.send("tools/call", {"name": tool, "arguments": {"argv": line}})
            wait_for("it does not run", mark.alive)
            start = time.monotonic()
            step(seconds)
            time.sleep(0.7)
            check("the step ended it", mark.alive(), seconds)
            d.connection.wait(request, 60)
            check("the step kept it", not mark.alive(), seconds)
            check("it ended too early", time.monotonic() - start > 0.7)
            today = began(d.records("call.outcome")[-1])
            step(0)
            d.call("probe", {"argv": [f"{d.bin}/probe_fs", "id"]})
            check("the daemon's clock was not stepped, so this tests nothing",
                  began(d.records("call.outcome")[-1]) != today, today)
        command = {"argv": [f"{d.bin}/probe_fs", "touch"]}
        d.neighbour(command)
        step(-day)  # a grant of three seconds does not live a day for it
        wait_for("the grant did not end", lambda: grant_over(d, command), 60)
        step(0)
        d.serving()
        d.verify()


def grant_over(d, command):
    got = d.call("ask", command)
    if got.approval:
        d.deny(got.approval)
    return bool(got.approval)


def memory(pid):
    """Of the daemon and all its processes, in bytes."""
    total = 0
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    for one in (str(pid), *children.stdout.split()):
        with contextlib.suppress(OSError), open(f"/proc/{one}/status") as f:
            total += sum(int(line.split()[1]) * 1024 for line in f if line.startswith("RssAnon"))
    return total


@case("D14", "a client that does not read, a parent that is stopped", quick=False)
def d14(g, way):
    with g.daemon(tools=quick_tools(g, 4)) as d:
        before = memory(d.pid)
        mark = Marker()
        argv = [f"{d.bin}/probe_proc", "flood", mark.text]
        line = ["sh", "-c", f"{' '.join(argv)}; :"] if way == "child" else argv
        tool = {"tool": "probe", "child": "box", "neighbour": "ask"}[way]
        ids = []
        if way == "neighbour":
            d.neighbour({"argv": [f"{d.bin}/probe_fs", "touch"]})
            asked = d.call(tool, {"argv": line})
            check("another command's approval let it run", asked.approval, asked)
            d.approve(asked.approval, "always")
        # one that streams and is stopped, and one that asks for a lot and reads nothing
        reader = subprocess.Popen([f"{d.bin}/callgate", "run", "--tool", tool, "--", *line], env=d.env,
                                  cwd=d.home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deaf = socket.socket(socket.AF_UNIX)
        deaf.connect(d.socket_path)
        try:
            if way != "neighbour":
                wait_for("it does not run", mark.alive)
            reader.send_signal(signal.SIGSTOP)
            for n in range(4 if g.quick else 12):
                deaf.sendall(json.dumps({"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {
                    "name": tool, "arguments": {"argv": line}}}).encode() + b"\n")
            found_nothing(d.call("probe", {"argv": [f"{d.bin}/probe_fs", "id"]}))  # others are served
            check("the reader was not stopped", reader.poll() is None)
            wait_for("the deadline does not come", lambda: not set(mark.alive()) - {reader.pid}, 60)
            check("the daemon has grown", memory(d.pid) - before < 192 << 20, (before, memory(d.pid)))
            d.serving()
        finally:
            reader.kill()
            reader.wait()
            reader.stdout.close()
            deaf.close()
        wait_for("a process lives on", lambda: not mark.alive())
        d.serving()
        d.verify()
