"""Section A, first half: what the words of a command line may say. Each list is one class: many
spellings of the same attack."""
import shutil

from harness import ANY, DENY, HELD_BACK, INVALID, RAN, case, check


def has(program):
    """Whether the host has it: what is not there has no effect without callgate either."""
    return shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin") is not None


@case("A01", "separators", control=True)
def a01(g, way):
    for text in g.some(("ls; touch {C}", "ls && touch {C}", "false || touch {C}", "ls | touch {C}",
                        "ls\ntouch {C}", "ls;touch {C};", "ls |& touch {C}", "(touch {C})",
                        "{ touch {C}; }", "! touch {C}", "ls;\n\ttouch {C}", "if touch {C}; then ls; fi",
                        "while touch {C}; do break; done", "for i in {C}; do touch $i; done",
                        "case x in x) touch {C};; esac", "[[ -e x ]] && touch {C}", "time touch {C}")):
        g.attack(way, command=text)


@case("A02", "ampersand and process substitution", control=True)
def a02(g, way):
    for text in g.some(("ls & touch {C}", "cat <(touch {C})", "ls > >(touch {C})", "echo $(touch {C})",
                        "echo `touch {C}`", 'echo "$(touch {C})"', 'echo "`touch {C}`"',
                        "echo ${x:-$(touch {C})}", "echo $((a[$(touch {C})]))", "coproc touch {C}; wait",
                        "cat <<<$(touch {C})", "cat <<E\n$(touch {C})\nE", "touch {C} & wait",
                        "ls 2> >(touch {C})", "echo ${x=`touch {C}`}", "ls &>/dev/null & touch {C}")):
        g.attack(way, command=text)


@case("A04", "control bytes and other white space")
def a04(g, way):
    odd = [chr(n) for n in (*range(1, 9), 11, 12, 13, *range(14, 32), 127)]
    odd += ["\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u3000", "\ufeff",
            "\u200b", "\u180e"]
    for sign in g.some(odd[:3] + odd[8:12] + odd[30:] if way == "child" else odd, 3):
        g.attack(way, command=f"ls{sign}touch {{C}}", child_expect=RAN | DENY)
        if way != "child":
            got = g.attack(way, argv=[f"ls{sign}", "touch", "{C}"])
            check("who approves must be told which sign", sign not in got.text or sign > "\u00a0", got)
        g.attack(way, command=f"ls{sign};{sign}touch {{C}}", child_expect=RAN | DENY)


@case("A05", "redirection as write")
def a05(g, way):
    for text in g.some(("echo x > {C}", "echo x >> {C}", "echo x >| {C}", "echo x &> {C}", "echo x &>> {C}",
                        "cat <> {C}", "echo x 1>{C}", "> {C}", ": > {C}", "echo x >& {C}", "echo x>{C}",
                        "exec > {C}", "{ echo x; } > {C}", "echo x 3>{C} >&3", "printf x >'{C}'",
                        "echo > \"{C}\" x", ">{C} echo x", "cat notes.txt > {C}")):
        g.attack(way, command=text, inside="tool", control=True)
    for text in g.some(("echo x > $HOME/.bashrc", "echo x > ~/.bashrc", "echo x >> /etc/profile",
                        "echo x > /usr/bin/ls", "echo x > ../callgate.yaml", "echo x >{F}"), 1):
        g.attack(way, command=text)


@case("A07", "quote splitting", control=True)
def a07(g, way):
    for text in g.some(("'to''uch' {C}", "t\\ouch {C}", "t$@ouch {C}", "$'\\x74ouch' {C}", '"tou"ch {C}',
                        "to\"u\"'c'h {C}", '$"touch" {C}', 'tou""ch {C}', "t${x}ouch {C}", "t$*ouch {C}",
                        "tou\\\nch {C}", "/usr/bin/to?ch {C}", "/???/bin/touc[h] {C}", "{touch,{C}}",
                        "/usr/bin/../bin/touch {C}", "//usr//bin//touch {C}", "$'touch' {C}",
                        "/usr/bin/tou* {C}", "\\t\\o\\u\\c\\h {C}", "$'\\164\\157\\165ch' {C}",
                        "'touch' '{C}'", "t''o''u''c''h {C}")):
        g.attack(way, command=text)


@case("A08", "the command word is put together", control=True)
def a08(g, way):
    for text in g.some(("a=tou;b=ch;$a$b {C}", "read a <<< touch; $a {C}", 'a=touch; "$a" {C}',
                        "${a:-touch} {C}", "x=({C} touch); ${x[1]} ${x[0]}", "printf -v a touch; $a {C}",
                        "IFS=,;a=touch,{C};$a", 'set -- touch {C}; "$@"', 'eval "tou""ch {C}"',
                        "declare a=touch; $a {C}", 'ls; "$BASH" -c "touch {C}"', "a=hcuot_; ${a//hcuot_/touch} {C}",
                        "a=xtouchx; ${a:1:5} {C}", "a=TOUCH; ${a,,} {C}", "b=touch; a=b; ${!a} {C}",
                        "a[0]=touch; $a {C}", "$(printf touch) {C}", "`echo touch` {C}",
                        "$(echo hcuot | rev) {C}", "mapfile -t a <<< touch; ${a[0]} {C}")):
        g.attack(way, command=text)
    g.attack(way, argv=["$a", "{C}"], control=False)


@case("A10", "decode and run", control=True)
def a10(g, way):
    for text in g.some(("echo {B} | base64 -d | sh", "printf '\\164\\157\\165\\143\\150 {C}' | sh",
                        "sh -c \"$(echo {B} | base64 -d)\"", "eval $(echo {B} | base64 -d)",
                        "base64 -d <<< {B} | bash", "echo 'touch {C}' | tac | bash", "sh <(echo {B} | base64 -d)",
                        "echo 'gbhpu {C}' | sed s/gbhpu/touch/ | sh", "echo 'touch {C}' | python3 -c "
                        "'import os,sys; os.system(sys.stdin.read())'",
                        "echo '{C}' | xargs -I% sh -c 'touch %'", ". <(echo {B} | base64 -d)")):
        g.attack(way, command=text)


@case("A11", "here-documents to an interpreter", control=True)
def a11(g, way):
    for text in g.some(("cat <<E | sh\ntouch {C}\nE", "sh <<<'touch {C}'", "sh <<E\ntouch {C}\nE",
                        "bash -s <<'E'\ntouch {C}\nE", "cat <<-E|bash\n\ttouch {C}\nE",
                        ". /dev/stdin <<<'touch {C}'", "source <(echo touch {C})",
                        "bash <<E -s\ntouch {C}\nE", "env sh <<<'touch {C}'")):
        g.attack(way, command=text)
    for shell in g.some(("sh", "bash", "dash"), 1):
        g.attack(way, command=shell, stdin="touch {C}\n")
        g.attack(way, argv=[shell, "-s"], stdin="touch {C}\n")
    g.attack(way, command="python3 <<E\nopen('{C}', 'w')\nE", inside="tool")
    g.attack(way, command="python3 -", stdin="open('{C}', 'w')\n", inside="tool")


def evil(g):
    """A program of the workspace that does what it is told: evil/ls FILE."""
    g.put("evil/ls", '#!/bin/sh\n/usr/bin/touch "$1"\n', 0o755)


@case("A13", "builtins that poison the environment", control=True)
def a13(g, way):
    evil(g)
    for text in g.some(("export PATH=./evil:$PATH; ls {C}", "PATH=./evil:$PATH ls {C}",
                        "typeset -x PATH=./evil:$PATH; ls {C}", "declare -x PATH=./evil:$PATH; ls {C}",
                        "hash -p ./evil/ls ls; ls {C}", "BASH_CMDS[ls]=./evil/ls; ls {C}",
                        "cd evil && ./ls {C}", "cd evil; PATH=. ls {C}", "readonly PATH=./evil; ls {C}",
                        "env PATH=./evil:$PATH ls {C}", "PATH=./evil; ls {C}", "local_=1; PATH+=:.; ./evil/ls {C}",
                        "printf -v PATH %s ./evil; ls {C}", "read PATH <<< ./evil; ls {C}",
                        "trap 'touch {C}' EXIT", "PS4='$(touch {C})'; set -x; ls",
                        "command_not_found_handle() { touch {C}; }; nothing",
                        "BASH_ENV=<(echo touch {C}) bash -c ls", "for PATH in ./evil; do ls {C}; done",
                        "alias ls='touch {C}'; shopt -s expand_aliases; eval ls",
                        "mapfile -C 'touch {C}; :' -c 1 < x")):
        g.attack(way, command=text)
    for text in g.some(("declare -x LD_PRELOAD=./x; ls", "export LD_AUDIT=./x; ls", "LD_PRELOAD=./x ls",
                        "enable -f ./x x"), 1):
        g.attack(way, command=text, control=False)
    # The environment of a call is the daemon's word alone, whatever an earlier call has done.
    got = g.call("box", {"command": "python3 -c 'import os; print(os.environ[\"PATH\"])'"})
    check("PATH is of the system", all(p.startswith(("/usr/", "/bin", "/sbin"))
                                       for p in got.stdout.strip().split(":")), got.stdout)


@case("A14", "functions and aliases that shadow", control=True)
def a14(g, way):
    for text in g.some(("ls(){ touch {C}; }; ls", "function ls { touch {C}; }; ls", "ls() ( touch {C} ); ls",
                        "ls()\n{ touch {C}\n}\nls", "shopt -s expand_aliases\nalias ls='touch {C} #'\nls",
                        "echo() { command touch {C}; }; echo x", "cat(){ /usr/bin/touch {C};}; cat notes.txt",
                        "ls () if :; then touch {C}; fi; ls")):
        g.attack(way, command=text)


# What runs another program, as words in front of it; None: not tried on the host.
WRAPPERS = ("env", "nohup", "nice", "nice -n 10", "timeout 5", "stdbuf -o0", "setsid -w", "ionice", "flock ./lock",
            "xargs -a /dev/null", "strace -o /dev/null", "setarch -R", "linux64", "taskset 1", "chrt -o 0",
            "prlimit --nofile=64", "command", "exec", "builtin command", "time", "sudo", "doas", "unshare",
            "chroot /", "runuser -u nobody --", "setpriv --no-new-privs", "nsenter -t 1 -m", "watch -n1 -g",
            "catchsegv", "ltrace", "chronic", "unbuffer", "parallel", "env -i", "env A=b", "env -u A", "env --",
            "nohup nice env", "fakeroot", "sg root -c", "uclampset -a", "choom -n 0 --", "pkexec",
            "systemd-inhibit", "dbus-run-session --", "unshare -r", "bwrap --bind / /", "script -qc", "su -c",
            "start-stop-daemon -S -x", "busybox", "numactl", "cpulimit -l 50 --", "perf stat", "gdb --args",
            "valgrind", "faketime now", "proot", "firejail", "tini --", "gosu nobody", "daemonize", "at now -f")
PROVED = {"env", "nohup", "nice", "nice -n 10", "timeout 5", "stdbuf -o0", "setsid -w", "ionice", "xargs -a /dev/null",
          "linux64", "command", "exec", "builtin command", "time", "env -i", "env A=b", "env -u A", "env --",
          "nohup nice env", "setpriv --no-new-privs", "prlimit --nofile=64", "setarch -R"}


@case("A16", "wrappers")
def a16(g, way):
    for words in g.some(WRAPPERS, 3):
        g.attack(way, command=f"{words} touch {{C}}", control=words in PROVED and has(words.split()[0]) or
                 words in PROVED and words.split()[0] in ("command", "exec", "builtin", "time"))
        if words.split()[0] not in ("command", "exec", "builtin", "time"):
            g.attack(way, argv=[*words.split(), "touch", "{C}"])
    for text in g.some(("script -qc 'touch {C}' /dev/null", "flock ./lock -c 'touch {C}'", "echo {C} | xargs touch",
                        "xargs touch <<< {C}", "find . -maxdepth 0 -exec touch {C} ';'",
                        "find x -exec touch {C} {} +", "find . -maxdepth 0 -execdir touch {C} \\;",
                        "env -C . touch {C}", "find x -fprint {C}", "find . -fls {C}",
                        "find . -fprintf {C} x", "find x -ok touch {C} ;"), 2):
        g.attack(way, command=text, expect=HELD_BACK, control="-ok" not in text and "script" not in text,
                 inside="tool" if "-f" in text and "flock" not in text else True)
    # Wrappers that the policy lists, read by their packs: the inner command is judged.
    for text in g.some(("env touch {C}", "env -i A=b touch {C}", "xargs touch {C}", "find . -exec env touch {C} ;",
                        "env env touch {C}", "xargs env -- touch {C}", "env xargs -n1 touch {C}",
                        "env -u A find . -exec touch {C} ;", "sort --compress-program=touch -o {C} x",
                        "xargs -I% touch {C}", "env -C / touch {C}"), 2):
        g.attack(way, command=text, tool="wide", ask="ask_wide", expect=HELD_BACK,
                 inside="tool" if text.startswith("sort") else True)


@case("A17", "env -S", control=True)
def a17(g, way):
    for tool, ask in (("bash", "ask"), ("wide", "ask_wide")):
        for words in g.some((["env", "-S", "touch {C}"], ["env", "-Stouch {C}"], ["env", "-iS", "touch {C}"],
                             ["env", "--split-string=touch {C}"], ["env", "--split-string", "touch {C}"],
                             ["env", "-vS", "touch {C}"], ["env", "-i", "-Stouch", "{C}"], ["env", "--split=touch {C}"],
                             ["env", "--s=touch {C}"], ["env", "A=b", "env", "-S", "touch\\_{C}"],
                             ["env", "-u", "A", "-S", "touch {C}"])):
            g.attack(way, argv=words, tool=tool, ask=ask, expect=HELD_BACK)
        g.attack(way, command="env -S 'touch '{C}", tool=tool, ask=ask, expect=HELD_BACK)
        g.attack(way, command="env -Stouch {C}", tool=tool, ask=ask, expect=HELD_BACK)


@case("A19", "a grant for always drops no argument", ways=("neighbour",))
def a19(g, way):
    g.neighbour({"command": "git status"})
    # The same call in another form may be the same plan; none of these is the same call.
    for call in g.some(({"command": "git push"}, {"command": "git status --short"}, {"command": "git"},
                        {"command": "git status", "cwd": "evil"}, {"command": "git status", "stdin": "x"},
                        {"command": "git status ."}, {"command": "git log"}, {"argv": ["git", "status", ""]},
                        {"argv": ["git", "status "]}, {"argv": ["git", "", "status"]},
                        {"command": "git -P status"}, {"argv": ["git", "status", "x"]})):
        evil(g)
        got = g.call("ask", call)
        g.deny(got.approval) if got.approval else None
        check("the grant stood for another call", got.meta.get("by") != "grant" and
              got.outcome in ("pending", "refused"), (call, got))
    g.neighbour({"command": "cat notes.txt"})
    for text in ("cat {F}", "cat notes.txt {F}", "cat notes.txt; cat {F}", "cat notes.txt | cat {F}"):
        g.attack(way, command=text, neighbour={"command": "cat notes.txt"})
    # Another agent's, another tool's, another connection's grants are told by the trail.
    g.neighbour({"command": "cat x"})
    other = g.call("ask_wide", {"command": "cat x"})
    g.deny(other.approval)
    check("the grant stood for another tool", other.outcome == "pending", other)


@case("A20", "multi-call programs")
def a20(g, way):
    g.put_program(g.probe, "busybox")
    for words in g.some((["busybox", "touch", "{C}"], ["toybox", "touch", "{C}"], ["busybox", "sh", "-c", "touch {C}"],
                         ["coreutils", "--coreutils-prog=touch", "{C}"], ["./busybox", "make_file", "{C}"],
                         ["{W}/busybox", "make_file", "{C}"], ["sbase-box", "touch", "{C}"],
                         ["uutils", "touch", "{C}"], ["busybox", "--install", "{O}"]), 5):
        g.attack(way, argv=words, control="make_file" in words and words[0] == "./busybox" and way == "tool")


@case("A22", "interpreters")
def a22(g, way):
    shells = [["perl", "-e", "open F, '>', '{C}'"], ["awk", "BEGIN{system(\"touch {C}\")}"],
              ["mawk", "BEGIN{print > \"{C}\"}"], ["gawk", "BEGIN{print > \"{C}\"}"],
              ["node", "-e", "require('fs').writeFileSync('{C}','')"], ["lua", "-e", "io.open('{C}','w')"],
              ["ruby", "-e", "File.write('{C}','')"], ["php", "-r", "touch('{C}');"], ["tclsh"],
              ["dash", "-c", "touch {C}"], ["zsh", "-c", "touch {C}"], ["ksh", "-c", "touch {C}"],
              ["perl", "-MPOSIX", "-e", "system 'touch {C}'"], ["ed", "-s"], ["dc", "-e", "!touch {C}"],
              ["gdb", "-batch", "-ex", "shell touch {C}"], ["vim", "-es", "-c", "!touch {C}", "-c", "q"],
              ["m4", "-"], ["sqlite3", ":memory:", ".shell touch {C}"], ["expect", "-c", "exec touch {C}"],
              ["guile", "-c", "(system \"touch {C}\")"], ["R", "-e", "file.create('{C}')"],
              ["rbash", "-c", "touch {C}"], ["busybox", "sh", "-c", "touch {C}"], ["pypy3", "-c", "open('{C}','w')"],
              ["python", "-c", "open('{C}','w')"], ["python3.11", "-c", "open('{C}','w')"], ["perl5.36.0", "-e", "0"]]
    sure = {"perl", "awk", "mawk", "node", "dash", "dc"}
    for words in g.some(shells, 3):
        g.attack(way, argv=words, inside="tool" if words[0].startswith("python") else True,
                 control=words[0] in sure and has(words[0]) and "{C}" in str(words),
                 stdin="syscmd(`touch {C}')\n!touch {C}\n")
    for words in g.some((["python3", "-c", "open('{C}','w')"], ["sh", "-c", ": > {C}"], ["bash", "-c", ": > {C}"],
                         ["python3", "-m", "compileall"], ["/usr/bin/python3", "-c", "open('{C}','w')"],
                         ["python3", "-c", "import os; os.system('touch {C}')"]), 2):
        g.attack(way, argv=words, inside="tool", control="compileall" not in words)
