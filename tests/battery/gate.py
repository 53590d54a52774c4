"""The rig: a real daemon in a folder of its own, attacks on it, and what they left behind."""
import base64, contextlib, glob, json, os, re, shutil, signal, subprocess, tempfile, time

from effects import Listeners, Marker
from harness import ANY, DENY, HELD_BACK, INVALID, RAN, Failed, Unlaunched, check, matches
from rpc import Connection, Result

PASS = b"correct horse battery\n"
# A process between the allowed interpreter and the attack: the attack is its grandchild.
SPAWN = ("import subprocess, sys\n"
         "try: sys.exit(subprocess.run(sys.argv[1:]).returncode & 255)\n"
         "except OSError as e: sys.exit(f'errno {e.errno}: {e}')\n")
# Into a control group of its own, as the service manager delegates one. $0: how its name begins.
ENTER = 'mkdir "$0$$" && echo $$ >"$0$$/cgroup.procs" && exec "$@"'


def remove(path):
    """Whatever it is."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def default_tools(probes, walls):
    """The battery's policy. bash: the list of the battery, judged word by word; wide: programs that
    start others, each with its pack; ask, ask_wide, ask_host: the same behind a human; box:
    interpreters and all of these, so that the kernel alone judges what they start."""
    looked = "ls, cat, echo, grep, find, git"
    starters = ", ".join(p for p in ("env", "xargs", "tar", "sed", "make", "sort", "rg")
                         if shutil.which(p, path="/usr/bin:/bin"))
    strict = "deny_by_default: true, packs: [find, git]"
    wide = f"deny_by_default: true, packs: [find, {starters}]"
    limits = f"max_execution_time: 20s{walls}"
    host = """parameters: {type: object, additionalProperties: false, required: [host],
      properties: {host: {type: string}, file: {type: string, format: workspace-path},
      words: {type: array, items: {type: string}}}}, exec: {program: echo, argv: ["{host}",
      {if: file, then: "{file}"}, {if: words, then: {each: words}}]}"""
    return f"""
  bash: {{type: command, {strict}, allowed_commands: [{looked}], {limits}}}
  ask: {{type: command, {strict}, allowed_commands: [{looked}, {probes}], require_approval: true, {limits}}}
  git: {{type: command, deny_by_default: true, packs: [git], allowed_commands: [git], {limits},
    rules: [{{id: git_other, decision: deny, reason: "status, diff and log only", when: {{argv: {{type: array,
      not: {{prefixItems: [{{const: git}}, {{enum: [status, diff, log]}}], minItems: 2}}}}}}}}]}}
  wide: {{type: command, {wide}, allowed_commands: [ls, cat, echo, grep, find, {starters}], {limits}}}
  ask_wide: {{type: command, {wide}, allowed_commands: [ls, cat, echo, grep, find, {starters}], require_approval: true, {limits}}}
  box: {{type: command, deny_by_default: true, allowed_commands: [sh, bash, python3, {looked}, {starters}, sleep, {probes}], {limits}}}
  probe: {{type: command, deny_by_default: true, allowed_commands: [{probes}], {limits}}}
  edit: {{type: function, handler: text_editor{walls}}}
  search: {{type: function, handler: grep_search{walls}}}
  host: {{type: command, {host}, rules: [{{id: any, decision: allow}}], {limits}}}
  ask_host: {{type: command, {host}, require_approval: true, {limits}}}
"""


class Gate:
    """One daemon. g.outside: a folder anybody may write to that no policy grants; g.ws: the granted
    workspace; g.secret: a host file's text that must never be told; g.probe: the static helper."""

    def __init__(self, place, programs, quick=False, off=None, callgated=None):
        self.top, self.bin, self.quick, self.off = place, programs, quick, off
        self.callgated = callgated or f"{programs}/callgated"
        self.probe = f"{programs}/probe"
        self.probes = ", ".join(f'"{p}"' for p in sorted(glob.glob(f"{programs}/probe*")))
        self.uid = os.getuid()
        self.outside = tempfile.mkdtemp(prefix="outside.", dir=place)
        os.chmod(self.outside, 0o777)
        self.secret = "secret-" + Marker().text
        self.secret_file = f"{self.outside}/secret"
        with open(self.secret_file, "w") as f:
            f.write(self.secret + "\n")
        self.listeners = Listeners(self.outside)
        self.controls = self.attacks = 0
        self.sample = False  # make check's share: one form, and the stricter place alone
        self.slow = 1  # how many times as long this machine takes: deadlines are that much later
        self.groups = None  # a folder of control groups that is ours: each daemon gets one there
        self.control_default = False
        self.daemon_process = self.connection = None

    # ---- life --------------------------------------------------------------------------------

    def policy(self, tools=None, extra="", principals=None, roles=None):
        """The text of a policy: tools as YAML below `tools:`, extra top level keys."""
        # With a wall left out, calls must still run: only a wall that stands is demanded.
        walls = f", sandbox: {{require: [{'root' if self.off == 'fds' else 'fds'}]}}" if self.off else ""
        if "approvals:" not in extra:
            extra += ("\napprovals: {timeout: 120s, hold: 100ms, grants: [once, session, always],"
                      " max_grant_ttl: 1h}")
        who = principals or f"  - {{peer_uid: {self.uid}, roles: [agent, human]}}"
        roles = roles or ("  agent: {tools: ['*']}\n  human: {tools: ['*'], approve: ['*'], permissions: "
                          "[approvals:read, approvals:decide, daemon:control]}")
        tools = re.sub(r"(max_execution_time: )(\d+)s", lambda m: f"{m[1]}{int(m[2]) * self.slow}s",
                       (tools or default_tools(self.probes, walls)).rstrip())
        return (f"version: 1\nserver: {{socket: {{path: run/callgate.sock}}}}\n" if "server:" not in extra
                else "version: 1\n") + (
            f"{extra}\nroles:\n{roles}\nprincipals:\n{who}\n"
            f"namespaces: {{default: {{working_directory: ./workspace}}}}\n"
            f"tools:\n{tools}\n")

    def start(self, policy=None, env=None, folder=None, args=(), prepare=None):
        """Starts it in a new folder, or in that of an earlier life. prepare(gate): before that."""
        self.home = folder or tempfile.mkdtemp(prefix="gate.", dir=self.top)
        os.chmod(self.home, 0o755)
        self.ws, self.state = f"{self.home}/workspace", f"{self.home}/state"
        self.audit = f"{self.state}/audit"
        self.socket_path = f"{self.home}/run/callgate.sock"
        self.config = f"{self.home}/callgate.yaml"
        fresh = not os.path.isdir(self.ws)
        if fresh:
            for name in ("workspace", "xdg", "config"):
                os.mkdir(f"{self.home}/{name}", 0o700)
            self._workspace()
        if prepare:
            prepare(self)
        if policy or fresh:
            self.write_policy(policy or self.policy())
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.home, "LANG": "C.UTF-8",
                    "CALLGATE_HOME": self.state, "CALLGATE_SOCKET": self.socket_path,
                    "XDG_CONFIG_HOME": f"{self.home}/config", "XDG_RUNTIME_DIR": f"{self.home}/xdg"}
        if self.off:
            self.env["CALLGATE_TEST_WALL_OFF"] = self.off
        self.env.update(env or {})
        self.log = f"{self.home}/daemon.log"
        enter = ["sh", "-c", ENTER, f"{self.groups}/battery-"] if self.groups else []
        with open(self.log, "ab") as log:
            self.daemon_process = subprocess.Popen(
                [*enter, self.callgated, "--config", self.config, "--state", self.state, *args],
                cwd=self.home, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 60
        self.connection = None
        while not self.connection:
            if self.daemon_process.poll() is not None or time.monotonic() > end:
                raise Failed("the daemon did not start: " + self.log_tail())
            try:
                connection = Connection(self.socket_path)
                if connection.ask("callgate/status").get("result", {}).get("state"):
                    self.connection = connection
            except (OSError, TimeoutError):
                time.sleep(0.02)
        self.pid = self.status()["pid"]
        self._seen, self._records, self._granted = {}, [], set()
        self._key = os.path.exists(f"{self.home}/config/callgate/approver.pem")  # of an earlier life
        return self

    def _remove_group(self, pid):
        """What it left there, where nothing lives in it any more."""
        for place, _, _ in os.walk(f"{self.groups}/battery-{pid}", topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(place)

    def _workspace(self):
        for name, text in (("notes.txt", "the answer is 42\n"), ("x", "x\n")):
            with open(f"{self.ws}/{name}", "w") as f:
                f.write(text)
        env = {"PATH": "/usr/bin:/bin", "HOME": self.ws, "GIT_CONFIG_GLOBAL": "/dev/null"}
        for args in (["init", "-q", "-b", "main"], ["add", "notes.txt", "x"],
                     ["-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-qm", "first"]):
            subprocess.run(["git", "-C", self.ws, *args], env=env, check=True, capture_output=True)

    def tidy(self):
        """The workspace as it was at the start: no case finds what another one has left."""
        template = f"{self.home}/template"
        if not os.path.isdir(template):
            shutil.copytree(self.ws, template, symlinks=True)
            return
        for name in os.listdir(self.ws):
            remove(f"{self.ws}/{name}")
        shutil.copytree(template, self.ws, symlinks=True, dirs_exist_ok=True)

    def put(self, name, text, mode=0o644):
        """A file of the workspace."""
        path = f"{self.ws}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)

    def put_program(self, source, name):
        """A copy of a program, in the workspace."""
        shutil.copy(source, f"{self.ws}/{name}")
        os.chmod(f"{self.ws}/{name}", 0o755)

    def write_policy(self, text):
        with open(self.config, "w") as f:
            f.write(text)
        os.chmod(self.config, 0o600)

    def stop(self, how=signal.SIGTERM):
        if self.connection:
            self.connection.close()
            self.connection = None
        if self.daemon_process and self.daemon_process.poll() is None:
            self.daemon_process.send_signal(how)
            try:
                self.daemon_process.wait(30)
            except subprocess.TimeoutExpired:
                self.daemon_process.kill()
                self.daemon_process.wait()
        if self.daemon_process and self.groups:
            self._remove_group(self.daemon_process.pid)
        self.daemon_process = None

    def restart(self, policy=None, env=None, how=signal.SIGTERM):
        self.stop(how)
        return self.start(policy, env, self.home)

    @contextlib.contextmanager
    def daemon(self, policy=None, env=None, prepare=None, **parts):
        """A further daemon for one case; parts: see policy()."""
        other = Gate(self.top, self.bin, self.quick, self.off, self.callgated)
        other.sample, other.groups, other.slow = self.sample, self.groups, self.slow
        try:
            yield other.start(policy or (other.policy(**parts) if parts else None), env,
                              prepare=prepare)
        finally:
            other.stop()
            other.listeners.close()

    def log_tail(self, lines=5):
        with open(self.log, errors="replace") as f:
            return "".join(f.readlines()[-lines:])

    def status(self):
        return self.connection.ask("callgate/status")["result"]

    def serving(self):
        """The daemon that was started is there and answers."""
        check("the daemon has ended", self.daemon_process.poll() is None, self.log_tail())
        try:
            pid = self.status()["pid"]
        except (OSError, TimeoutError) as error:
            raise Failed(f"the daemon does not answer: {error}; {self.log_tail()}") from None
        check("it is another daemon", pid == self.pid, (pid, self.pid))

    def connect(self):
        return Connection(self.socket_path)

    def callgate(self, *args, stdin=None, env=None, timeout=120):
        """The command, as the owner runs it: a CompletedProcess with text."""
        return subprocess.run([f"{self.bin}/callgate", *args], env={**self.env, **(env or {})},
                              cwd=self.home, input=stdin or "", capture_output=True, text=True, timeout=timeout)

    # ---- the trail ---------------------------------------------------------------------------

    def records(self, kind=None, call=None):
        """All records so far, parsed, in order."""
        for path in sorted(glob.glob(f"{self.audit}/*.jsonl")):
            with open(path, "rb") as f:
                f.seek(self._seen.get(path, 0))
                text = f.read()
            whole = text.rfind(b"\n") + 1
            self._seen[path] = self._seen.get(path, 0) + whole
            self._records += [json.loads(line) for line in text[:whole].splitlines()]
        return [r for r in self._records
                if kind in (None, r["type"]) and call in (None, r.get("call"))]

    def trace(self, result):
        """Puts the call's records into the result: one decision, one outcome, saying the same."""
        if not result.id:
            return result
        if self.off and result.outcome == "unavailable":
            raise Unlaunched(result.text)
        result.records = self.records(call=result.id)
        result.decisions = [r for r in result.records if r["type"] == "call.decision"]
        result.outcomes = [r for r in result.records if r["type"] == "call.outcome"]
        check("not one outcome record", len(result.outcomes) == 1, (result, result.outcomes))
        check("not one decision record", len(result.decisions) == 1, (result, result.decisions))
        check("the records do not say what the answer says",
              result.outcomes[0]["outcome"] == result.outcome
              and result.outcomes[0]["decision"] == result.decision, (result, result.outcomes))
        if result.decision != "allow":
            check("a refused call was started", not [r for r in result.records
                                                     if r["type"].startswith("exec.")], result)
        return result

    def verify(self):
        done = self.callgate("audit", "verify", self.audit)
        check("audit verify", done.stdout.startswith("OK "), done.stdout + done.stderr)

    # ---- calls -------------------------------------------------------------------------------

    def request(self, tool, arguments, meta=None, connection=None, timeout=None):
        """One tools/call; the answer and the records, not judged."""
        params = {"name": tool, "arguments": arguments}
        if meta:
            params["_meta"] = meta
        answer = (connection or self.connection).ask("tools/call", params, timeout)
        return Result(answer)

    def call(self, tool, arguments, **kw):
        """As request, and its records are there as they have to be."""
        return self.trace(self.request(tool, arguments, **kw))

    # ---- approvals ---------------------------------------------------------------------------

    def pending(self):
        return self.connection.ask("callgate/approvals/list")["result"]["approvals"]

    def deny(self, ident):
        """Withdraws a question, by the owner's key: a bare no of who asks does not count."""
        return self.with_key("deny", ident)  # one that is over already is no fault

    def with_key(self, *args, **kw):
        """callgate ARGS with the owner's approver key, which is made when it is first needed."""
        read, write = os.pipe()
        os.write(write, PASS)
        os.close(write)
        try:
            if not self._key:
                self._key = True
                self._enrol()
            return subprocess.run([f"{self.bin}/callgate", *args], cwd=self.home, pass_fds=[read],
                                  env={**self.env, "CALLGATE_PASSPHRASE_FD": str(read)},
                                  capture_output=True, text=True, timeout=120)
        finally:
            os.close(read)

    def _enrol(self):
        """The owner's key: made once for all daemons of the run, and then kept under a passphrase that
        takes no time to try. What a person's costs on purpose (scrypt) would be most of the battery's."""
        made, mine, public = f"{self.top}/owner", f"{self.home}/config/callgate", f"{self.state}/approvers"
        if not os.path.isdir(made):
            done = self.callgate("keys", "create", "--approver", "--name", "owner", stdin=PASS.decode())
            check("keys create", done.returncode == 0, done.stderr)
            shutil.copytree(public, f"{made}/approvers")
            subprocess.run(["openssl", "pkcs8", "-topk8", "-in", f"{mine}/approver.pem", "-passin", "stdin",
                            "-passout", "stdin", "-scrypt", "-scrypt_N", "2", "-scrypt_r", "1", "-scrypt_p", "1",
                            "-out", f"{made}/approver.pem"], input=PASS * 2, check=True, capture_output=True)
        os.makedirs(mine, mode=0o700, exist_ok=True)
        shutil.copy(f"{made}/approver.pem", mine)
        shutil.copytree(f"{made}/approvers", public, dirs_exist_ok=True)
        told = self.connection.ask("callgate/reload")  # as `keys create` does
        check("the daemon does not learn of the key", "result" in told, told)

    def approve(self, ident, scope="once"):
        done = self.with_key("approve", ident, "--scope", scope)
        check("the owner's approval", done.returncode == 0, done.stderr + done.stdout)
        return done

    def neighbour(self, arguments, tool="ask"):
        """Sees to it that a grant "always" stands for this call; a cheap call when it does."""
        key = (tool, json.dumps(arguments, sort_keys=True))
        if key not in self._granted:
            asked = self.call(tool, arguments)
            check("the neighbouring call does not ask", asked.approval, asked)
            self.approve(asked.approval, "always")
            self.call(tool, arguments)
            self._granted.add(key)
        elif self.quick:
            return
        granted = self.call(tool, arguments)
        check("no grant stands for the neighbour", granted.meta.get("by") == "grant", granted)

    def some(self, items, quick=2):
        """All of them; in the quick form the first few, in a sample or without a wall the first."""
        few = 1 if self.off or self.sample else quick
        return list(items)[:few] if self.quick else list(items)

    # ---- attacks -----------------------------------------------------------------------------

    def attack(self, way, command=None, argv=None, tool="bash", expect=None, inside=True, shell="bash",
               stdin=None, cwd=None, neighbour=None, control=None, args=None, child_expect=None,
               ask="ask", leave=False):
        """Attacks and judges. command, or argv, or args (the arguments of a tool that is neither).
        Signs: {C} canary to be made (never may be), {F} file with g.secret, {T} TCP and {U} UDP port,
        {S} {D} path of a stream and datagram server, {A} abstract name, {M} number that marks
        processes, {B} base64 of "touch {C}", {O} the folder outside, {W} the workspace.
        expect: of "tool"; by default DENY. "child" runs it below bash and python3 of the tool box
        (child_expect, default RAN), "neighbour" by the tool `ask` where a grant stands for the arguments
        `neighbour` (HELD_BACK, also of what may run in "tool"; INVALID stays so).
        inside: the canary is also tried in the workspace, which is granted: no program may make it;
        "tool": not by "child", whose shell may write there itself.
        control: the attack is first run on the host, in the long form: it must have the effect.
        leave: a question stays open, for a human who answers it."""
        expect = expect or DENY
        result = None
        places = [self.outside]
        signs_used = json.dumps([command, argv, stdin, args])
        uses_canary = "{C}" in signs_used or "{B}" in signs_used
        if uses_canary and inside and not (way == "child" and inside == "tool"):
            places.append(self.ws)
        if self.sample:
            places = places[-1:]
        for place in places:
            signs, canary, marker = self._signs(place)

            def fill(value):
                if isinstance(value, str):
                    for sign, text in signs.items():
                        value = value.replace(sign, text)
                elif isinstance(value, list):
                    value = [fill(v) for v in value]
                elif isinstance(value, dict):
                    value = {k: fill(v) for k, v in value.items()}
                return value

            filled = dict(command=fill(command), argv=fill(argv), stdin=fill(stdin), cwd=cwd, args=fill(args))
            if control is None:
                control = self.control_default
            if control and not self.quick and way == "tool" and place == self.outside:
                self._control(filled, canary, marker, shell)
            for name, arguments, wanted in self._variants(way, filled, tool, expect, shell, neighbour,
                                                          child_expect, ask):
                hits = len(self.listeners.hits)
                got = self.request(name, arguments)
                self.attacks += 1
                try:
                    self._judge(got, wanted, way)
                finally:
                    if got.approval and not leave:
                        self.deny(got.approval)
                if any(s in signs_used for s in ("{T}", "{U}", "{S}", "{D}", "{A}")):
                    time.sleep(0.05)
                self._no_effect(got, canary, marker, hits, arguments)
                self.serving()
                if result:
                    got.all = result.all + [got]
                result = got
        return result

    def _signs(self, place):
        marker = Marker()
        canary = f"{place}/canary-{marker.text}"
        return {"{C}": canary, "{F}": self.secret_file, "{M}": marker.text, "{O}": self.outside,
                "{W}": self.ws, "{T}": str(self.listeners.tcp_port), "{U}": str(self.listeners.udp_port),
                "{S}": self.listeners.path, "{D}": self.listeners.dgram_path,
                "{A}": self.listeners.abstract, "{B}": base64.b64encode(f"touch {canary}\n".encode()).decode(),
                }, canary, marker

    def _variants(self, way, filled, tool, expect, shell, neighbour, child_expect,
                  ask):
        """(tool, arguments, expected) of each call that this way of the attack makes."""
        arguments = filled["args"] if filled["args"] is not None else {
            k: v for k, v in filled.items() if v is not None and k != "args"}
        if way == "tool":
            return [(tool, arguments, expect)]
        if way == "neighbour":
            self.neighbour(neighbour or {"ask": {"command": "git status"},
                                         "ask_wide": {"command": "find . -name x"},
                                         "ask_host": {"host": "example.org"}}[ask], ask)
            return [(ask, arguments, INVALID if expect is INVALID else HELD_BACK)]
        if way != "child":
            raise ValueError(f"no way {way}")
        more = {k: v for k, v in arguments.items() if k in ("stdin", "cwd")}
        if filled["command"] is not None:
            words = [shell, "-c", filled["command"]]
            direct = words
        else:
            words = filled["argv"]
            direct = ["sh", "-c", '"$@"; exit $?', "sh", *words]
        lines = [["python3", "-c", SPAWN, *words], direct]
        return [("box", {"argv": line, **more}, child_expect or RAN)
                for line in lines[:1 if self.quick else 2]]

    def _judge(self, got, wanted, way):
        if wanted is INVALID:
            check(f"{way}: it was not turned away", got.error or got.decision == "deny", got)
            if got.error and not self.records(call=got.id):
                return
        if got.id:
            self.trace(got)
        if wanted is not INVALID:
            check(f"{way}: not an answer about a call", got.id, got)
            check(f"{way}: not what was expected", matches(wanted, got.decision, got.outcome), got)

    def _no_effect(self, got, canary, marker, hits, arguments):
        if os.path.lexists(canary):
            remove(canary)
            raise Failed(f"the canary is there after {json.dumps(arguments)[:400]} ({got})")
        told = json.dumps(got.answer)
        check("the secret was told", self.secret not in told, arguments)
        check("a listener of the host was reached", len(self.listeners.hits) == hits,
              (self.listeners.hits[hits:], arguments))
        if marker.text in json.dumps(arguments):
            alive = marker.alive()
            for pid in alive:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            check("a process lives on", not alive, (alive, arguments))
        with open(self.secret_file) as f:
            check("the host's file has changed", f.read() == self.secret + "\n", arguments)

    def _control(self, filled, canary, marker, shell):
        """On the host, as nobody of importance, in a folder that is thrown away."""
        if filled["args"] is not None:
            raise ValueError("no control for arguments of a tool that runs no command")
        place = tempfile.mkdtemp(prefix="control.", dir=self.top)
        os.chmod(place, 0o777)
        shutil.copytree(self.ws, f"{place}/ws", symlinks=True)
        line = filled["argv"] or [shell, "-c", filled["command"]]
        if self.uid == 0:
            subprocess.run(["chown", "-R", "64738", f"{place}/ws"], check=True)
            line = ["setpriv", "--reuid", "64738", "--regid", "64738", "--clear-groups",
                    "--no-new-privs", "--", *line]
        hits = len(self.listeners.hits)
        done = subprocess.run(line, cwd=f"{place}/ws/{filled['cwd'] or ''}", timeout=30,
                              env={"PATH": "/usr/bin:/bin:/usr/sbin", "HOME": f"{place}/ws", "TERM": "dumb"},
                              input=(filled["stdin"] or "").encode(), capture_output=True)
        for _ in range(50):  # what runs in the background has its moment
            effect = (os.path.lexists(canary) or len(self.listeners.hits) > hits
                      or self.secret.encode() in done.stdout)
            if effect:
                break
            time.sleep(0.02)
        check("without callgate this does nothing, so it tests nothing", effect,
              (line[-1], done.stdout[-200:], done.stderr[-200:]))
        remove(canary)
        shutil.rmtree(place, ignore_errors=True)
        self.controls += 1
