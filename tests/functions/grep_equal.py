#!/usr/bin/env python3
"""usage: grep_equal.py PROGRAM   one dialect: grep_search beside `grep -P` and `rg -P`.

A generated tree is searched with every pattern below by all three programs. They must name the same
lines with the same text, except where NOT_COMPARED says what is left out, for whom, and why.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

PATTERNS = [
    # literals and escapes
    r"alpha", r"Straße", r"\.", r"\$", r"a\.b", r"\Qa.b*\E", r"\x41", r"\x{e9}", r"\t", r"\\", r"\r", r"\r$",
    r"\x{1F600}", r"\e", r"\cA", r"\0", r"\101", r"\o{101}", r"\N{U+e9}",
    # classes
    r"[abc]", r"[^abc]", r"[a-z]+\d", r"[[:alpha:]]+[[:digit:]]", r"[[:^alpha:]]", r"[\w.-]+@[\w.-]+",
    r"[é-ü]", r"[^\x00-\x7f]", r"[\]]", r"[]x]", r"[\d\s]{4}", r"[[:punct:]]{2}", r"[[:space:]]$", r"[a\-z]",
    # types and properties
    r"\d+", r"\D+", r"\w+", r"\W+", r"\s\s", r"\S+$", r"\h+", r"\H", r"\v", r"\V", r"\R", r"\X", r"\N+",
    r"\p{L}+", r"\p{Lu}\p{Ll}", r"\P{L}", r"\p{Cyrillic}+", r"\p{Greek}", r"\p{Nd}", r"\p{Han}",
    r"\p{Sc}", r"\p{Zs}", r"\p{Xan}+", r"\p{Any}",
    # quantifiers
    r"a*", r"a+", r"a?b", r"a{2}", r"a{2,}", r"a{1,3}b", r"a*?b", r"a++b", r"a*+a", r"(ab)+", r"(?:ab){2}",
    r"x*", r"(a|b)*c", r"a{,3}", r"a{0}",
    # anchors and borders
    r"^", r"$", r"^$", r"^alpha", r"omega$", r"\Aalpha", r"omega\z", r"omega\Z", r"\bcat\b", r"\Bcat", r"cat\B",
    r"^\s*#", r"^.{10}$", r"\G.", r"^(?=.*a)(?=.*b)", r"(?m)^b", r"(?m)a$",
    # groups and references
    r"(\w)\1", r"(?<q>['\"]).*?\k<q>", r"(?'n'a)\g{n}", r"(?P<n>\d)(?P=n)", r"(a)(b)?\g{-1}", r"(?|(a)|(b))\1",
    r"(?:alpha|beta)", r"(?i)ALPHA", r"(?i:ALPHA) beta", r"(?x) a l p h a # comment", r"(?s)a.b", r"(?J)(?<n>a)|(?<n>b)",
    r"(?#comment)alpha", r"(?^)alpha",
    # looking around, conditions, recursion, control
    r"alpha(?= beta)", r"alpha(?! beta)", r"(?<=alpha )beta", r"(?<!alpha )beta", r"(?<=é)\w", r"alpha\Kbeta",
    r"alpha \Kbeta", r"(?>a+)b", r"(?(?=a)ab|cd)", r"(a)?(?(1)b|c)", r"\((?:[^()]++|(?R))*\)", r"(?<p>\[(?:[^][]|(?&p))*\])",
    r"a(*SKIP)(*FAIL)|b", r"(*COMMIT)b", r"(*PRUNE)b", r"a(*ACCEPT)b", r"(?!)", r"(*positive_lookahead:a)a",
    r"(?<!\d)\d{3}(?!\d)",
    # what people search for
    r"TODO|FIXME", r"static\s+int\s+\w+\s*\(", r"^\s*def \w+\(self", r"\bfunc(tion)?\b", r"https?://[^\s\"'<>]+",
    r"\b\d{1,3}(\.\d{1,3}){3}\b", r"^[A-Z_]+=", r"console\.(log|error)\(", r"#include\s*[<\"]", r"\s+$", r"[^\x20-\x7e\t]",
    r"(?i)error|warning", r"^(?!\s*//).*\bint\b", r"\w+\([^)]*\)\s*\{", r"=>", r"%[-+ 0#]*\d*[sd]", r"^.{60,}$",
    # letters of other scripts
    r"ж", r"Ж", r"(?i)ж", r"(?i)STRASSE", r"ß", r"ſ", r"(?i)s", r"(?i)k", r"(?i)ǆ", r"é", "e\u0301", r"日本", r"\b日本", r"٣",
    r"\d(?=px)",
]
CASELESS = [r"alpha", r"ж", r"É", r"straße", r"\x{e9}", r"[a-f]+\d", r"\p{Lu}", r"[À-Þ]", r"K", r"ΣΑΣ", r"i", r"(\w)\1"]
LITERAL = [r"a.b", r"(x)", r"[", r"\d", r"$", r"^", r"*", r"é", r"\\", "a\\E.b", r"+=", r".*"]

NOT_UTF8 = {"latin1", "broken", "control"}
# Who, the pattern (None: every one), the files left out, why.
NOT_COMPARED = [
    ("rg", None, NOT_UTF8,
     "rg -P refuses such files, or replaces the bytes before it searches; grep and grep_search let "
     "them match nothing"),
    ("grep", "^", NOT_UTF8, "grep does not let ^ match before a byte that is not UTF-8; grep_search does"),
    ("grep", r"\G.", NOT_UTF8, "the same of \\G"),
    ("grep", "$", NOT_UTF8, "grep_search does not let $ match after a byte that is not UTF-8; grep does"),
]
DIGITS_OF_OTHERS = "\u0663\u096d"  # grep from 3.10 on keeps \\d to ASCII whatever (*UCP) says

WORDS = ("alpha beta omega cat concat catalog TODO FIXME static int x y foo( ) { } aab ab aaab abab bc "
         "\"quoted\" 'q' [x[y]] (a(b)c) 11 22 123 1234 10.0.0.1 a.b a.b* a-b user@example.org "
         "https://example.org/x?y=1 # // #include <x.h> => += %5d %s console.log( error WARNING "
         "Straße STRASSE straße é É e\u0301 ü À ж Ж привет Привет ελλάδα ΣΑΣ σας 日本語 ٣ ७ € $ \u00a0 \u2003 "
         "ſ K k ǆ Ǆ \U0001F600 İ ı i I \\ \\d * + 7px self NAME=value def func function ] [ - _").split(" ")


CODE = """static int  count_words(const char *text)
int main(void) { return 0; }
// int in a comment
    def run(self, x=1):
	def stop(self):
function hello(name) {
console.log("alpha beta", a => a);
#include <stdio.h>
#include "x.h"
# a comment
PATH=/usr/bin
MAX_LEN=10
alpha betaalpha beta
alphabeta
see https://example.org/a?b=c and <http://example.net/>
printf("%5d %-3s %%", 1, "x");
10.0.0.1 - - "GET / HTTP/1.1"
int x = arr[idx[3]];  
    
aaaa bbbb cccc
'a' "b" 'c
0123456789""".split("\n")

# Held against the paths below by grep_search and rg. rg takes a glob that names a folder as that
# folder, and a hidden file that a glob names as hidden still where its own rules say so.
GLOBS = ["*.txt", "f0*.txt", "*/f*.txt", "d0/*", "d0/**", "**/d1/*.txt", "d?/**/*.txt", "[a-e]*", "f[0-1][02468].txt",
         "f[!0].txt", "*.{txt,bin}", "{d0,d1}/**/f*", "f?[13579].txt", "crlf", "no_such", "**/f0?.txt", "d[01]/*.txt"]


def make_tree(top):
    rng = random.Random(20261123)
    for number in range(24):
        folder = os.path.join(top, *["d%d" % rng.randrange(3) for _ in range(rng.randrange(3))])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "f%02d.txt" % number), "wb") as out:
            for _ in range(rng.randrange(3, 22)):
                line = rng.choice(["", " ", "\t", "    "]) + rng.choice([" ", " ", "", "\t"]).join(
                    rng.choice(WORDS) for _ in range(rng.randrange(0, 9)))
                line = line.encode() + rng.choice([b"", b"", b"", b" ", b"\r"])
                out.write(line + b"\n")
            if rng.randrange(3) == 0:
                out.write(b"alpha omega")  # no end of the last line
    fixed = {
        "empty": b"", "only_ends": b"\n\n\n", "crlf": b"alpha\r\nomega\r\n\r\n",
        "latin1": b"alpha caf\xe9 omega\nplain alpha\n\xff\xfe\xfd\n\xe9\nb\xe9a\nTODO \xc3\xa9\xe9 beta\n",
        "broken": b"\xc3\nalpha \xe2\x82 beta\n\xf0\x9f\x98 omega\n\xed\xa0\x80 x\n\xc0\x80 y\n11\xff22 aa\n",
        "late_nul": b"alpha " * 2000 + b"\n" + b"a\0b omega\nalpha\n",
        "control": b"\x01\x1b[0m\x07 alpha\n\x0b\x0c\x85x\n",
        "separators": "a\u2028b\u2029c\x85\n".encode(), "bom": "\ufeffalpha\nbeta\n".encode(),
        ".hidden": b"alpha\n", "skipped.bin": b"alpha\0\n",
    }
    for name, content in fixed.items():
        with open(os.path.join(top, name), "wb") as out:
            out.write(content)
    with open(os.path.join(top, "code.c"), "w") as out:
        out.write("\n".join(CODE) + "\n")
    for folder in (".git", ".hid"):
        os.makedirs(os.path.join(top, folder))
        with open(os.path.join(top, folder, "x"), "wb") as out:
            out.write(b"alpha\n")
    os.symlink("f00.txt", os.path.join(top, "link"))
    os.symlink("..", os.path.join(top, "loop"))


def shown(text):
    """As grep_search prints a line: bytes that are no UTF-8, and NUL, replaced one by one."""
    if text.endswith(b"\r"):
        text = text[:-1]
    out = []
    while text:
        for size in (1, 2, 3, 4):
            try:
                piece = text[:size].decode()
                break
            except UnicodeDecodeError:
                piece = None
        if piece is None or piece == "\0":
            piece, size = "\ufffd", 1
        out.append(piece)
        text = text[size:]
    return "".join(out)


def lines_of(output):
    found = {}
    for line in output.split(b"\n")[:-1]:
        path, number, text = line.split(b":", 2)
        path = path.decode()
        text = shown(text)
        if len(text.encode()) > 400:
            text = "long"
        found[(path[2:] if path.startswith("./") else path, int(number))] = text
    return found


def run(argv, top, stdin=None):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.run(argv, cwd=top, env=env, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def ours(program, top, pattern, caseless, literal):
    arguments = {"pattern": pattern, "ignore_case": caseless, "literal": literal, "max_results": 1000}
    done = run([program], top, json.dumps(arguments).encode())
    if done.returncode != 0:
        return "refused: " + done.stdout.decode().strip()
    found = {}
    for line in done.stdout.decode().split("\n")[:-1]:
        if line.startswith("[not searched: 1 binary files]") or line == "No matches.":
            continue
        if line.startswith("["):
            return "incomplete: " + line
        path, number, text = line.split(":", 2)
        found[(path, int(number))] = "long" if text.endswith("bytes more]") else text
    return found


def theirs(argv, top):
    done = run(argv, top)
    if done.returncode > 1:
        return "refused: " + done.stderr.decode(errors="replace").strip()
    return lines_of(done.stdout)


def grep(top, pattern, caseless, literal, left_out):
    # Like the pattern itself, the request for Unicode properties is part of the dialect.
    argv = ["grep", "-ranH", "--exclude=.*", "--exclude=*.bin", "--exclude-dir=.?*"]
    argv += ["--exclude=" + name for name in left_out]
    argv += ["-i"] if caseless else []
    argv += ["-F", "-e", pattern] if literal else ["-P", "-e", "(*UCP)" + pattern]
    return theirs(argv + ["."], top)


def rg(top, pattern, caseless, literal, left_out):
    argv = ["rg", "--no-config", "--no-ignore", "--no-heading", "--color=never", "-anH", "--encoding=none",
            "-g", "!*.bin"]
    for name in left_out:
        argv += ["-g", "!" + name]
    argv += ["-i"] if caseless else []
    argv += ["-F"] if literal else ["-P"]
    return theirs(argv + ["-e", pattern, "."], top)


def files_left_out(who, pattern):
    out = set()
    for row_who, row_pattern, files, _ in NOT_COMPARED:
        if row_who == who and row_pattern in (None, pattern):
            out |= files
    return sorted(out)


def grep_keeps_digits_ascii():
    version = run(["grep", "--version"], "/").stdout.decode().split("\n")[0].split()[-1]
    return tuple(int(part) for part in version.split(".")[:2]) >= (3, 10)


def without(found, left_out, who, pattern):
    if isinstance(found, str):
        return found
    found = {key: text for key, text in found.items() if key[0] not in left_out}
    if who == "grep" and "\\d" in pattern.lower() and grep_keeps_digits_ascii():
        found = {key: text for key, text in found.items() if not set(text) & set(DIGITS_OF_OTHERS)}
    return found


def difference(mine, other):
    if isinstance(mine, str) or isinstance(other, str):
        # None of the patterns is refused by anybody; one that is would compare nothing.
        return "%.150s / %.150s" % (mine if isinstance(mine, str) else "found %d" % len(mine),
                                    other if isinstance(other, str) else "found %d" % len(other))
    if mine == other:
        return None
    keys = sorted(set(mine.items()) ^ set(other.items()))
    return "%d and %d lines, first %r" % (len(mine), len(other), keys[0])


def files_of(output):
    return sorted(line.decode().removeprefix("./") for line in output.split(b"\n")[:-1])


def compare_globs(program, top):
    bad = 0
    for glob in GLOBS:
        arguments = {"pattern": "^|$", "glob": glob, "output_mode": "files", "max_results": 1000}
        mine = run([program], top, json.dumps(arguments).encode()).stdout.decode().split("\n")[:-1]
        mine = sorted(line for line in mine if line != "No matches." and not line.startswith("["))
        argv = ["rg", "--no-config", "--no-ignore", "-al", "--encoding=none", "-e", "^|$", "-g", glob, "."]
        other = files_of(run(argv, top).stdout)
        # Binary files are not searched by grep_search.
        other = [path for path in other if not path.endswith(".bin")]
        if mine != other:
            print("FAILED rg: glob %s: %s / %s" % (glob, mine, other))
            bad += 1
    return bad


def compare_context(program, top):
    """The same lines around matches, the same marks and gaps, byte for byte, in one file at a time."""
    bad = compared = 0
    for name in sorted(os.listdir(top)):
        if not name.startswith("f"):
            continue
        for pattern in (r"a", r"\d\d", r"ж", r"^$"):
            for context in (1, 2, 10):
                arguments = {"pattern": pattern, "path": name, "context": context, "max_results": 1000}
                mine = run([program], top, json.dumps(arguments).encode()).stdout
                other = run(["grep", "-anHP", "-C%d" % context, "-e", "(*UCP)" + pattern, name], top).stdout
                other = other.replace(b"\r\n", b"\n") or b"No matches.\n"
                compared += 1
                if mine != other:
                    print("FAILED grep -C%d: %s in %s" % (context, pattern, name))
                    bad += 1
    return bad, compared


def main():
    program = os.path.abspath(sys.argv[1])
    cases = [(p, False, False) for p in PATTERNS] + [(p, True, False) for p in CASELESS]
    cases += [(p, False, True) for p in LITERAL]
    bad = equal = found = 0
    with tempfile.TemporaryDirectory(prefix="callgate-grep-") as top:
        make_tree(top)
        for pattern, caseless, literal in cases:
            mine = ours(program, top, pattern, caseless, literal)
            found += len(mine) if not isinstance(mine, str) else 0
            for who, other in (("grep", grep), ("rg", rg)):
                left_out = files_left_out(who, pattern)
                how = difference(without(mine, left_out, who, pattern),
                                 without(other(top, pattern, caseless, literal, left_out), left_out, who, pattern))
                if how is None:
                    equal += 1
                else:
                    print("FAILED %s: %s%s: %s" % (who, pattern, " (i)" if caseless else "", how))
                    bad += 1
        empty = [p for p in PATTERNS if ours(program, top, p, False, False) == {}]
        bad_globs = compare_globs(program, top)
        bad_context, contexts = compare_context(program, top)
    print("grep_equal: %d patterns (%d find nothing: %s), %d lines found, %d comparisons equal, %d rows of what is "
          "not compared, %d differ" % (len(cases), len(empty), " ".join(empty), found, equal, len(NOT_COMPARED), bad))
    print("grep_equal: %d globs, %d differ; %d answers with context, %d differ" %
          (len(GLOBS), bad_globs, contexts, bad_context))
    bad += bad_globs + bad_context
    return 1 if bad else 0


sys.exit(main())
