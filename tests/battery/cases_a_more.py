"""Section A, second half: options of programs that run others, files that are not what they are
called, and what comes in besides the command line."""
import json, os, re, shutil

from cases_a import evil, has
from harness import ANY, COMPLETED, DENY, HELD_BACK, INVALID, RAN, Failed, case, check

LOADER = "/lib64/ld-linux-x86-64.so.2"


@case("A23", "git configuration on the command line")
def a23(g, way):
    g.put("notes.txt", "changed: answer\n")
    lines = [["git", "-c", "core.fsmonitor=touch {C}; false", "status"],
             ["git", "-c", "core.fsmonitor=false", "-c", "core.fsmonitor=touch {C}; false", "status"],
             ["git", "-c", "alias.x=!touch {C}", "x"], ["git", "-c", "alias.status=!touch {C}", "status"],
             ["git", "-c", "core.pager=touch {C}", "-p", "log"], ["git", "-c", "pager.log=touch {C}", "-p", "log"],
             ["git", "-c", "diff.external=touch {C}; true", "diff"],
             ["git", "-c", "DIFF.External=touch {C}; true", "diff"],
             ["git", "-c", "Core.fsMonitor=touch {C}; false", "status"],
             ["git", "-c", "core.sshCommand=touch {C}", "fetch", "ssh://localhost/x"],
             ["git", "--exec-path=./evil", "log"], ["git", "--exec-path=.", "status"],
             ["git", "--config-env=core.fsmonitor=HOME", "status"], ["git", "--config-env", "core.pager=HOME", "log"],
             ["git", "-c", "core.hooksPath=./evil", "status"], ["git", "-C", "evil", "status"],
             ["git", "-c", "include.path=./x", "status"], ["git", "--git-dir=./evil", "status"],
             ["git", "-c", "core.editor=touch {C}", "commit", "--amend"], ["git", "-p", "-c", "core.pager=touch {C}", "diff"],
             ["git", "-c", "credential.helper=!touch {C}", "credential", "fill"],
             ["git", "-c", "filter.x.clean=touch {C}", "diff"], ["git", "-c", "uploadpack.packObjectsHook=touch {C}", "status"],
             ["git", "-c", "gpg.program=./evil/ls", "log", "--show-signature"]]
    sure = {0, 1, 2, 6, 7, 8}
    evil(g)
    for n, words in enumerate(g.some(lines)):
        for tool in ("bash", "git"):
            if way == "tool" or tool == "bash":
                # The two that only point into the workspace are harmless in themselves.
                expect = RAN | HELD_BACK if words[1] in ("-C", "--git-dir=./evil") else HELD_BACK
                g.attack(way, argv=words, tool=tool, expect=expect, inside=True,
                         control=n in sure and tool == "bash")
    # The same from the repository itself: git is allowed, and what it starts is not.
    canary = f"{g.ws}/configured"
    touch = f'"touch {canary}; false"'
    poison(g, core__fsmonitor=touch, diff__external=f'"touch {canary}; true"', core__pager=touch, core__sshCommand=touch,
           core__hooksPath="evil", alias__st=f'"!touch {canary}"')
    g.put(".gitattributes", "* diff=x filter=x\n")
    g.put("evil/post-index-change", f"#!/bin/sh\ntouch {canary}\n", 0o755)
    poison(g, **{'diff "x"__textconv': touch, 'filter "x"__clean': touch, 'filter "x"__process': touch})
    for text in ("git status", "git diff", "git log -p", "git diff --stat", "git status --porcelain"):
        if way == "neighbour":  # a grant that stands for this very call changes nothing of it
            g.neighbour({"command": text})
        else:
            g.attack(way, command=text, expect=RAN | HELD_BACK)
        check("the repository's own configuration was run", not os.path.lexists(canary), text)
    g.tidy()
    for text in g.some(("git -c core.fsmonitor='touch {C}' status", "git -c alias.x='!touch {C}' x",
                        "git -c 'core.pager=echo x >{C}' -p log"), 1):
        g.attack(way, command=text, expect=HELD_BACK, inside="tool")


def poison(g, **settings):
    """What an agent may write into the repository's own configuration."""
    with open(f"{g.ws}/.git/config", "a") as f:
        for name, value in settings.items():
            section, _, key = name.partition("__")
            f.write(f"[{section}]\n\t{key} = {value}\n")


@case("A25", "git output and external programs")
def a25(g, way):
    g.put("notes.txt", "changed: answer\n")
    lines = ["git show --output={C}", "git diff --output={C}", "git diff --output {C}", "git log --output={C} -1",
             "git diff --no-index --output={C} notes.txt x", "git show --outpu={C}",
             "git format-patch -1 --output={C}", "git archive -o {C} HEAD", "git archive --output={C} HEAD",
             "git bundle create {C} HEAD", "git clone . {C}", "git worktree add {C}", "git init {C}",
             "git clone --bare . {C}", "git init --separate-git-dir={C} y", "git format-patch -1 -o {C}",
             "git grep -O'touch {C};:' answer", "git grep --open-files-in-pager='touch {C};:' answer",
             "git rev-parse --parseopt -- --output={C}", "git checkout-index -a --prefix={C}/",
             "git stash --output={C}", "git diff --ext-diff", "git log -p --ext-diff --textconv",
             "git archive --remote=. --exec='touch {C};:' HEAD", "git ls-remote --upload-pack='touch {C};:' .",
             "git fetch --upload-pack 'touch {C};:' .", "git clone -u 'touch {C};:' . z",
             "git difftool -y -x 'touch {C};:'", "git rebase -x 'touch {C}' HEAD~0", "git submodule foreach 'touch {C}'",
             "git bisect run touch {C}", "git ls-remote 'ext::touch {C}'", "git remote-ext x 'touch {C}'",
             "git -p log", "git hash-object -w {F}", "git diff --no-index notes.txt {F}", "git blame --contents {F} x"]
    sure = ("show --output=", "diff --output", "log --output", "archive -o", "bundle", "clone .", "init {C}", "grep -O")
    for text in g.some(lines, 3):
        told = any(f"git {s}" in text for s in sure)
        g.attack(way, command=text, expect=HELD_BACK | RAN if "{F}" in text or "-p log" in text or "rev-parse" in text else HELD_BACK,
                 inside="tool", control=told)
        if way == "tool" and "{F}" not in text and "-p" not in text.split() and " log" not in text:
            g.attack(way, command=text, tool="git", expect=HELD_BACK)


GIT_ENV = {"GIT_EXTERNAL_DIFF": "touch {C}", "GIT_SSH_COMMAND": "touch {C}", "GIT_CONFIG_COUNT": "1",
           "GIT_CONFIG_KEY_0": "diff.external", "GIT_CONFIG_VALUE_0": "touch {C}", "GIT_PAGER": "touch {C}",
           "GIT_EDITOR": "touch {C}", "GIT_EXEC_PATH": "/tmp", "GIT_ASKPASS": "touch {C}", "GIT_DIR": "/tmp"}
LOADER_ENV = {name: "/tmp/evil" for name in (
    "LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH BASH_ENV ENV PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5OPT RUBYOPT "
    "LESSOPEN PAGER EDITOR VISUAL GCONV_PATH LOCPATH NLSPATH SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND PERL5LIB "
    "LD_BIND_NOW LD_DEBUG MALLOC_TRACE HOSTALIASES RES_OPTIONS TZDIR IFS CDPATH GLOBIGNORE JAVA_TOOL_OPTIONS "
    "PERL5DB RUBYLIB NODE_PATH LUA_INIT PHPRC DYLD_INSERT_LIBRARIES GLIBC_TUNABLES MAKEFLAGS TAR_OPTIONS "
    "GREP_OPTIONS LESS XDG_CONFIG_DIRS SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS KUBECONFIG").split()}
LOADER_ENV["NODE_OPTIONS"] = "--require=/tmp/evil"


def environments(g, way, names, command):
    """What a request says about the environment is refused; what a tool sees is the daemon's list."""
    for key in ("env", "environment", "_env"):
        for value in (names, [f"{k}={v}" for k, v in names.items()]):
            got = g.request({"tool": "bash", "neighbour": "ask"}[way], {"command": command, key: value})
            check("a caller may give an environment", got.decision == "deny" or got.error, got)
            g.serving()


def check_policy(g, tools):
    """What the policy's judge says of these tools."""
    path = f"{g.home}/other.yaml"
    with open(path, "w") as f:
        f.write(g.policy(tools=tools))
    os.chmod(path, 0o600)
    return g.callgate("policy", "check", path)


PYTHON = "  box: {type: command, deny_by_default: true, allowed_commands: [python3, sh, ls, touch, git]}\n"


def seen_inside(d, tool="box"):
    got = d.call(tool, {"argv": ["python3", "-c", "import os, json; print(json.dumps(dict(os.environ)))"]})
    return json.loads(got.stdout)


@case("A26", "git variables of the environment")
def a26(g, way):
    g.put("notes.txt", "changed: answer\n")
    pairs = [f"{k}='{v}'" for k, v in GIT_ENV.items()]
    for pair in g.some(pairs, 1):
        for text in (f"{pair} git diff", f"export {pair}; git diff", f"env {pair} git diff"):
            g.attack(way, command=text, inside="tool", control=pair.startswith("GIT_EXTERNAL") and "'touch" in pair)
    g.attack(way, command="GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=diff.external GIT_CONFIG_VALUE_0='touch {C}' git diff",
             inside="tool", control=True)
    if way != "child":
        g.neighbour({"command": "git status"})
        environments(g, way, GIT_ENV, "git diff")
    if way == "tool":
        with g.daemon(env={k: v.replace("{C}", f"{g.outside}/env") for k, v in GIT_ENV.items()},
                      tools=PYTHON) as d:
            d.put("notes.txt", "changed: answer\n")
            got = d.attack("tool", command="git diff", tool="box", expect=COMPLETED)
            check("the daemon's own variables change git", "changed: answer" in got.stdout, got)
            check("they are passed on", not set(GIT_ENV) & set(seen_inside(d)), seen_inside(d))
            check("and run", not os.path.lexists(f"{g.outside}/env"))


@case("A28", "tar that runs programs")
def a28(g, way):
    lines = ["tar -cf /dev/null x --checkpoint=1 --checkpoint-action=exec='touch {C}'",
             "tar cf /dev/null x --checkpoint-action=exec='touch {C}' --checkpoint=1",
             "tar -cf y.tar -I 'touch {C};:' x", "tar -c -f y.tar --use-compress-program='touch {C};:' x",
             "tar cf y.tar --to-command='touch {C}' x", "tar xf a.tar --to-command='touch {C}'",
             "tar cf localhost:y --rsh-command='touch {C};:' x", "tar -cf /dev/null x --checkpoint=1 --checkpoint-act=exec='touch {C}'",
             "tar -cf y.tar -F 'touch {C}' -L 1 -M x", "tar -cf y.tar --info-script='touch {C}' -L 1 -M x",
             "tar --new-volume-script='touch {C}' -M -L 1 -cf y.tar x", "tar xf a.tar --use-comp='touch {C};:'",
             "tar -xf a.tar -C {O}", "tar -cf {C} x", "tar --create --file={C} x", "tar -rf {C} x",
             "tar cPf y.tar {F}", "tar -cf y.tar -T {F}", "tar xPf a.tar"]
    g.put("a.tar", "")
    for n, text in enumerate(g.some(lines)):
        g.attack(way, command=text, control=n < 2, inside="tool" if n > 11 else True)
        # A pack reads it; writing an archive within the workspace is an ordinary thing.
        g.attack(way, command=text, tool="wide", ask="ask_wide", expect=HELD_BACK if n < 12 else HELD_BACK | RAN,
                 inside=n < 12)


@case("A29", "search tools that run programs or read elsewhere")
def a29(g, way):
    evil(g)
    for text in g.some(("rg --pre ./evil/ls x", "rg --pre='touch {C};' x", "rg --hostname-bin ./evil/ls x", "fd -x touch {C}",
                        "fd --exec touch {C}", "fdfind -X touch {C}", "ag --pager 'touch {C}' x",
                        "ack --pager='touch {C}' x", "rg -z --search-zip x --pre-glob '*' --pre ./evil/ls"), 3):
        g.attack(way, command=text)
        if text.startswith("rg") and has("rg"):
            g.attack(way, command=text, tool="wide", ask="ask_wide", expect=HELD_BACK)
    for text in g.some(("grep -f {F} notes.txt", "grep '' {F}", "cat {F}", "cat notes.txt {F}", "grep -r secret {O}",
                        "cat -- {F}", "grep -rh '' /proc/1/root{F}", "ls -la {O}", "find {O} -name secret",
                        "find {O} -name secret -printf %s", "cat ../../{O}/secret", "grep -r '' ../..",
                        "cat /proc/self/root{F}", "git diff --no-index x {F}", "grep --file={F} -v x"), 3):
        got = g.attack(way, command=text, expect=RAN)
        check("a name from outside is seen", way == "neighbour" or "canary" not in got.stdout, got)
    g.put("link", "")
    os.unlink(f"{g.ws}/link")
    os.symlink(g.secret_file, f"{g.ws}/link")
    g.attack(way, command="cat link", expect=RAN, control=True)
    g.attack(way, command="grep -r '' .", expect=RAN)
    os.unlink(f"{g.ws}/link")


MAKEFILE = "all:\n\ttouch '$(C)'\n\tcurl -s http://127.0.0.1:$(T)/\n\t/usr/bin/touch '$(C)'\n"


@case("A31", "build tools run code")
def a31(g, way):
    g.put("Makefile", MAKEFILE)
    g.put("package.json", '{"scripts": {"x": "touch $C"}}')
    for text in g.some(("make C={C}", "npm run x", "npm test", "npx touch {C}", "go test -exec 'touch {C}'",
                        "cargo build", "cargo run", "pytest", "python3 -m pytest", "mvn package", "gradle build",
                        "cmake -P x", "ninja", "rake", "ant", "meson setup y", "pip install .", "yarn x", "pnpm x",
                        "tox", "bazel build x", "just", "gcc -wrapper touch,{C} x", "cc -x c x", "pip download x",
                        "go run x", "go generate", "perl Makefile.PL", "docker build ."), 3):
        g.attack(way, command=text, control=text.startswith("make") and way == "tool")
    if way == "tool":
        # Where a list has it, the policy's judge names it as what runs any code.
        done = check_policy(g, "  b: {type: command, deny_by_default: true, allowed_commands: [make]}")
        check("policy check does not name make as what runs code", re.search(r"make\b.*(code|program|command)", done.stdout + done.stderr), done.stdout + done.stderr)
    for words in g.some((["make", "C={C}", "T={T}"], ["make", "--eval=all: ; touch '{C}'"], ["make", "-f", "Makefile", "C={C}"],
                         ["make", "SHELL=/usr/bin/touch", ".SHELLFLAGS={C}"], ["make", "-C", ".", "C={C}"])):
        g.attack(way, argv=words, tool="wide", ask="ask_wide", expect=RAN | HELD_BACK)


@case("A32", "editors and pagers")
def a32(g, way):
    lines = ["sed '1e touch {C}' x", "sed -n '1w {C}' x", "sed 's|x|touch {C}|e' x", "sed -e 'w{C}' x", "sed 's/x/y/w {C}' x",
             "sed --expression='1e touch {C}' x", "sed -n -e1p -e 'W {C}' x", "sed -f - x", "sed -i.bak 's/x/y/e' x",
             "sed '1{e touch {C}\n}' x", "sed 'r {F}' x", "sed 'R {F}' x", "sed -n p {F}",
             "sed -s -e '$e touch {C}' x", "sed '1!{;};e touch {C}' x"]
    for n, text in enumerate(g.some(lines)):
        g.attack(way, command=text, stdin="1e touch {C}\n", control=n in (0, 1, 2, 3, 4, 5), inside="tool")
        g.attack(way, command=text, tool="wide", ask="ask_wide", stdin="1e touch {C}\n",
                 expect=HELD_BACK if not re.search("{F}|-i|-f -", text) else HELD_BACK | RAN, inside=False)
    for words in g.some((["vim", "-c", ":!touch {C}", "-c", ":q"], ["vi", "-es", "+!touch {C}", "+q"], ["view", "+!touch {C}"],
                         ["ed", "-s", "x"], ["ex", "x"], ["nano", "x"], ["emacs", "--batch", "--eval", "(shell-command \"touch {C}\")"],
                         ["less", "+!touch {C}", "x"], ["man", "-P", "touch {C}", "ls"], ["man", "-Hx", "ls"],
                         ["more", "x"], ["most", "x"], ["nvim", "-es", "+!touch {C}"], ["info", "ls"],
                         ["git", "-c", "core.editor=touch {C}", "commit"], ["psql", "-c", "\\! touch {C}"],
                         ["man", "--pager=touch {C}", "ls"], ["zip", "-T", "-TT", "touch {C}", "y", "x"]), 2):
        g.attack(way, argv=words, stdin="!touch {C}\n", expect=HELD_BACK)


@case("A34", "loader and interpreter variables")
def a34(g, way):
    for name in g.some(list(LOADER_ENV), 2):
        g.attack(way, command=f"{name}=./x ls", child_expect=RAN)
        if way != "child":
            g.attack(way, command=f"export {name}=./x")
    if way != "child":
        g.neighbour({"command": "git status"})
        environments(g, way, LOADER_ENV, "ls")
    if way == "tool":
        with g.daemon(env={k: v for k, v in LOADER_ENV.items() if not k.startswith(("LD_", "GLIBC", "MALLOC"))},
                      tools=PYTHON) as d:
            inside = seen_inside(d)
            check("passed on", not set(LOADER_ENV) & set(inside), inside)
            check("only what the manual names", set(inside) <= {"PATH", "HOME", "TMPDIR", "LANG", "USER", "PWD", "SHLVL", "_",
                                                               "LC_CTYPE", "OLDPWD"}, inside)
        for name in ("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "PATH", "CALLGATE_SOCKET"):
            done = check_policy(g, f"  b: {{type: command, deny_by_default: true, allowed_commands: [ls], env: {{{name}: /x}}}}")
            check(f"a policy may list {name}", done.returncode != 0 and name in done.stdout + done.stderr, done)


@case("A35", "a safe name, another file first in PATH")
def a35(g, way):
    evil(g)
    for text in g.some(("PATH=./evil:$PATH ls {C}", "env PATH={W}/evil:/usr/bin ls {C}", "./evil/ls {C}", "{W}/evil/ls {C}",
                        "evil/ls {C}", "evil/../evil/ls {C}", "/proc/self/cwd/evil/ls {C}", "../workspace/evil/ls {C}"), 3):
        g.attack(way, command=text, control="/proc" not in text and "../w" not in text and "{W}" not in text)
    if way == "tool":
        with g.daemon(env={"PATH": f"{g.ws}/evil:./evil:evil:/usr/bin"}, tools=PYTHON) as d:
            evil(d)
            got = d.attack("tool", command="ls {C}", tool="box", expect=COMPLETED)
            check("another ls", got.decisions[0]["program"] == "/usr/bin/ls", got.decisions)
            got = d.attack("tool", command="ls {C}", tool="box", cwd="evil", expect=COMPLETED)
            check("another ls", got.decisions[0]["program"] == "/usr/bin/ls", got.decisions)
    if way == "child":
        got = g.call("box", {"argv": ["python3", "-c", "import os; print(os.environ['PATH'])"]})
        check("PATH has a relative part", all(p.startswith("/") for p in got.stdout.strip().split(":")), got)


# Python that makes an allowed name of a forbidden program, within the call itself.
COPIES = """
import os, shutil, subprocess, sys
canary, how = sys.argv[1:]
for folder in (".", "/tmp", os.environ.get("HOME", "/tmp"), "/dev/shm", "/var/tmp"):
    name = folder + "/ls"
    try:
        os.path.lexists(name) and os.unlink(name)
        {"copy": shutil.copy, "link": os.link, "symlink": os.symlink,
         "rename": lambda a, b: os.rename(shutil.copy(a, b + "x"), b)}[how]("/usr/bin/touch", name)
        os.path.islink(name) or os.chmod(name, 0o755)
        subprocess.run([name, canary])
    except OSError as e:
        print(e.errno, folder)
    finally:
        try: os.unlink(name)
        except OSError: pass
"""


@case("A37", "copy, rename, symbolic and hard link")
def a37(g, way):
    g.put_program("/usr/bin/touch", "ls")
    os.path.lexists(f"{g.ws}/sl") or os.symlink("/usr/bin/touch", f"{g.ws}/sl")
    os.makedirs(f"{g.ws}/links", exist_ok=True)
    os.path.lexists(f"{g.ws}/links/ls") or os.symlink("/usr/bin/touch", f"{g.ws}/links/ls")
    for text in g.some(("./ls {C}", "{W}/ls {C}", "links/ls {C}", "./sl {C}", "{W}/links/ls {C}", ".//ls {C}", "ls/../ls {C}",
                        "cp /usr/bin/touch ./cat; ./cat {C}", "mv ls cat; ./cat {C}", "ln -s /usr/bin/touch cat; ./cat {C}",
                        "ln ls cat; ./cat {C}", "install /usr/bin/touch cat", "cat /usr/bin/touch > y; ./y {C}",
                        "dd if=/usr/bin/touch of=y", "rsync /usr/bin/touch y"), 3):
        g.attack(way, command=text, control=text.startswith("./"))
        g.attack(way, argv=text.split()) if ";" not in text and ">" not in text else None
    if way == "child":
        for how in g.some(("copy", "link", "symlink", "rename"), 1):
            for place in (g.outside, g.ws):
                canary = f"{place}/copied"
                g.call("box", {"argv": ["python3", "-c", COPIES, canary, how]})
                check(f"a {how} of touch ran", not os.path.lexists(canary))
    # One digest, one program: what stands under the name at launch is what was judged.
    if way == "tool":
        got = g.call("bash", {"command": "ls"})
        start = [r for r in got.records if r["type"] == "exec.start"]
        check("the digest of what ran is in the trail", re.fullmatch("[0-9a-f]{64}", start[0]["program_sha256"]), start)


@case("A38", "the loader as the program")
def a38(g, way):
    g.put_program(g.probe, "own")
    for words in g.some(([LOADER, "/usr/bin/touch", "{C}"], ["/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "/usr/bin/touch", "{C}"],
                         [LOADER, "--preload", "./x", "/usr/bin/ls"], [LOADER, "--argv0", "ls", "/usr/bin/touch", "{C}"],
                         [LOADER, "--library-path", ".", "/usr/bin/touch", "{C}"], ["ldd", "/usr/bin/touch"],
                         ["/lib64/../lib64/ld-linux-x86-64.so.2", "/usr/bin/touch", "{C}"], [LOADER, "./own", "make_file", "{C}"],
                         ["ld.so", "/usr/bin/touch", "{C}"], ["/usr/bin/ld.so", "/usr/bin/touch", "{C}"])):
        sure = words[0].startswith(("/lib", LOADER)) and "touch" in str(words[1]) + str(words[-2]) and "ldd" not in words
        g.attack(way, argv=words, control=sure)
        if sure:
            g.attack(way, command=" ".join(words))


@case("A40", "the interpreter of a script")
def a40(g, way):
    scripts = {"s1": "#!/usr/bin/env -S touch\n", "s2": "#!/usr/bin/touch\n", "s3": "#!/bin/sh\ntouch \"$1\"\n",
               "s4": "#! /usr/bin/env touch\n", "s5": "#!/usr/bin/perl\nopen F, '>', $ARGV[0]\n", "s6": "touch \"$1\"\n",
               "s7": "#!./own make_file\n", "s8": "#!/bin/sh -c touch\ntouch \"$1\"\n", "s9": "#!/usr/bin/python3\nimport os,sys\nos.execv('/usr/bin/touch', ['touch', sys.argv[1]])\n"}
    g.put_program(g.probe, "own")
    os.makedirs(f"{g.ws}/bin", exist_ok=True)
    for name, text in scripts.items():
        g.put(name, text, 0o755)
        g.put(f"bin/{name}-ls", text, 0o755)
    g.put("ls", scripts["s1"], 0o755)
    for name in g.some(("ls", *scripts), 3):
        g.attack(way, argv=[f"./{name}", "{C}"], control=name not in ("ls", "s6", "s8"))
        g.attack(way, command=f"{{W}}/{name} {{C}}")
        if way == "child":
            for shell in ("sh", "bash", "python3"):
                g.attack(way, argv=[shell, f"./{name}", "{C}"])
    g.attack(way, command="echo ':x:E::y::/bin/sh:' > /proc/sys/fs/binfmt_misc/register")


@case("A41", "argv[0] is another name")
def a41(g, way):
    for text in g.some(("exec -a ls touch {C}", "exec -a /usr/bin/ls /usr/bin/touch {C}", "(exec -a cat touch {C})",
                        "exec -l -a git touch {C}"), 2):
        g.attack(way, command=text, control=True)
    for words in g.some(([g.probe, "as_name", "ls", "/usr/bin/touch", "{C}"], [g.probe, "as_name", "sh", "/usr/bin/bash", "-c", "touch {C}"],
                         [g.probe, "as_name", "", "/usr/bin/touch", "{C}"], [g.probe, "as_name", "/usr/bin/git", "/usr/bin/touch", "{C}"]), 2):
        g.attack(way, argv=words, control=True)
        if way == "tool":
            g.attack(way, argv=words, tool="probe", expect=RAN)
    if way == "child":
        code = "import os, sys; os.execv('/usr/bin/touch', ['ls', sys.argv[1]])"
        g.attack(way, argv=["python3", "-c", code, "{C}"], control=True)


@case("A43", "operands that look like options", ways=("tool", "neighbour"))
def a43(g, way):
    if way == "neighbour":
        g.neighbour({"host": "example.org"}, "ask_host")
    for value in g.some(("-oProxyCommand=touch {C}", "-n", "--", "-", "--help", "-e\\x41", "--output={C}", "-oProxyCommand=x"), 3):
        for arguments in ({"host": value}, {"host": "a", "words": [value]}, {"host": "a", "words": ["a", "b", value]}):
            got = g.attack(way, args=arguments, tool="host", ask="ask_host", expect=INVALID, neighbour={"host": "example.org"})
            check("the dash is named", "-" in got.text, got)
    for value in g.some(("../x", "/etc/passwd", "-x", "a/../../x", "{F}", "./../x", "..", "x/..//../y"), 4):
        g.attack(way, args={"host": "a", "file": value}, tool="host", ask="ask_host", expect=INVALID, neighbour={"host": "example.org"})
    for value in g.some(("a b", "a;touch {C}", "$(touch {C})", "`touch {C}`", "a\ntouch {C}", "@{F}", "*", "~", "{host}", "{{host}}")):
        got = g.attack(way, args={"host": value}, tool="host", ask="ask_host", expect=RAN, neighbour={"host": "example.org"})
        if way == "tool" and "{C}" not in value and "{F}" not in value:
            check("not one argument, as it was given", got.stdout == value + "\n", got)
    g.put("-x", "dash\n")
    got = g.attack(way, command="cat -- -x", expect=RAN)
    check("-- ends the options", way != "tool" or got.stdout == "dash\n", got)
    for words in (["cat", "--", "-x"], ["grep", "-e", "dash", "--", "-x"]):
        g.attack(way, argv=words, expect=RAN)


@case("A44", "NUL and invalid UTF-8 in JSON", ways=("tool", "neighbour"))
def a44(g, way):
    tool = {"tool": "bash", "neighbour": "ask"}[way]
    if way == "neighbour":
        g.neighbour({"command": "git status"})
    canary = f"{g.outside}/nul"
    forms = [rb'{"command":"ls\u0000;touch %s"}', rb'{"argv":["ls","\u0000touch %s"]}', rb'{"argv":["ls\u0000"]}',
             b'{"command":"ls\x00;touch %s"}', rb'{"command":"ls \ud800 %s"}', rb'{"command":"ls \udc00\ud800 %s"}',
             b'{"command":"ls \xff;touch %s"}', b'{"command":"ls \xc0\xaf %s"}', b'{"command":"ls \xed\xa0\x80 %s"}',
             b'{"command":"ls \xf5\x80\x80\x80 %s"}', rb'{"command":"git status\u0000%s"}', rb'{"comm\u0000and":"ls %s"}',
             rb'{"argv":["git","status\u0000","%s"]}', b'{"command":"ls \xf0\x9f %s"}', rb'{"command":"ls","stdin":"\u0000%s"}',
             rb'{"command":"ls","cwd":".\u0000%s"}']
    for n, form in enumerate(g.some(forms, 4)):
        arguments = form.replace(b"%s", canary.encode())
        before = len(g.records("exec.start"))
        c = g.connect()
        c.raw(b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s","arguments":%s}}\n'
              % (n + 1, tool.encode(), arguments))
        c.raw(b'{"jsonrpc":"2.0","id":99,"method":"ping"}\n')
        c.wait(99)
        answers = list(c.answers.values())
        check("not one answer", len(answers) == 1, (form, answers))
        said = answers[0].get("error") or answers[0]["result"]
        check("it was taken", "error" in answers[0] or said["_meta"]["callgate/call"]["decision"] == "deny", answers)
        check("it was run", len(g.records("exec.start")) == before, form)
        check("a canary", not os.path.lexists(canary), form)
        c.close()
        g.serving()


REACH = """
import errno, socket, sys
tcp, udp, stream, dgram, abstract = sys.argv[1:]
kinds = [(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(tcp))), (socket.AF_INET, socket.SOCK_STREAM, ("10.0.0.1", 80)),
         (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int(udp))), (socket.AF_UNIX, socket.SOCK_STREAM, stream),
         (socket.AF_UNIX, socket.SOCK_DGRAM, dgram), (socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + abstract),
         (socket.AF_UNIX, socket.SOCK_DGRAM, "\\0" + abstract + "-d"),
         (socket.AF_INET6, socket.SOCK_STREAM, ("::ffff:127.0.0.1", int(tcp)))]
for family, kind, address in kinds:
    try:
        s = socket.socket(family, kind)
        s.settimeout(5)
        s.connect(address)
        s.sendall(b"x")
        print("reached", address)
    except OSError as e:
        print("held", errno.errorcode.get(e.errno, e))
"""


@case("A46", "network by builtins and sockets")
def a46(g, way):
    for text in g.some(("exec 3<>/dev/tcp/127.0.0.1/{T}", "cat < /dev/tcp/127.0.0.1/{T}", "echo x > /dev/udp/127.0.0.1/{U}",
                        "echo x >/dev/tcp/localhost/{T}", "exec 3<>/dev/tcp/127.1/{T}; echo x >&3",
                        "cat </dev/tcp/0/{T}", "curl http://127.0.0.1:{T}/", "wget http://127.0.0.1:{T}/",
                        "nc 127.0.0.1 {T}", "socat - TCP:127.0.0.1:{T}", "telnet 127.0.0.1 {T}",
                        "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\",{T}))'",
                        "git ls-remote http://127.0.0.1:{T}/x", "openssl s_client -connect 127.0.0.1:{T}"), 3):
        g.attack(way, command=text, expect=HELD_BACK, control=text.startswith(("exec", "cat", "echo", "curl")) and "0/{T}" not in text)
    got = g.attack(way, argv=["python3", "-c", REACH, "{T}", "{U}", "{S}", "{D}", "{A}"], control=True)
    if way == "child":
        check("an address was reached", "reached" not in got.stdout and got.stdout.count("held") == 8, got)
        # Landlock is asked first where it knows the network (EACCES); behind it there is no route.
        check("inet does not end at a wall", g.off or all(
            w in ("EACCES", "ENETUNREACH", "EAFNOSUPPORT") for w in got.stdout.split()[1::2]), got)


@case("A47", "another daemon is asked to run it")
def a47(g, way):
    for text in g.some(("systemd-run touch {C}", "systemd-run --user touch {C}", "at now -f x", "batch", "crontab x", "crontab -l",
                        "dbus-send --system --print-reply --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 x.y",
                        "gdbus call --session -d a -o /b -m c", "busctl list", "docker run -v /:/h x touch /h{C}",
                        "podman run x", "ctr run x", "kubectl exec x", "machinectl shell", "loginctl list-sessions",
                        "run-parts .", "ssh localhost touch {C}", "sudo touch {C}", "su -c 'touch {C}'", "pkexec touch {C}",
                        "screen -dm touch {C}", "tmux new -d 'touch {C}'", "emacsclient -e 1", "git daemon", "lxc exec x",
                        "nsenter -t 1 -a touch {C}", "service x start", "systemctl start x", "logger x", "wall x", "mail root"), 3):
        g.attack(way, command=text, expect=HELD_BACK)
    if way == "child":
        code = ("import socket\nfor p in ('/run/systemd/private', '/run/dbus/system_bus_socket', '/var/run/docker.sock', "
                "'/run/containerd/containerd.sock', '/run/user/0/bus', '/var/run/crond.pid', '/dev/log', "
                "'/run/systemd/journal/socket', %r, '{S}', '{D}'):\n"
                " for k in (1, 2, 5):\n  try:\n   s = socket.socket(1, k); s.connect(p); print('reached', p)\n"
                "  except OSError as e: print('held', e.errno)\n") % g.socket_path
        got = g.attack(way, argv=["python3", "-c", code])
        check("a daemon was reached", "reached" not in got.stdout and "held" in got.stdout, got)
        got = g.attack(way, command="echo x > /var/spool/cron/crontabs/root; echo x > /etc/cron.d/x; : > /run/x", shell="sh")
        check("a table of cron was written", not os.path.exists("/etc/cron.d/x") and not os.path.exists("/run/x"), got)


@case("A49", "names that are shell text")
def a49(g, way):
    names = ["x; touch canary-name", "$(touch canary-name)", "`touch canary-name`", "x\ntouch canary-name", "x && touch canary-name #",
             "' ; touch canary-name; '", '" ; touch canary-name; "', "-rf", "--help"]
    for name in g.some(names, 3):
        if way == "child" or "\n" not in name:
            os.makedirs(f"{g.ws}/{name}", exist_ok=True)
        g.attack(way, command="ls", cwd=None if way == "child" else name, expect=RAN | HELD_BACK, child_expect=RAN)
        if way == "child":
            g.attack(way, argv=["sh", "-c", 'cd "$1" && ls', "sh", f"./{name}"])
        for meta in ({"callgate/agent": name}, {"callgate/namespace": name}):
            got = g.request("bash", {"command": "ls"}, meta=meta)
            check("a name that is no name was taken", got.error or got.decision == "deny", (meta, got))
    found = [os.path.join(p, f) for p, _, files in os.walk(g.ws) for f in files if f == "canary-name"]
    check("a name was run", not found and not os.path.exists(f"{g.home}/canary-name"), found)
    if way == "tool":
        for name in g.some(names[:3], 1):
            with g.daemon(policy=g.policy(tools=PYTHON).replace("./workspace", json.dumps(f"./{name}")),
                          prepare=lambda d: os.makedirs(f"{d.home}/{name}")) as d:
                for text in ("ls", "sh -c 'ls; ls'", "ls; ls"):
                    got = d.call("box", {"command": text})
                    check("the call did not run", got.outcome == "completed", got)
                found = [os.path.join(p, f) for p, _, files in os.walk(d.home) for f in files if f == "canary-name"]
                check("the workspace's name was run", not found, found)


@case("A50", "a grandchild is judged too")
def a50(g, way):
    g.put("Makefile", MAKEFILE)
    g.put("evil.mk", "all:\n\t-curl -s http://127.0.0.1:$(T)/\n\t-sh -c 'touch $(C)'\n\t-python3 -c \"open('$(C)', 'w')\"\n"
                     "\t-env touch $(C)\n\t-xargs touch <<< $(C)\n\t-cp x $(C)\n\t-find . -maxdepth 0 -exec touch $(C) ';'\n")
    for words in g.some((["make", "C={C}", "T={T}"], ["make", "-k", "-f", "evil.mk", "C={C}", "T={T}"],
                         ["make", "-j4", "-k", "-f", "evil.mk", "C={C}", "T={T}"], ["find", "x", "-exec", "curl", "http://127.0.0.1:{T}/", ";"],
                         ["xargs", "-a", "x", "curl", "http://127.0.0.1:{T}/"], ["env", "curl", "http://127.0.0.1:{T}/"])):
        g.attack(way, argv=words, tool="wide", ask="ask_wide", expect=RAN | HELD_BACK, inside="evil.mk" not in str(words) or "tool",
                       control=words[0] == "make")
