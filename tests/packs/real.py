#!/usr/bin/env python3
"""usage: real.py READER
Readings of argvs by the packs beside what the real programs do with them, in a scratch folder.

Four comparisons. Beginnings: which of a long option a program takes. Arity: for every option of a
program, whether it takes a word, as its complaint about a missing one tells. Resolution: which
option each beginning of a git option means. Commands: for argvs made at random from a fixed seed,
what xargs, env and find start, what make takes for targets and variables, and what git takes for
its subcommand. A reading that doubts is always right: it is asked about. A program that refuses an
argv settles nothing.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

READER = os.path.abspath(sys.argv[1])
MISSING = re.compile(
    r"requires an? (argument|value)|needs an argument|missing argument|invalid argument")
UNKNOWN = re.compile(
    r"^usage:|unrecognized|unknown|invalid option|ambiguous|illegal option|not a valid|"
    r"no such option")
counts = {}
failures = []


def fail(text):
    failures.append(text)


class Reading:
    def __init__(self, line):
        self.options, self.operands, self.assignments, self.inner, self.doubts = [], [], [], [], []
        self.subcommand = None
        for field in line.split("\t"):
            kind, text = field[0], field[1:]
            if kind == "V":
                self.verdict = text
            elif kind == "S":
                self.subcommand = text
            elif kind == "O":
                self.options.append(text.partition("="))
            elif kind == "W":
                self.operands.append(text)
            elif kind == "A":
                self.assignments.append(text)
            elif kind == "D":
                self.doubts.append(int(text))
            elif kind == "I":
                self.inner.append(text.split("\1"))


UNKNOWN_OPTION, AMBIGUOUS, MISSING_VALUE = 1, 2, 3


def read(pack, argvs):
    text = "".join("\t".join(argv) + "\n" for argv in argvs)
    done = subprocess.run([READER, pack, "--lines"], input=text, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(argvs), (pack, done.stderr)
    return [Reading(line) for line in lines]


class Run:
    def __init__(self, argv, stdin="", env=None):
        done = subprocess.run(argv, input=stdin.encode(), capture_output=True, timeout=20, env=env)
        self.status = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")


def run_all(argvs, stdin="", env=None):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda argv: Run(argv, stdin, env), argvs))


def count(name, number):
    counts[name] = counts.get(name, 0) + number


# ---- arity ---------------------------------------------------------------------------------------


def compare_arity(pack, prefix, words, note=""):
    """Each word last in an argv: is a value missing, is it unknown?"""
    argvs = [prefix + [word] for word in words]
    readings = read(pack, argvs)
    for argv, reading, real in zip(argvs, readings, run_all(argvs)):
        said = real.err.partition("\n")[0]
        if UNKNOWN_OPTION in reading.doubts or AMBIGUOUS in reading.doubts:
            continue
        missing = bool(MISSING.search(said))
        if UNKNOWN.search(said) and not missing:
            continue
        if missing != (MISSING_VALUE in reading.doubts):
            fail(f"{' '.join(argv)}: a value is missing: "
                 f"the program says {missing}, the pack {not missing}: {said.strip()[:80]}")
    count(pack + note, len(argvs))


def compare_none(pack, prefix, words):
    """Each long option with =v: does it allow one?"""
    argvs = [prefix + [word + "=1"] for word in words]
    readings = read(pack, argvs)
    refused = re.compile(r"doesn't allow an argument|takes no value")
    for argv, reading, real in zip(argvs, readings, run_all(argvs)):
        if refused.search(real.err) and not reading.doubts:
            fail(f"{' '.join(argv)}: the program wants no value, the pack takes one")
    count(pack, len(argvs))


LETTERS = ["-" + c for c in
           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@#:"]


def pack_options(pack, first="reading:", last="\nrules:"):
    """Names of options in a part of the pack's file."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../policy/packs", pack + ".yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read().split(first, 1)[1].split(last, 1)[0]
    return sorted(set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text)))


def edges(words):
    """Of each word: the shortest beginning that no other has, and one letter less."""
    found = set()
    for word in words:
        others = [other for other in words if other != word]
        n = 3
        while n < len(word) and any(other.startswith(word[:n]) for other in others):
            n += 1
        found.update(word[:k] for k in (n - 1, n) if k >= 3)
    return sorted(found)


def beginnings(pack, words):
    """Both take it, or both do not."""
    argvs = [[pack, word, "--version"] for word in edges(words)]
    refused = re.compile(r"(ambiguous|unrecognized|unknown) option| is ambiguous")
    for argv, reading, real in zip(argvs, read(pack, argvs), run_all(argvs)):
        ours = UNKNOWN_OPTION not in reading.doubts and AMBIGUOUS not in reading.doubts
        if ours == bool(refused.search(real.err + real.out)):
            fail(f"{pack} {argv[1]}: the program takes it: {not ours}, the pack: {ours}")
    count(pack, len(argvs))


def arity():
    for pack in ("sort", "sed", "tar", "xargs", "env", "make"):
        helped = subprocess.run([pack, "--help"], capture_output=True, text=True, check=False)
        longs = sorted(set(re.findall(r"--[a-z][a-z0-9-]+", helped.stdout)))
        beginnings(pack, longs)
        longs = [o for o in longs if o not in ("--help", "--version", "--interactive")]
        prefix = [pack, "-f", "/dev/null"] if pack == "make" else [pack]
        if pack == "tar":
            prefix = ["tar", "-tf", "/dev/null"]
        if pack == "env":
            longs = [o for o in longs if not o.startswith("--list")]
        compare_arity(pack, prefix, LETTERS + longs)
        compare_none(pack, prefix, longs)
    words = [o for o in pack_options("find") if not o.startswith("--") and "?" not in o]
    words = [w for w in words if w not in ("-D", "-O")] + ["-newermt"]
    compare_arity("find", ["find", "empty"], words)


# ---- git -----------------------------------------------------------------------------------------

GIT_LISTED = ("status branch tag grep blame shortlog describe ls-files ls-tree cat-file "
              "for-each-ref config show-ref name-rev push fetch pull clone ls-remote "
              "rebase").split()
# They have no tables that git prints: their options are of the pack's own table.
GIT_WALKERS = (["log", "-1"], ["diff"], ["rev-list", "HEAD"])


def git_listed(command):
    """{name: takes a word} of every long option that git itself lists."""
    said = Run(["git", command, "--git-completion-helper-all"]).out.split()
    return {word.rstrip("="): word.endswith("=") for word in said
            if word.startswith("--") and word != "--"}


def git_resolve(listed, word):
    if word in listed:
        return word
    found = [name for name in listed if name.startswith(word)]
    return found[0] if len(found) == 1 else None


def git_resolution():
    """No beginning may mean one option to git and another to the pack."""
    for command in GIT_LISTED:
        listed = git_listed(command)
        words = sorted({name[:n] for name in listed for n in range(4, len(name) + 1)})
        argvs = [["git", command, word, "v"] for word in words]
        for word, reading in zip(words, read("git", argvs)):
            meant = git_resolve(listed, word)
            if not meant or UNKNOWN_OPTION in reading.doubts or AMBIGUOUS in reading.doubts:
                continue
            whole = read_cached(command, meant)
            if not same(reading, whole):
                fail(f"git {command} {word}: git means {meant}, the pack reads "
                     f"{reading.options} and for that {whole.options}")
            if listed[meant] and MISSING_VALUE not in read_alone(command, meant).doubts \
                    and not optional(reading):
                fail(f"git {command} {meant}: takes a word, says git, none, the pack")
        count("git", len(words))


cache = {}


def read_cached(command, name):
    key = (command, name)
    if key not in cache:
        cache[key] = read("git", [["git", command, name, "v"], ["git", command, name]])
    return cache[key][0]


def read_alone(command, name):
    read_cached(command, name)
    return cache[(command, name)][1]


def optional(reading):
    """git's list ends words that may have a value in =, too."""
    return reading.options and reading.options[-1][2] == "\1"


def same(one, other):
    names = [(o[0], o[2]) for o in one.options]
    if all(name.startswith("!") for name, _ in names) and \
            all(o[0].startswith("!") for o in other.options):
        return True  # one thing less, or another
    return (names == [(o[0], o[2]) for o in other.options] and one.operands == other.operands) or \
        UNKNOWN_OPTION in other.doubts


def git_arity():
    for command in (["tag"], ["grep", "-e", "w"], ["blame", "x"], ["branch"]):
        compare_arity("git", ["git"] + command, LETTERS, " short")
    words = [o for o in pack_options("git", "\nsets:", "\nsubcommands:")
             if o.startswith("--") and o not in ("--help", "--paginate", "--edit")]
    for command in GIT_WALKERS:
        compare_arity("git", ["git"] + command, words, " walk")


def git_commands(random_):
    """Options before the subcommand: GIT_TRACE tells what git took for it."""
    before = [["-C", "."], ["-c", "color.ui=never"], ["--no-pager"], ["-P"], ["--bare"],
              ["--git-dir", ".git"], ["--git-dir=.git"], ["--work-tree", "."], ["--namespace=x"],
              ["--literal-pathspecs"], ["--no-optional-locks"], ["--no-replace-objects"],
              ["--exec-path=" + Run(["git", "--exec-path"]).out.strip()], ["-p"],
              ["--config-env=a.b=HOME"], ["--config-env", "a.b=HOME"], ["--icase-pathspecs"]]
    after = [["rev-parse", "HEAD"], ["log", "-1", "--oneline"], ["status", "-s"], ["var", "-l"],
             ["ls-files", "-z"], ["rev-parse", "--git-dir", "-C"], ["branch", "-a"]]
    argvs = []
    for _ in range(100):
        argv = ["git"]
        for part in random_.choices(before, k=random_.randrange(4)):
            argv += part
        argvs.append(argv + random_.choice(after))
    env = dict(os.environ, GIT_TRACE="1", GIT_PAGER="cat")
    for argv, reading, real in zip(argvs, read("git", argvs), run_all(argvs, env=env)):
        traced = re.search(r"trace: (?:built-in: git|exec: git-)\s*(\S+)", real.err)
        if traced and not reading.doubts and traced.group(1) != reading.subcommand:
            fail(f"{' '.join(argv)}: git runs {traced.group(1)}, "
                 f"the pack reads {reading.subcommand}")
    count("git commands", len(argvs))


# ---- what xargs, env and find start, what make builds --------------------------------------------

SHOW = '#!/bin/sh\nprintf "RUN"\nfor word do printf "\\001%s" "$word"; done\necho\n'


def started(run):
    """Command lines that show printed, and names of programs that were not there."""
    lines = [line.split("\1")[1:] for line in run.out.splitlines() if line.startswith("RUN")]
    missing = re.findall(r"(?:xargs|env|find): [`']?([^\s'`:]+)'?: No such file", run.err)
    return lines, missing


def words(text):
    """"-n 1 | -r": [["-n", "1"], ["-r"]]"""
    return [part.split() for part in text.split("|")]


def random_argv(random_, program, parts, tails):
    argv = [program]
    for part in random_.choices(parts, k=random_.randrange(5)):
        argv += part
    return argv + random_.choice(tails)


def xargs_commands(random_):
    parts = words("""
        -0 | -t | -r | -x | -rt | -n 1 | -n1 | -rn1 | -rn 1 | --max-args=1 | --max-args 1 |
        --max-a 1 | -L 1 | -L1 | -l | -l1 | --max-lines | --max-lines=1 | -E x | -Ex | -e | -ex
        | --eof | --eof=x | -P 1 | -P1 | --max-procs=1 | -s 1000 | -s1000 | --max-chars 1000 |
        -d x | -dx | --delim=x | -a list | -alist | --arg-file list | --arg-f=list | -I % | -I%
        | -i | -i% | --replace | --replace=% | --repl | --no-run-if-empty | --null | --verbose |
        -- | -0rt | --exit""")
    tails = words("""
        show a -n b | -- show a | show | show -- -I | 1 show | x show | show -i {}""")
    argvs = [random_argv(random_, "xargs", parts, tails) for _ in range(200)]
    for argv, reading, real in zip(argvs, read("xargs", argvs), run_all(argvs, "w\n")):
        check_started(argv, reading, real, lambda got, want: got[:len(want)] == want or
                      any(option[0] in ("-I", "-i") for option in reading.options))
    count("xargs commands", len(argvs))


def check_started(argv, reading, real, fits):
    lines, missing = started(real)
    if reading.doubts or not lines and not missing:
        return
    count("settled by what started", 1)
    for line in lines:
        line = ["show"] + line
        if not any(fits(line, inner) for inner in reading.inner):
            fail(f"{' '.join(argv)}: starts {line}, the pack reads {reading.inner}")
    for program in missing:
        if not any(inner[0] == program for inner in reading.inner):
            fail(f"{' '.join(argv)}: looks for {program}, the pack reads {reading.inner}")


def env_commands(random_):
    parts = words("""
        -i | -u X | -uX | -iuX | -iu X | --unset=X | --unset X | --uns X | --ignore-env | -C . |
        -C. | --chdir=. | --chd . | -v | - | -- | A=1 | B=-u | LANG=C | --debug | =x |
        --block-signal | --block-signal=INT | --default-signal | --ignore-signal=HUP""")
    tails = words("""
        show a | show -u X | show C=1 | -- show -i | x show | show -- b | -S show b | -Sshow |
        -vSshow | --split=show c""")
    argvs = [random_argv(random_, "env", parts, tails) for _ in range(160)]
    for argv, reading, real in zip(argvs, read("env", argvs), run_all(argvs)):
        if any(option[0] == "-S" for option in reading.options):
            continue
        check_started(argv, reading, real, lambda got, want: got == want)
    count("env commands", len(argvs))


def find_commands(random_):
    parts = words("""
        -name f* | -type f | ! -name x | ( -true ) | -maxdepth 1 | -exec show a {} ; | -exec
        show {} + | -exec show a + {} + | -exec show {} x + ; | -exec show -delete {} ; | -exec
        x {} ; | -o | -a | -execdir show b ; | -print | -newermt 2000-01-01 | -size -9k |
        -printf %p\\n | -mtime -7 | -perm -u+r | -not -empty | -regextype posix-extended | -path
        -exec | -not""")
    tails = words("""
         | -exec show z ; | -exec show {} ; | -quit""")
    starts = words("""
        tree | -L tree | -O2 tree | -H -- tree | tree ./tree""")
    argvs = []
    for _ in range(160):
        argv = ["find"] + random_.choice(starts)
        for part in random_.choices(parts, k=random_.randrange(6)):
            argv += part
        argvs.append(argv + random_.choice(tails))

    def fits(got, want):
        if want[-1] == "{}" and "+" not in want[-1] and got[:len(want) - 1] == want[:-1]:
            return True
        return len(got) == len(want) and all(w == g or "{}" in w for g, w in zip(got, want))

    for argv, reading, real in zip(argvs, read("find", argvs), run_all(argvs)):
        check_started(argv, reading, real, fits)
    count("find commands", len(argvs))


MAKEFILE = """$(info GOALS $(MAKECMDGOALS))
$(foreach v,A B CC X,$(if $(filter command,$(firstword $(origin $(v)))),$(info VAR $(v))))
%: ; @:
all: ; @:
"""


def make_commands(random_):
    parts = words("""
        -k | -s | -ks | -j | -j2 | -j 2 | -kj 2 | -l | -l 9 | -l9 | --jobs | --jobs=2 | --jobs 2
        | --job 2 | -B | -o x | -ox | -W y | --what-if=y | --new-file y | -O | -Oline | --debug
        | --no-print-directory | -f Makefile | -fMakefile | --file=Makefile | --makef Makefile |
        -C . | -C. | --direct=. | -I . | -I. | A=1 | B:=2 | X+=3 | CC?=x | all | x.o | -- | -n |
        -t | -r | -R | -E Q=1 | --eval=Q=1 | --eval Q=1 | -i | -S | -w | --trace""")
    tails = words(" | last | 9 | A=9 z")
    argvs = [random_argv(random_, "make", parts, tails) for _ in range(100)]
    for argv, reading, real in zip(argvs, read("make", argvs), run_all(argvs)):
        goals = re.search(r"^GOALS ?(.*)$", real.out, re.M)
        if not goals or reading.doubts:
            continue
        if goals.group(1).split() != reading.operands:
            fail(f"{' '.join(argv)}: make wants {goals.group(1)}, "
                 f"the pack reads {reading.operands}")
        theirs = set(re.findall(r"^VAR (\w+)$", real.out, re.M))
        ours = {re.match("[^:+?!=]*", word).group() for word in reading.assignments}
        if theirs - ours:
            fail(f"{' '.join(argv)}: make sets {theirs}, the pack reads {ours}")
    count("make commands", len(argvs))


# ---- ssh -----------------------------------------------------------------------------------------


def ssh_capitals():
    """What passes for -o passes in capitals: it must then mean the same to ssh."""
    if not shutil.which("ssh"):
        print("packs: skipped: capitals of ssh settings: ssh is not installed")
        return
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../policy/packs/ssh.yaml")
    with open(path, encoding="utf-8") as file:
        rule = file.read().split("id: setting, ", 1)[1].split("decision:", 1)[0]
    settings = [word.replace("?", "5") for word in re.findall(r"'([a-z0-9]+=[a-z0-9?-]+)'", rule)]
    argv = ["ssh", "-F", "none", "-G", "-o"]
    plain = run_all([argv + [word, "host"] for word in settings])
    capital = run_all([argv + [word.upper(), "host"] for word in settings])
    for word, one, other in zip(settings, plain, capital):
        if one.status:
            fail(f"ssh -o {word}: passes the pack, not ssh: {one.err.strip()[:80]}")
        elif not other.status and one.out != other.out:
            fail(f"ssh -o {word.upper()}: means something else than in small letters")
    count("ssh", len(settings))


# ---- the scratch folder --------------------------------------------------------------------------


def prepare(folder):
    os.chdir(folder)
    os.makedirs("bin")
    os.makedirs("empty")
    os.makedirs("tree")
    for name in ("tree/f1", "tree/f2", "list", "x", "y"):
        with open(name, "w", encoding="utf-8") as file:
            file.write("w\n")
    with open("bin/show", "w", encoding="utf-8") as file:
        file.write(SHOW)
    os.chmod("bin/show", 0o755)
    with open("Makefile", "w", encoding="utf-8") as file:
        file.write(MAKEFILE)
    for name in [key for key in os.environ
                 if key.startswith(("GIT_", "MAKE", "TAR_", "MFLAGS", "POSIXLY_CORRECT"))]:
        del os.environ[name]
    os.environ.update(PATH=folder + "/bin:/usr/bin:/bin", LC_ALL="C", HOME=folder,
                      GIT_CONFIG_NOSYSTEM="1", GIT_EDITOR="true", GIT_TERMINAL_PROMPT="0")
    for argv in (["git", "init", "-q", "."], ["git", "add", "x"],
                 ["git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"]):
        subprocess.run(argv, check=True, capture_output=True)


def main():
    absent = [name for name in ("git", "find", "xargs", "env", "make", "tar", "sed", "sort")
              if not shutil.which(name)]
    if absent:
        print(f"FAILED packs: not installed: {' '.join(absent)}; run make test-packages")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        random_ = random.Random(1)
        arity()
        git_resolution()
        git_arity()
        ssh_capitals()
        for part in (git_commands, xargs_commands, env_commands, find_commands, make_commands):
            part(random_)
        os.chdir("/")
    for text in failures:
        print("FAILED packs:", text)
    print("packs: argvs beside the real programs:",
          ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) +
          f"; {len(failures)} differ")
    return 1 if failures else 0


sys.exit(main())
