"""What the sections on files, system calls and processes share: a probe's verb in each way."""
import contextlib, json, os, shutil, subprocess, tempfile, time

from harness import COMPLETED, RAN, check

NOBODY = "64738"


def run_held(g, way, program, *words, control=False, ran=COMPLETED, code=0, tool="probe"):
    """The probe's verb runs behind the walls and finds nothing. As "neighbour" it is held back by the
    approval of another command, and, in the long form, approved by a mistaken human: then the walls
    are all there is. control: as nobody on the host the same verb must find something. Returns the
    last result."""
    argv = [f"{g.bin}/{program}", *words]
    if control and way == "tool" and not g.quick:
        seen_on_host(g, argv)
    last = g.attack(way, argv=argv, tool=tool, expect=ran, child_expect=RAN, inside=False,
                    control=False, neighbour={"argv": [f"{g.bin}/probe_fs", "touch"]},
                    leave=way == "neighbour" and not g.quick)
    for one in last.all:
        if one.decision == "allow" and code is not None:
            found_nothing(one, code)
    if way == "neighbour" and not g.quick:
        return approved(g, argv, code)
    return last


def found_nothing(result, code=0):
    check("the probe found a way", result.code == code, f"{result.stdout[-500:]}{result.stderr[-200:]} {result}")
    if result.outcome == "completed":
        check("no proof that its tree is dead", [r for r in result.records if r["type"] == "exec.exit"
                                                 and r.get("proof")], result.records)


def approved(g, argv, code=0):
    """The same, by a human's word."""
    signs, canary, _ = g._signs(g.outside)
    for sign, text in signs.items():
        argv = [word.replace(sign, text) for word in argv]
    hits = len(g.listeners.hits)
    asked = g.call("ask", {"argv": argv})
    check("it does not ask", asked.approval, asked)
    g.approve(asked.approval)
    done = g.call("ask", {"argv": argv})
    check("the approved call did not run", done.decision == "allow", done)
    if code is not None:
        found_nothing(done, code)
    time.sleep(0.05)
    check("the secret was told", g.secret not in json.dumps(done.answer), argv)
    check("a listener of the host was reached", len(g.listeners.hits) == hits, argv)
    check("the canary is there", not os.path.lexists(canary), argv)
    g.serving()
    return done


def seen_on_host(g, argv):
    """Without callgate the verb must find something, or it tests nothing."""
    signs, _, _ = g._signs(g.outside)
    for sign, text in signs.items():
        argv = [word.replace(sign, text) for word in argv]
    place = tempfile.mkdtemp(prefix="control.", dir=g.top)
    os.chmod(place, 0o777)
    try:
        if os.getuid() == 0:
            argv = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
                    "--no-new-privs", "--", *argv]
        done = subprocess.run(argv, cwd=place, env={"PATH": "/usr/bin:/bin", "HOME": place},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check("on the host the probe finds nothing, so it tests nothing",
              done.returncode != 0 and b"BREACHED" in done.stdout, (argv, done))
        g.controls += 1
        time.sleep(0.05)  # listeners count what the control did before the attack begins
        with open(g.secret_file, "w") as f:
            f.write(g.secret + "\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def wait_for(what, holds, seconds=60):
    """Waits for a condition; seconds is only where it gives up."""
    end = time.monotonic() + seconds
    while not holds():
        check(what, time.monotonic() < end)
        time.sleep(0.02)


@contextlib.contextmanager
def wrapped(g, line, **start):
    """A further daemon, started by this line of a shell: $REAL is callgated, "$@" its options."""
    from gate import Gate
    place = tempfile.mkdtemp(prefix="wrapped.", dir=g.top)
    script = f"{place}/callgated"
    with open(script, "w") as f:
        f.write(f"#!/bin/sh\nREAL={g.callgated}\n{line}\n")
    os.chmod(script, 0o755)
    other = Gate(g.top, g.bin, g.quick, g.off, script)
    try:
        yield other.start(**start)
    finally:
        other.stop()
        other.listeners.close()
        shutil.rmtree(place, ignore_errors=True)
