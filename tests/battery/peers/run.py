#!/usr/bin/env python3
"""The same attacks in four sandboxes and in none, side by side, with equal settings: the workspace
may be written, the system be read, the network not be reached. Prints who stops what; a row counts
only if the attack works where there is no sandbox.
usage: run.py BUILD PEERS [--only CASE,CASE] [--output json] [-v]     PEERS: a folder with npm's node_modules"""
import contextlib, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

build, peers = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
here = os.path.dirname(os.path.abspath(__file__))
SECRET = "gate-test-secret-4711"
LIMIT = 40 # seconds for one attack: codex alone needs some for its start

# name, what is tried, how the effect shows; "list": only where programs can be named at all
CASES = [
    ("work", "no attack: write a file in the workspace", "worked"),
    ("write_outside", "write to a folder that everybody may write", "canary"),
    ("write_home", "write ~/.bashrc", "bashrc"),
    ("write_sibling", "write to WORKSPACE-evil", "sibling"),
    ("write_through_link", "write through a link out of the workspace", "canary"),
    ("write_through_parent_fd", "write by a descriptor of the folder above", "canary"),
    ("hard_link", "link a file from outside, then write it", "mine"),
    ("remount", "remount the system writable, then write", "canary"),
    ("git_hook", "leave a git hook that runs on the host later", "hook"),
    ("editor_task", "leave an editor task that runs on the host later", "task"),
    ("read_secret", "read a file outside that everybody may read", "secret"),
    ("read_by_proc_root", "read it by /proc/PID/root", "secret"),
    ("read_environment", "read the launcher's environment", "secret"),
    ("read_left_open", "read by descriptors that the launcher left open", "secret"),
    ("huge_file", "make a file of 1 TiB", "huge"),
    ("run_unlisted", "run a program that is not on the list", "ran"),
    ("run_copied", "run a copy of it under a listed name", "ran"),
    ("run_by_loader", "run it by the dynamic loader", "ran"),
    ("run_from_memory", "run it from anonymous memory", "ran"),
    ("kill_host_process", "kill a process of the same user", "victim"),
    ("kill_everything_seen", "look for it in /proc and kill it", "victim"),
    ("outlive_the_call", "a daemonized child goes on after the end", "late"),
    ("outlive_the_launcher", "go on after the launcher was killed", "late"),
    ("hold_the_pipe", "an orphan keeps the answer waiting", "waits"),
    ("many_processes", "300 processes at once", "300"),
    ("eat_memory", "768 MiB of memory where 256 are allowed", "768"),
    ("tcp", "a byte to a TCP port of the host", "byte"),
    ("udp", "a byte to a UDP port of the host", "byte"),
    ("abstract_socket", "a byte to an abstract Unix socket", "byte"),
    ("socket_in_the_workspace", "a byte to a Unix socket in the workspace", "byte"),
    ("socket_outside", "a byte to a Unix socket outside", "byte"),
    ("io_uring", "have an io_uring", "call"),
    ("nested_namespace", "have a user namespace of one's own", "call"),
    ("user_fault", "have a userfaultfd", "call"),
    ("keyring", "reach the kernel's keyrings", "call"),
    ("crypto_socket", "have an AF_ALG socket", "call"),
    ("packet_by_netlink", "have a netlink socket of netfilter", "call"),
]


class Listeners:
    """Who got a byte."""

    def __init__(self, place):
        self.bytes = 0
        self.abstract = "gate-test-" + os.urandom(6).hex()
        self.sockets = []
        self.tcp = self.open(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)).getsockname()[1]
        self.udp = self.open(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)).getsockname()[1]
        self.open(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        for path in (place.ws, place.out):
            self.open(socket.AF_UNIX, socket.SOCK_STREAM, path + "/service.sock")
            os.chmod(path + "/service.sock", 0o777)

    def open(self, family, kind, address):
        one = socket.socket(family, kind)
        one.bind(address)
        if kind == socket.SOCK_STREAM:
            one.listen(8)
        threading.Thread(target=self.serve, args=(one, kind), daemon=True).start()
        self.sockets.append(one)
        return one

    def serve(self, one, kind):
        with contextlib.suppress(OSError):
            while True:
                if kind == socket.SOCK_DGRAM:
                    self.bytes += len(one.recv(100))
                    continue
                with one.accept()[0] as met:
                    met.settimeout(2)
                    with contextlib.suppress(OSError):
                        self.bytes += len(met.recv(100))

    def close(self):
        for one in self.sockets:
            one.close()


class Place:
    """A workspace, a folder outside that only walls protect, a home; new for each attack."""

    def __init__(self, root, name):
        self.root = os.path.join(root, name)
        self.ws, self.out, self.home = (os.path.join(self.root, x) for x in ("ws", "out", "home"))
        for path in (self.ws, self.ws + "-evil", self.out, self.home, self.home + "/codex"):
            os.makedirs(path)
        for path, text in ((self.out + "/secret", SECRET), (self.out + "/mine", "mine\n")):
            with open(path, "w") as out:
                out.write(text)
        shutil.copy(here + "/attacks.py", self.ws)
        for folder, _, files in os.walk(self.root):
            for one in [folder] + [os.path.join(folder, f) for f in files]:
                os.chown(one, USER, USER)
        self.listeners = Listeners(self)
        self.victim = subprocess.Popen(["gate-test-victim", "240"],
                                       executable="/usr/bin/sleep", user=USER, group=USER, extra_groups=[])

    def facts(self):
        return [f"out={self.out}", f"ws={self.ws}", f"home={self.home}", f"victim={self.victim.pid}",
                f"tcp={self.listeners.tcp}", f"udp={self.listeners.udp}",
                f"abstract={self.listeners.abstract}"]

    def effect(self, how, text, took):
        """Did it happen?"""
        here = lambda *path: os.path.lexists(os.path.join(*path))
        if how == "canary":
            return here(self.out, "canary")
        if how == "sibling":
            return here(self.ws + "-evil", "canary")
        if how == "bashrc":
            return here(self.home, ".bashrc")
        if how == "mine":
            return open(self.out + "/mine").read() != "mine\n"
        if how == "hook":
            return here(self.ws, ".git/hooks/post-checkout")
        if how == "task":
            return here(self.ws, ".vscode/tasks.json")
        if how == "secret":
            return SECRET in text
        if how == "huge":
            return here(self.ws, "huge") and os.stat(self.ws + "/huge").st_size >= 1 << 40
        if how == "victim":
            return self.victim.poll() is not None
        if how == "late":
            time.sleep(max(0, 12 - took))
            return here(self.ws, "late")
        if how == "waits":
            return took > 15
        if how == "byte":
            time.sleep(0.2)
            return self.listeners.bytes > 0
        if how == "call":
            found = re.search(r"^result (-?\d+)", text, re.M)
            return bool(found) and int(found.group(1)) >= 0
        if how == "300":
            return "alive 300" in text
        if how == "768":
            return "held 768" in text
        return here(self.ws, how) # "ran", "worked"

    def close(self):
        self.listeners.close()
        self.victim.kill()
        self.victim.wait()
        shutil.rmtree(self.root, ignore_errors=True)


def launch(argv, place, environment, limit=LIMIT, deadline=None):
    """(what it printed, seconds). After deadline the launcher is killed, as a daemon that dies."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": place.home, "LANG": "C.UTF-8",
                   "CODEX_HOME": place.home + "/codex", "GATE_TEST_SECRET": SECRET, **environment}
    start = time.time()
    left_open = os.open(place.out + "/secret", os.O_RDONLY)
    process = subprocess.Popen(
        argv, cwd=place.ws, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, user=USER, group=USER, extra_groups=[],
        pass_fds=[left_open], start_new_session=True)
    os.close(left_open)
    chunks = []

    def read():
        while chunk := os.read(process.stdout.fileno(), 65536):
            if len(chunks) < 64:
                chunks.append(chunk)

    timer = threading.Timer(deadline or limit, process.kill)
    timer.start()
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    process.wait()
    reader.join(max(0.5, 18 - (time.time() - start)) if not deadline else 0.5)
    took = time.time() - start
    timer.cancel()
    text = b"".join(chunks).decode(errors="replace")
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not deadline:
            os.killpg(process.pid, signal.SIGKILL)
    return text, took


# ---- the sandboxes ---------------------------------------------------------------------------------
def nothing(place, words, **how):
    """A launcher, as the others have one, that only starts the program."""
    return launch(["/bin/sh", "-c", '"$@" & wait', "sh", "/usr/bin/python3", "attacks.py", *words],
                  place, {}, **how)


def bubblewrap(place, words, **how):
    return launch(
        ["/usr/bin/bwrap", "--unshare-all", "--die-with-parent", "--new-session",
         "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64",
         "/lib64", "--symlink", "usr/bin", "/bin", "--ro-bind", "/etc", "/etc", "--proc", "/proc",
         "--dev", "/dev", "--tmpfs", "/tmp", "--bind", place.ws, place.ws, "--chdir", place.ws,
         "--clearenv", "--setenv", "PATH", "/usr/bin:/bin",
         "/usr/bin/python3", "attacks.py", *words], place, {}, **how)


def srt(place, words, **how):
    settings = place.home + "/srt.json"
    with open(settings, "w") as out:
        json.dump({"network": {"allowedDomains": [], "deniedDomains": []},
                   "filesystem": {"denyRead": [place.out, place.home], "allowWrite": [place.ws],
                                  "denyWrite": []}}, out)
    os.chown(settings, USER, USER)
    return launch([peers + "/node_modules/.bin/srt", "--settings", settings, "/usr/bin/python3",
                   "attacks.py", *words], place, {}, **how)


def codex(place, words, **how):
    set_to = ["-c", 'sandbox_mode="workspace-write"']
    for key in ("exclude_slash_tmp", "exclude_tmpdir_env_var"):
        set_to += ["-c", f"sandbox_workspace_write.{key}=true"]
    return launch([peers + "/node_modules/.bin/codex", "sandbox", *set_to, "--",
                   "/usr/bin/python3", "attacks.py", *words], place, {}, **how)


POLICY = """version: 1
server: {{socket: {{path: run/callgate.sock}}}}
roles: {{agent: {{tools: ["*"], permissions: [daemon:control]}}}}
principals: [{{peer_uid: {uid}, roles: [agent]}}]
namespaces: {{default: {{working_directory: {ws}}}}}
tools:
  py:
    type: command
    max_execution_time: 15s
    deny_by_default: true
    allowed_commands: [python3]
    sandbox: {{memory: 256MiB}}
"""


def callgate(place, words, deadline=None, **how):
    """A daemon of its own each time: the launcher that is killed is the daemon."""
    gate = os.path.join(place.root, "gate")
    os.makedirs(gate, mode=0o700)
    with open(gate + "/callgate.yaml", "w") as out:
        out.write(POLICY.format(uid=USER, ws=place.ws))
    os.chmod(gate + "/callgate.yaml", 0o600)
    for one in (gate, gate + "/callgate.yaml"):
        os.chown(one, USER, USER)
    environment = {"CALLGATE_SOCKET": gate + "/run/callgate.sock", "GATE_TEST_SECRET": SECRET,
                   "HOME": place.home, "PATH": "/usr/bin:/bin"}
    left_open = os.open(place.out + "/secret", os.O_RDONLY)
    daemon = subprocess.Popen(
        [build + "/callgated", "--config", gate + "/callgate.yaml", "--state", gate + "/state"],
        env=environment, user=USER, group=USER, extra_groups=[], pass_fds=[left_open],
        cwd=gate, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(left_open)
    try:
        for _ in range(400):
            if subprocess.run([build + "/callgate", "status"], env=environment, user=USER,
                              group=USER, extra_groups=[], capture_output=True).returncode == 0:
                break
            time.sleep(0.05)
        else:
            raise SystemExit("peers: callgated does not start")
        timer = threading.Timer(deadline, daemon.kill) if deadline else None
        if timer:
            timer.start()
        text, took = launch([build + "/callgate", "run", "--tool", "py", "--", "python3",
                             "attacks.py", *words], place, environment, **how)
        if timer:
            timer.cancel()
        return text, took
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


SANDBOXES = [("none", nothing), ("callgate", callgate), ("bubblewrap", bubblewrap), ("srt", srt),
             ("codex", codex)]


def versions():
    def npm(package):
        with open(f"{peers}/node_modules/{package}/package.json") as file:
            return json.load(file)["version"]

    bwrap = subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout.split()[-1]
    return {"bubblewrap": bwrap, "srt": npm("@anthropic-ai/sandbox-runtime"),
            "codex": npm("@openai/codex")}


def main():
    root = tempfile.mkdtemp(prefix="callgate-peers.", dir="/var/tmp")
    os.chmod(root, 0o755)
    rows = []
    only = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else []
    try:
        for name, title, how in CASES:
            if only and name not in only + ["work"]:
                continue
            row = {"case": name, "title": title}
            for sandbox, run in SANDBOXES:
                if sandbox != "none" and not row["none"]:
                    row[sandbox] = None # nothing to stop: the attack does not work here at all
                    continue
                place = Place(root, f"{name}-{sandbox}")
                try:
                    more = {"deadline": 2} if name == "outlive_the_launcher" else {}
                    if sandbox in ("srt", "codex") and more:
                        more = {"deadline": 3.5} # they take a second to begin
                    text, took = run(place, [name, *place.facts()], **more)
                    row[sandbox] = place.effect(how, text, took)
                    if "began\n" not in text or (name == "work" and not row[sandbox]):
                        raise SystemExit(f"peers: {name}: {sandbox} did not run it: {text[-500:]}")
                    if "-v" in sys.argv:
                        print(f"--- {name} {sandbox} {took:.1f} s: {text.strip()[-300:]}", flush=True)
                finally:
                    place.close()
            rows.append(row)
            if "json" not in sys.argv:
                word = lambda happened: {True: "happens", False: "stopped", None: "-"}[happened]
                print(f"{title:52} " + " ".join(f"{word(row[s]):10}" for s, _ in SANDBOXES), flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    rows = [row for row in rows if row["case"] != "work"]
    score = {s: sum(row[s] is False for row in rows) for s, _ in SANDBOXES}
    counted = sum(bool(row["none"]) for row in rows)
    if "json" in sys.argv:
        print(json.dumps({"versions": versions(), "counted": counted, "stopped": score, "rows": rows}))
        return
    print(f"{'stopped, of ' + str(counted) + ' that work without a sandbox':52} "
          + " ".join(f"{score[s]:<10}" for s, _ in SANDBOXES))
    print("versions: " + ", ".join(f"{k} {v}" for k, v in versions().items()))


USER = os.geteuid() or 64998 # not 65534: inside a user namespace that is everybody unmapped
main()
