"""Section C: the system call filter. The verbs are those of probe_calls.c, which walk tables."""
import fcntl, os, pty, resource, struct, termios

from effects import Listeners
from harness import Failed, case, check
from walls import found_nothing, run_held, wrapped


def calls(ident, title, *lines, control=False, quick=True):
    """A case whose attack is verbs of probe_calls."""
    @case(ident, title, quick=quick)
    def run(g, way):
        for words in lines:
            run_held(g, way, "probe_calls", *words, control=control)


calls("C01", "x32 numbers", ["x32"])
calls("C04", "io_uring", ["io_uring"], control=True)
calls("C08", "AF_ALG and its like", ["families"], control=True)
calls("C10", "clone3 hides its flags", ["clone3"], control=True)
calls("C11", "nested namespaces", ["namespaces"], control=True)
calls("C13", "each number of the table", ["all_numbers"], control=True)
calls("C14", "numbers of the future", ["future_numbers"])
calls("C17", "a descriptor of the filter", ["notify"], control=True)
calls("C22", "personality, segments, ports", ["legacy"], control=True)
calls("C23", "prctl", ["prctls"], control=True)


def program32(name):
    """A whole ELF program for i386: creates the file, ends with 0."""
    base, size = 0x08048000, 52 + 32
    code = bytes.fromhex("b805000000bb") + struct.pack("<I", base + size + 30) + bytes.fromhex(
        "b941000000baa4010000cd8031dbb801000000cd80")
    text = code.ljust(30, b"\x90") + name.encode() + b"\0"
    head = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 3, 1, base + size, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    return head + struct.pack("<IIIIIIII", 1, 0, base, base, size + len(text), size + len(text), 5,
                              0x1000) + text


@case("C02", "i386 by interrupt, mode and file", quick=False)
def c02(g, way):
    run_held(g, way, "probe_calls", "i386")
    run_held(g, way, "probe_calls", "i386_creat", "b-i386", control=True)
    check("made by a 32-bit call", not os.path.exists(f"{g.ws}/b-i386"))
    # A 32-bit program that the policy allows by mistake: refused at load or killed, never obeyed.
    path = f"{g.top}/elf32.{os.getpid()}"
    with open(path, "wb") as f:
        f.write(program32("b-elf32"))
    os.chmod(path, 0o755)
    try:
        tools = "".join(f'\n  {name}: {{type: command, deny_by_default: true, '
                        f'allowed_commands: [python3, sh, "{path}"]{more}}}'
                        for name, more in (("probe", ""), ("box", ""), ("ask", ", require_approval: true")))
        try:
            with g.daemon(tools=tools) as d:
                run = {"tool": lambda: d.call("probe", {"argv": [path]}),
                       "child": lambda: d.call("box", {"argv": ["sh", "-c", f"{path}; {path}"]}),
                       "neighbour": lambda: d.call("ask", {"argv": [path]})}[way]
                got = run()
                check("a 32-bit program ended well", got.decision == "ask" or got.code != 0, got)
                check("a 32-bit program made a file", not os.path.exists(f"{d.ws}/b-elf32"))
                d.serving()
        except Failed as failed:
            if "did not start" not in str(failed) or "elf32" not in str(failed):
                raise
    finally:
        os.unlink(path)


def on_a_terminal(g, way):
    """A daemon that was started in somebody's terminal: nothing may be typed into that."""
    master, slave = pty.openpty()
    try:
        with wrapped(g, f'exec setsid -c "$REAL" "$@" <{os.ttyname(slave)}') as d:
            run_held(d, way, "probe_calls", "terminals")
            waiting = struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, bytes(4)))[0]
            check("something was typed into the terminal", waiting == 0, waiting)
            tool = {"tool": "probe", "child": "box", "neighbour": "ask"}[way]
            got = d.call(tool, {"argv": [f"{d.bin}/probe", "hostname"]})
            check("the terminal's daemon runs nothing", got.decision in ("allow", "ask"), got)
    finally:
        os.close(master)
        os.close(slave)


@case("C05", "TIOCSTI, also on the daemon's own terminal", quick=False)
def c05(g, way):
    run_held(g, way, "probe_calls", "terminals")
    on_a_terminal(g, way)


@case("C07", "TIOCLINUX, also with high bits")
def c07(g, way):
    run_held(g, way, "probe_calls", "terminals")


@case("C16", "the launch has no descriptor left", ways=("tool", "child"), quick=False)
def c16(g, way):
    """No supervisor answers for the filter here; what can fail while a wall is made is the launch.
    With fewer and fewer descriptors for the daemon a call is refused or has all its walls: those it
    requires, which for root are all that there are."""
    argv = {"tool": [f"{g.bin}/probe_calls", "namespaces"],
            "child": ["sh", "-c", f"{g.bin}/probe_calls namespaces; exit $?"]}[way]
    tool = {"tool": "probe", "child": "box"}[way]
    ran = refused = 0
    require = "all" if os.getuid() == 0 else "[userns, mntns, pidns, netns, root, proc, landlock, seccomp, fds]"
    tools = "".join(f"\n  {name}: {{type: command, deny_by_default: true, allowed_commands: [sh, {g.probes}], "
                    f"sandbox: {{require: {require}}}}}" for name in ("probe", "box"))
    with g.daemon(tools=tools) as d:
        whole = d.call(tool, {"argv": argv})
        found_nothing(whole)
        if os.getuid() == 0:
            used = len(os.listdir(f"/proc/{d.pid}/fd"))
            limits = [used + more for more in (*range(0, 16), 18, 21, 24, 30, 40, 60)]
        else:  # how many it has is not told to others
            limits = list(range(8, 128, 6))
        soft, hard = resource.prlimit(d.pid, resource.RLIMIT_NOFILE)
        for limit in limits:
            resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (limit, hard))
            got = d.call(tool, {"argv": argv})
            resource.prlimit(d.pid, resource.RLIMIT_NOFILE, (soft, hard))
            d.serving()
            if got.outcome == "completed":
                ran += 1
                found_nothing(got)
                if os.getuid() == 0:
                    check("it ran with fewer walls", set(got.layers) == set(whole.layers), got.layers)
            else:
                refused += 1
                check("it was started", got.outcome in ("unavailable", "failed", "refused"), got)
        check("no launch was short of descriptors, so this tests nothing", refused > 0, (limits, ran))
        found_nothing(d.call(tool, {"argv": argv}))


@case("C19", "groups, capabilities, securebits", quick=False)
def c19(g, way):
    run_held(g, way, "probe_calls", "rights")
    run_held(g, way, "probe_fs", "id")
    if os.getuid() != 0:
        return
    with wrapped(g, 'exec setpriv --groups 4242,4243 "$REAL" "$@"') as d:
        theirs = f"{d.ws}/of-a-group"
        with open(theirs, "w") as f:
            f.write(d.secret)
        os.chown(theirs, 64739, 4242)
        os.chmod(theirs, 0o040)
        run_held(d, way, "probe_calls", "rights", theirs)


@case("C20", "datagrams to a Unix socket by its path")
def c20(g, way):
    run_held(g, way, "probe_fs", "sockets", "{D}", "{S}", "@{A}", "@{A}-d", control=True)
    near = Listeners(g.ws)  # in the workspace, where its name can be seen
    try:
        run_held(g, way, "probe_fs", "sockets", near.dgram_path, near.path, "./dgram.sock", "./stream.sock")
        check("a socket in the workspace was reached", not near.hits, near.hits)
    finally:
        near.close()
