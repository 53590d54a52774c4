"""Section B: the file system. The verbs are those of probe_fs.c; B10 belongs to overlays."""
import contextlib, json, os, shutil, stat, tempfile, time

from effects import Marker
from harness import INVALID, Failed, case, check, kernel
from walls import found_nothing, run_held, wrapped


def fs(ident, title, *lines, control=False):
    """A case whose attack is verbs of probe_fs."""
    @case(ident, title)
    def run(g, way):
        for words in lines:
            run_held(g, way, "probe_fs", *words, control=control)


def tool_of(way):
    return {"tool": "probe", "child": "box", "neighbour": "ask"}[way]


def told(g, result):
    check("the secret was told", g.secret not in json.dumps(result.answer), result)


FAR = ("..", "../..", "/", "/etc", "/proc/self/fd/7/../..", "/proc/self/cwd", "./..", "a/../..", "a/../../b",
       "../workspace", "//", "/proc/self/root", "..//", "x/./../..", "-", "~", "a" * 1025)


@case("B01", "a folder by a leaked descriptor, as cwd and as a road")
def b01(g, way):
    argv = [f"{g.bin}/probe_fs", "read_roads", "{F}"]
    for cwd in g.some(FAR, 4):
        if way == "tool" and cwd not in ("-", "~"):  # those two are names like others: no such folder
            g.attack("tool", argv=argv, tool="probe", cwd=cwd, expect=INVALID, inside=False)
            continue
        got = g.request(tool_of(way), {"argv": argv, "cwd": cwd})
        check("it was not turned away", got.error or got.decision == "deny" or got.outcome == "refused",
              (cwd, got))
        told(g, got)
    run_held(g, way, "probe_fs", "fds")
    run_held(g, way, "probe_fs", "read_roads", "{F}", control=True)


@case("B02", "descriptors that the daemon inherited", quick=False)
def b02(g, way):
    place = tempfile.mkdtemp(prefix="leak.", dir=g.top)
    with open(f"{place}/leak", "w") as f:
        f.write(g.secret)
    line = f'exec 3<{place}/leak 4<>{place}/leak 6<>{place}/leak 7</ 8</proc 9<{place}; exec "$REAL" "$@"'
    with wrapped(g, line) as d:
        last = run_held(d, way, "probe_fs", "fds")
        told(g, last)
        run_held(d, way, "probe_fs", "read_roads", "{F}")
        for fd in range(3, 10):
            got = d.call("bash", {"command": f"cat <&{fd}"})
            check("a leaked descriptor was read", got.decision == "deny", got)
    with open(f"{place}/leak") as f:
        check("the leaked file has changed", f.read() == g.secret)
    shutil.rmtree(place)


@contextlib.contextmanager
def two_folders(g):
    """In the workspace: `sub`, a folder, and `out`, a link to the folder outside; each has run.sh,
    that outside tells the secret."""
    os.mkdir(f"{g.ws}/sub")
    with open(f"{g.ws}/sub/run.sh", "w") as f:
        f.write("echo ours\n")
    with open(f"{g.outside}/run.sh", "w") as f:
        f.write(f"echo {g.secret}\n")
    with open(f"{g.ws}/sub/secret", "w") as f:
        f.write("ours\n")
    os.symlink(g.outside, f"{g.ws}/out")
    try:
        yield
    finally:
        os.unlink(f"{g.outside}/run.sh")
        for name in ("sub", "out"):
            path = f"{g.ws}/{name}"
            if os.path.islink(path):
                os.unlink(path)
            else:
                shutil.rmtree(path)


@case("B04", "the place of a mount becomes a link in between")
def b04(g, way):
    swap = [f"{g.bin}/probe_fs", "swap", "sub", "out"]
    line = {"tool": swap, "child": ["sh", "-c", '"$@"; exit $?', "sh", *swap],
            "neighbour": swap}[way]
    asks = (("probe", {"argv": [f"{g.bin}/probe_fs", "touch", "made-here"], "cwd": "sub"}),
            ("box", {"argv": ["sh", "sub/run.sh"]}), ("box", {"argv": ["sh", "run.sh"], "cwd": "sub"}),
            ("bash", {"command": "cat sub/secret"}), ("bash", {"command": "cat secret", "cwd": "sub"}),
            ("edit", {"command": "view", "path": "sub/secret"}),
            ("edit", {"command": "create", "path": "sub/made-here", "file_text": "x"}),
            ("search", {"pattern": "secret", "path": "sub"}), ("host", {"host": "h", "file": "sub/secret"}))
    if way == "neighbour":
        g.neighbour({"argv": [f"{g.bin}/probe_fs", "touch"]})
    with two_folders(g):
        def look(told_by):
            told(g, told_by)
            check("made in the folder outside", not os.path.lexists(f"{g.outside}/made-here"), told_by)
        for name, arguments in asks:  # while it is a link, nobody racing
            text = json.dumps(arguments).replace("sub", "out")
            look(g.call(name, json.loads(text)))
        tool = "box" if way == "child" else "probe"
        seconds = "2" if g.quick else "6"
        races = g.connect()
        racer = races.send("tools/call", {"name": tool, "arguments": {"argv": [*line, seconds]}})
        end, rounds = time.monotonic() + int(seconds) - 0.5, 0
        while time.monotonic() < end or not rounds:
            for name, arguments in asks:
                look(g.request(name, arguments))
            rounds += 1
        races.wait(racer)
        races.close()


@case("B05", "other nodes in /dev, writes to /proc")
def b05(g, way):
    run_held(g, way, "probe_fs", "dev_replace")
    run_held(g, way, "probe_fs", "proc_writes", control=True)
    node = os.stat("/dev/null")
    check("the host's /dev/null", stat.S_ISCHR(node.st_mode) and node.st_rdev == os.makedev(1, 3)
          and stat.S_IMODE(node.st_mode) == 0o666, node)
    found_nothing(g.call("probe", {"argv": [f"{g.bin}/probe_fs", "dev_replace"]}))  # the next cell's too


@case("B07", "roots and folders of other processes")
def b07(g, way):
    run_held(g, way, "probe_fs", "read_roads", "{F}", "/etc/shadow", g.config, "/proc/1/environ", control=True)
    run_held(g, way, "probe_fs", "write_roads", "{C}", control=True)


@case("B08", "the parent's environment and memory", quick=False)
def b08(g, way):
    mark = Marker().text
    with g.daemon(env={"A_SECRET": mark, "AWS_SECRET_ACCESS_KEY": mark}) as d:
        if os.getuid() == 0:  # nobody else may look
            with open(f"/proc/{d.pid}/environ", "rb") as f:
                check("the daemon does not have the secret", mark.encode() in f.read())
        last = run_held(d, way, "probe_fs", "processes", str(d.pid), str(os.getpid()))
        for one in last.all:
            check("the daemon's environment was told", mark not in json.dumps(one.answer), one)
        run_held(d, way, "probe_proc", "trace", str(d.pid))


@case("B11", "links of the workspace that lead out")
def b11(g, way):
    run_held(g, way, "probe_fs", "read_roads", "{F}", control=True)
    if way == "neighbour":
        g.neighbour({"command": "cat notes.txt"})
    links = {"s": g.secret_file, "d": g.outside, "r": "../" * 20 + g.secret_file[1:],
             "p": f"/proc/self/root{g.secret_file}", "t": "s"}
    for name, target in links.items():
        os.symlink(target, f"{g.ws}/{name}")
    new = f"{g.outside}/new-{Marker().text}"
    os.symlink(new, f"{g.ws}/n")
    asks = [("bash", {"command": f"cat {n}"}) for n in ("s", "d/secret", "r", "p", "t", "./s", "d/../" + "secret")]
    asks += [("bash", {"command": "grep -r . d/"}), ("bash", {"command": "grep -R . ."}),
             ("bash", {"command": "find -L . -type f"}), ("bash", {"command": "ls -la d/"})]
    asks += [("edit", {"command": "view", "path": n}) for n in ("s", "d/secret", "r", "p", "t")]
    asks += [("edit", {"command": "create", "path": "n", "file_text": "x"}),
             ("edit", {"command": "create", "path": "d/new", "file_text": "x"}),
             ("edit", {"command": "str_replace", "path": "s", "old_str": "secret", "new_str": "x"}),
             ("search", {"pattern": "secret", "path": "d"}), ("search", {"pattern": "secret", "path": "s"}),
             ("search", {"pattern": "secret", "path": "."}), ("host", {"host": "h", "file": "s"}),
             ("host", {"host": "h", "file": "d/secret"})]
    if way == "child":
        asks = [("box", {"argv": ["sh", "-c", f"{a['command']}; echo x >n; echo x >d/new; :"]})
                for name, a in asks if name == "bash"] + [
            ("box", {"argv": ["python3", "-c", f"import sys; print(open({n!r}).read())"]}) for n in links]
    elif way == "neighbour":
        asks = [("ask", a) for name, a in asks if name == "bash"]
    try:
        for name, arguments in g.some(asks, 5):
            got = g.call(name, arguments)
            if got.approval:
                g.deny(got.approval)
            told(g, got)
            check("made outside", not os.path.lexists(new) and not os.path.lexists(f"{g.outside}/new"), got)
        with open(g.secret_file) as f:
            check("the host's file has changed", f.read() == g.secret + "\n")
    finally:
        for name in (*links, "n"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{g.ws}/{name}")


def with_workspace(g, kind):
    """A further daemon whose probes have their workspace like this."""
    return g.daemon(tools="".join(
        f"\n  {name}: {{type: command, deny_by_default: true, allowed_commands: [sh, bash, python3, git, {g.probes}], "
        f"sandbox: {{workspace: {kind}}}{more}}}" for name, more in (
            ("probe", ""), ("box", ""), ("ask", ", require_approval: true"))) + "\n")


def planted(folder, names):
    """Which of these the probe has written into, as the host sees it."""
    return [n for n in names if os.path.isfile(f"{folder}/{n}") and "planted" in open(f"{folder}/{n}").read()]


def not_planted(g, way, names):
    """In a folder that is given read-only nothing is made. Where tools may write, only an overlay keeps
    what they wrote from the host until somebody has looked at it: `rw` is the host's folder."""
    with with_workspace(g, "ro") as d:
        run_held(d, way, "probe_fs", "plant", *names)
        check("planted, read-only", not planted(d.ws, names), planted(d.ws, names))
    try:
        with with_workspace(g, "overlay") as d:
            got = d.call("box", {"argv": ["sh", "-c", "true"]})
            if got.outcome == "unavailable":  # no call runs, so nothing writes
                check("no overlay, where there must be one", g.uid and kernel() < (6, 6), got)
                check("the reason", "Linux 6.6" in got.text, got)
                return
            run_held(d, way, "probe_fs", "plant", *names, code=None)
            check("planted, overlay", not planted(d.ws, names), planted(d.ws, names))
    except Failed as failed:
        if "did not start" not in str(failed) or "overlay" not in str(failed):
            raise
        with with_workspace(g, "rw") as d:
            run_held(d, way, "probe_fs", "plant", *names, code=None)
            check("no overlay here, and planted in a rw workspace", not planted(d.ws, names),
                  planted(d.ws, names))


@case("B10", "a link out of an overlay", ways=("tool",), quick=False)
def b10(g, way):
    """What a tool did by a link that leads out is done in the cell, and not by whoever commits."""
    os.makedirs(f"{g.outside}/far/deep", exist_ok=True)
    for path in ("far/keep", "far/deep/keep"):
        with open(f"{g.outside}/{path}", "w") as f:
            f.write("mine\n")
    script = ("ln -s {far} out; echo x >out/canary; rm -rf out/deep out/keep; echo x >out/keep; "
              "mkdir d; mv d e; rm -rf e; ln -s {far} e; mkdir -p f/deep; echo x >f/deep/keep; rm -rf f; "
              "ln -s {far} f; echo here >plain").format(far=f"{g.outside}/far")
    with g.daemon(tools="""
  sh: {type: command, deny_by_default: true, allowed_commands: [sh, ln, rm, mv, mkdir, echo], sandbox: {workspace: overlay}}
""") as d:
        got = d.call("sh", {"argv": ["sh", "-c", script]})
        check("it ran", got.decision == "allow", got)
        name = got.id
        for path in ("out/canary", "out/keep", "e/keep", "f/deep/keep"):
            done = d.with_key("commit", name, path)
            check("a path behind the link was committed", done.returncode != 0, (path, done.stdout))
        check("somebody who only asks may not", d.callgate("commit", name).returncode != 0, name)
        done = d.with_key("commit", name)
        check("the commit", done.returncode == 0, done.stdout + done.stderr)
        check("the links came", all(os.path.islink(f"{d.ws}/{x}") for x in ("out", "e", "f")), os.listdir(d.ws))
        check("the file came", os.path.isfile(f"{d.ws}/plain"), os.listdir(d.ws))
        check("undone", d.with_key("undo", name).returncode == 0, name)
        check("nothing is left", not os.path.lexists(f"{d.ws}/out"), os.listdir(d.ws))
    check("a file behind it was made", not os.path.lexists(f"{g.outside}/far/canary"), "canary")
    for path in ("far/keep", "far/deep/keep"):
        with open(f"{g.outside}/{path}") as f:
            check("a file behind it was changed", f.read() == "mine\n", path)


@case("B13", "files that are not there yet: our own, and editors'", quick=False)
def b13(g, way):
    ours = [f"{g.home}/.env", f"{g.state}/policy", f"{g.state}/approvers/new.pub", f"{g.audit}/1.jsonl",
            f"{g.home}/run/new.sock", f"{g.bin}/callgate-new"]
    with open(g.config) as f:
        before = f.read()
    # Below /tmp a cell has folders of the same name, which are its own: the host is what counts.
    run_held(g, way, "probe_fs", "write_roads", g.config, *ours, code=None)
    run_held(g, way, "probe_fs", "plant", g.config, *ours, code=None)
    for path in ours:
        check("made", not os.path.lexists(path), path)
    with open(g.config) as f:
        check("the policy has changed", f.read() == before)
    not_planted(g, way, (".claude/settings.json", ".vscode/tasks.json", ".cursor/mcp.json", ".mcp.json",
                         ".idea/workspace.xml"))


@case("B14", "what the host runs later", quick=False)
def b14(g, way):
    not_planted(g, way, (".git/hooks/post-checkout", ".git/config", ".envrc", "Makefile",
                         ".github/workflows/x.yml", ".gitlab-ci.yml", "package.json", ".git/info/attributes"))


@case("B16", "the caller chooses the root")
def b16(g, way):
    program, tool = f"{g.bin}/probe_fs", tool_of(way)
    for cwd in g.some(FAR, 5):
        name = f"made-{Marker().text}"
        got = g.request(tool, {"argv": [program, "touch", name], "cwd": cwd})
        if cwd not in ("-", "~"):
            check("such a folder was taken", got.error or got.decision == "deny", (cwd, got))
        for place in ("/", "/etc", g.home, os.path.dirname(g.home), g.outside):
            check("made there", not os.path.lexists(f"{place}/{name}"), (cwd, place))
    os.symlink(g.outside, f"{g.ws}/away")
    os.symlink("/", f"{g.ws}/top")
    try:
        for cwd in ("away", "./away", "top" + g.outside, "away/.", "top"):
            name = f"made-{Marker().text}"
            got = g.call(tool, {"argv": [program, "touch", name], "cwd": cwd})
            if got.approval:
                g.approve(got.approval)
                got = g.call(tool, {"argv": [program, "touch", name], "cwd": cwd})
            check("it ran there", got.outcome != "completed", (cwd, got))
            check("made there", not os.path.lexists(f"{g.outside}/{name}"), cwd)
    finally:
        os.unlink(f"{g.ws}/away")
        os.unlink(f"{g.ws}/top")
    for key in ("cd", "workdir", "working_directory", "directory", "root"):
        got = g.request(tool, {"argv": [program, "id"], key: "/"})
        check("an unknown argument was taken", got.error or got.decision == "deny", got)


@case("B17", "a folder whose name begins alike")
def b17(g, way):
    evil = g.ws + "-evil"
    os.mkdir(evil)
    os.chmod(evil, 0o777)
    os.symlink(g.secret_file, f"{evil}/secret")
    try:
        # Below /tmp a cell has a folder of that name, which is its own: the host is what counts.
        run_held(g, way, "probe_fs", "write_roads", f"{evil}/x", code=None)
        run_held(g, way, "probe_fs", "plant", f"{evil}/x", "../workspace-evil/x", f"{g.ws}/../workspace-evil/x",
                 code=None)
        if way == "tool":
            for cwd in (evil, "../workspace-evil", f"{g.ws}-evil"):
                g.attack("tool", argv=[f"{g.bin}/probe_fs", "touch", "x"], tool="probe", cwd=cwd, expect=INVALID)
            for path in (f"{evil}/x", "../workspace-evil/x", f"{g.ws}/../workspace-evil/x"):
                for arguments in ({"command": "create", "path": path, "file_text": "x"},
                                  {"command": "view", "path": f"{evil}/secret"}):
                    got = g.request("edit", arguments)
                    check("done", got.is_error, got)
                    told(g, got)
                got = g.request("host", {"host": "h", "file": path})
                check("taken as a path of the workspace", got.is_error, got)
        check("made there", os.listdir(evil) == ["secret"], os.listdir(evil))
    finally:
        shutil.rmtree(evil)


@case("B19", "hard links and set-id files of one's own")
def b19(g, way):
    run_held(g, way, "probe_fs", "read_roads", "{F}", "/etc/passwd.not", g.config)
    run_held(g, way, "probe_fs", "setids", control=True)
    left = [e.path for e in os.scandir(g.ws) if e.is_file(follow_symlinks=False)
            and e.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    check("a set-id file is left", not left, left)


@case("B20", "set-id programs of the host", quick=False)
def b20(g, way):
    for line in ("su -c 'touch {C}'", "sudo touch {C}", "ping -c1 127.0.0.1; touch {C}.x", "newgrp", "passwd -S",
                 "mount none /tmp", "unix_chkpwd root nullok", "pkexec touch {C}"):
        g.attack(way, command=line, inside=False)
    # A set-uid file that somebody left in the workspace, and one that the policy allows by mistake.
    mine = f"{g.ws}/setid"
    shutil.copy(f"{g.bin}/probe_fs", mine)
    os.chmod(mine, 0o6755)
    allowed = f"{g.top}/setid.{os.getpid()}"
    shutil.copy(f"{g.bin}/probe_fs", allowed)
    os.chmod(allowed, 0o6755)
    try:
        run_held(g, way, "probe_fs", "run_setid", "./setid", mine, "/usr/bin/su", "/usr/bin/passwd")
        tools = "".join(f'\n  {n}: {{type: command, deny_by_default: true, allowed_commands: [sh, python3, "{allowed}", '
                        f'{g.probes}]{m}}}' for n, m in (("probe", ""), ("box", ""), ("ask", ", require_approval: true")))
        try:
            with g.daemon(tools=tools) as d:
                got = d.call("box" if way == "child" else "probe", {
                    "argv": ["sh", "-c", f"{allowed} id; exit $?"] if way == "child" else [allowed, "id"]})
                check("it became another", "uid 0" not in got.stdout and got.code in (0, None, 126), got)
                if way == "neighbour":
                    run_held(d, way, "probe_fs", "run_setid", allowed)
        except Failed as failed:  # refused at load: the tool's user owns the program
            if "did not start" not in str(failed) or "setid" not in str(failed):
                raise
    finally:
        os.unlink(mine)
        os.unlink(allowed)


@case("B31", "device nodes, made, found and left in the workspace")
def b31(g, way):
    nodes = {"node-null": (stat.S_IFCHR, 1, 3), "node-mem": (stat.S_IFCHR, 1, 1),
             "node-kmsg": (stat.S_IFCHR, 1, 11), "node-loop": (stat.S_IFBLK, 7, 0)} if os.getuid() == 0 else {}
    with contextlib.ExitStack() as made:
        for name, (kind, major, minor) in nodes.items():  # only root can leave one there
            path = f"{g.ws}/{name}"
            os.mknod(path, kind | 0o666, os.makedev(major, minor))
            made.callback(os.unlink, path)
            os.chmod(path, 0o666)
        run_held(g, way, "probe_fs", "devices", *(f"./{name}" for name in nodes))


fs("B32", "remounts, also in a namespace of one's own", ["remount"])
