"""Section B, second half: names, sockets, and the daemon's own folders."""
import contextlib, json, os, shutil, subprocess, tempfile

from effects import Listeners, Marker
from gate import Gate
from harness import Failed, case, check
from walls import found_nothing, run_held


NAMES = ("--bind", "-", "--ro-bind / ", "a b", "x;touch OWNED", "$(touch OWNED)", "`touch OWNED`", "a\nb", "%s%n",
         "*", "'", "a:b", "a,b=c", "\\", "\u202egnp", "0", "x" * 200)


@case("B22", "a workspace whose name is an option", quick=False)
def b22(g, way):
    for name in g.some(NAMES, 3):
        policy = Gate.policy(g).replace('"./workspace"', "./workspace").replace(
            "working_directory: ./workspace", f"working_directory: {json.dumps('./ws/' + name)}")
        other = Gate(g.top, g.bin, g.quick, g.off, g.callgated)
        try:
            home = tempfile.mkdtemp(prefix="gate.", dir=g.top)
            os.makedirs(f"{home}/ws/{name}", 0o700)
            other.start(policy, folder=home)
            argv = [f"{g.bin}/probe_fs", "touch", "made-here"]
            tool = {"tool": "probe", "child": "box", "neighbour": "ask"}[way]
            line = ["sh", "-c", '"$@"; exit $?', "sh", *argv] if way == "child" else argv
            got = other.call(tool, {"argv": line})
            if got.approval:
                other.approve(got.approval)
                got = other.call(tool, {"argv": line})
            found_nothing(got)
            check("it did not run there", os.path.exists(f"{home}/ws/{name}/made-here"), (name, got))
            run_held(other, "tool", "probe_fs", "read_roads", "{F}")
            check("a name was run", "OWNED" not in str(list(os.walk(home))).replace(name, ""), name)
        finally:
            other.stop()
            other.listeners.close()


def refused_start(g, what, prepare):
    """A daemon must not start in a folder that was prepared like this, and must leave the other place
    as it was. prepare(home, elsewhere)."""
    home = tempfile.mkdtemp(prefix="gate.", dir=g.top)
    elsewhere = tempfile.mkdtemp(prefix="elsewhere.", dir=g.top)
    other = Gate(g.top, g.bin, g.quick, g.off, g.callgated)
    try:
        prepare(home, elsewhere)
        before = sorted(os.listdir(elsewhere))
        try:
            other.start(other.policy(), folder=home)
        except Failed as failed:
            check(f"{what}: why is not said", "did not start" in str(failed), str(failed))
        else:
            raise Failed(f"{what}: it started")
        check(f"{what}: written elsewhere", sorted(os.listdir(elsewhere)) == before, os.listdir(elsewhere))
    finally:
        other.stop()
        other.listeners.close()
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(elsewhere, ignore_errors=True)


def a_link(name, to="", mode=0o700, owner=None):
    """The name below the daemon's folder is a link to the other place, or to a file there."""
    def prepare(home, elsewhere):
        os.makedirs(os.path.dirname(f"{home}/{name}"), 0o700, exist_ok=True)
        os.symlink(elsewhere + to, f"{home}/{name}")
        os.chmod(elsewhere, mode)
        if owner:
            os.lchown(f"{home}/{name}", owner, owner)
    return prepare


def a_state(mode, owner=None):
    def prepare(home, elsewhere):
        os.mkdir(f"{home}/state")
        os.chmod(f"{home}/state", mode)
        if owner:
            os.chown(f"{home}/state", owner, owner)
    return prepare


def workspace_around(home, elsewhere):
    os.symlink(home, f"{home}/workspace")


@case("B23", "folders of the daemon that are links before it starts", ways=("direct",))
def b23(g, way):
    """The state folder itself may be named by a link of its owner's, if what it leads to is his and
    private; by nobody else's. Below it no link counts."""
    for name in ("state/audit", "state/keys", "state/engine", "state/approvers"):
        refused_start(g, name, a_link(name))
    for name in ("state/lock", "state/audit/0000000000000000.jsonl", "state/keys/signer.key"):
        refused_start(g, name, a_link(name, to="/made"))
    refused_start(g, "a link to a folder that others may enter", a_link("state", mode=0o777))
    refused_start(g, "state for all", a_state(0o777))
    refused_start(g, "state that others list", a_state(0o755))
    refused_start(g, "a workspace around the daemon's own files", workspace_around)
    if os.getuid() == 0:
        refused_start(g, "somebody's link", a_link("state", owner=64739))
        refused_start(g, "somebody's link to the folder of the socket", a_link("run", owner=64739))
        refused_start(g, "somebody's folder", a_state(0o700, 64739))


@case("B25", "sockets of the host, also in a read-only workspace")
def b25(g, way):
    run_held(g, way, "probe_fs", "sockets", "{S}", "{D}", "@{A}", "@{A}-d", "{T}", control=True)
    run_held(g, way, "probe_fs", "sockets", g.socket_path, "./run/callgate.sock")
    ro = "".join(f"\n  {n}: {{type: command, deny_by_default: true, allowed_commands: [sh, python3, bash, {g.probes}], "
                 f"sandbox: {{workspace: ro}}{m}}}" for n, m in (
                     ("probe", ""), ("box", ""), ("ask", ", require_approval: true")))
    for tools in (None, ro):
        with (g.daemon(tools=tools) if tools else contextlib.nullcontext(g)) as d:
            near = Listeners(d.ws)
            try:
                run_held(d, way, "probe_fs", "sockets", near.path, near.dgram_path, "./stream.sock", "dgram.sock",
                         "../workspace/stream.sock")
                check("a socket in the workspace was reached", not near.hits, near.hits)
            finally:
                near.close()


@case("B26", "buses: D-Bus, gvfs, systemd", quick=False)
def b26(g, way):
    for line in ("gdbus call --session --dest x; touch {C}", "systemd-run --user touch {C}", "dbus-send --system x",
                 "busctl --user call x", "systemctl --user start x"):
        g.attack(way, command=line, inside=False)
    home = tempfile.mkdtemp(prefix="bus.", dir=g.top)
    os.chmod(home, 0o755)
    near = Listeners(home)
    env = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={near.path}", "SSH_AUTH_SOCK": near.path, "DISPLAY": ":0",
           "WAYLAND_DISPLAY": near.path, "DOCKER_HOST": f"unix://{near.path}", "XAUTHORITY": near.path,
           "PULSE_SERVER": near.path, "GPG_AGENT_INFO": near.path, "TMUX": near.path}
    try:
        with g.daemon(env=env) as d:
            run_held(d, way, "probe_fs", "buses", near.path, f"@{near.abstract}")
            check("the bus was reached", not near.hits, near.hits)
    finally:
        near.close()
        shutil.rmtree(home, ignore_errors=True)


BAD_NAMES = ("../../evil", "..", "/etc/passwd", "a/b", "a\u0000b", "", ".", "a b", "x\ny", "%2e%2e", "-rf",
             "\u202eevil", "x" * 300, "profile=../../evil", "${HOME}")


@case("B28", "names that are paths", ways=("direct",))
def b28(g, way):
    before = sorted(os.listdir(g.state)) + sorted(os.listdir(g.home)) + sorted(os.listdir(g.top))
    for name in g.some(BAD_NAMES, 4):
        for meta, tool in (({}, name), ({"callgate/agent": name}, "bash"), ({"callgate/namespace": name}, "bash")):
            if not name and not tool:
                continue
            got = g.request(tool, {"command": "git status"}, meta=meta)
            check("such a name was taken", got.is_error or (name == "" and tool == "bash"), (name, meta, got))
        for method in ("callgate/approvals/decide", "callgate/approvals/get"):
            answer = g.connection.ask(method, {"id": name, "plan": "0" * 64, "decision": "allow"})
            check("such an id was taken", "error" in answer, (method, name, answer))
        for args in (("diff", name), ("audit", "verify", f"{name}/nothing")):
            done = g.callgate(*[a.replace("\0", "?") for a in args])
            check("such a name was taken", done.returncode != 0, (args, done.stdout))
    for text in g.some(('"../../evil": {type: command}', 'evil: {type: command, packs: ["../../evil"]}',
                        'evil: {type: command, packs: ["git/../../../evil"]}', '"a/b": {type: command}',
                        'evil: {type: function, handler: ../../evil}',
                        'evil: {type: command, working_directory: ../evil}',
                        'evil: {type: command, working_directory: /etc}', '"evil\\n": {type: command}',
                        'evil: {type: command, allowed_commands: ["../evil"], deny_by_default: true, working_directory: a/../..}'), 3):
        path = f"{g.home}/evil.yaml"
        g2 = g.policy(tools=f"\n  {text}\n")
        with open(path, "w") as f:
            f.write(g2)
        os.chmod(path, 0o600)
        done = g.callgate("policy", "check", path)
        os.unlink(path)
        check("such a policy was taken", done.returncode != 0, (text, done.stdout + done.stderr))
    after = sorted(os.listdir(g.state)) + sorted(os.listdir(g.home)) + sorted(os.listdir(g.top))
    check("something was made", before == after, set(after) ^ set(before))


@case("B29", "a forged file with a process's number", ways=("direct",))
def b29(g, way):
    """Nothing is found, ended or joined by a number in a file: the lock is held by the kernel, the
    daemon by its socket. Somebody who forges it ends no process and starts no second daemon."""
    victim = subprocess.Popen(["sleep", "600"])
    try:
        with g.daemon() as d:
            lock = f"{d.state}/lock"
            for text in (f"{victim.pid}\n", "1\n", "-1\n", "0\n", "99999999999999999999\n", "\n", f"{os.getpid()} x"):
                with open(lock, "w") as f:
                    f.write(text)
                second = subprocess.run([d.callgated, "--config", d.config, "--state", d.state], env=d.env,
                                        cwd=d.home, capture_output=True, text=True, timeout=60)
                check("a second daemon took the folder", second.returncode != 0, second.stderr)
                d.serving()
            for name in ("pid", "callgate.pid", "callgated.pid", "run/callgate.pid"):
                with open(f"{d.state if '/' not in name else d.home}/{name}", "w") as f:
                    f.write(f"{victim.pid}\n")
            done = d.callgate("down")
            check("it did not end", done.returncode == 0, done.stderr)
            d.daemon_process.wait(30)
            check("another process was ended", victim.poll() is None)
            d.start(folder=d.home)
            found_nothing(d.call("probe", {"argv": [f"{d.bin}/probe_fs", "id"]}))
            check("another process was ended", victim.poll() is None)
    finally:
        victim.kill()
        victim.wait()
