"""Item by item what a person at a terminal gets to see: hostile texts, and the places that show them."""
import fcntl, os, pty, re, select, signal, struct, termios, time

from harness import Failed, check

# What a terminal acts upon or hides: C0 but newline, CR and tab; DEL, C1, bidi and zero-width
# characters, other blanks, selectors, tags, private use.
RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
                 "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
                 "\U000e0000-\U000e0fff]")

# (name, what stands in an argument, what must be on the screen instead)
ANSI = [
    ("erase and up", "\x1b[2K\x1b[1A", r"\x1b[2K\x1b[1A"),
    ("a link", "\x1b]8;;http://evil.example\x1b\\ls\x1b]8;;\x1b\\", r"\x1b]8;;http://evil.example\x1b"),
    ("the clipboard", "\x1b]52;c;cm0gLXJm\x07", r"\x1b]52;c;cm0gLXJm\x07"),
    ("a title, and its report", "\x1b]0;ls\x07\x1b[21t", r"\x1b]0;ls\x07\x1b[21t"),
    ("C1 by one code point", "\u009b2J\u009d0;x\u009c", r"\u{009b}2J"),
    ("returns and backspaces", "rm x\r\b\b\b\bls", r"\x0d\x08"),
    ("another screen", "\x1b[?1049h\x1bc\x0e\x0c\x0b", r"\x1bc\x0e\x0c\x0b"),
    ("DEL and bells", "\x7f\x07\x05", r"\x7f\x07\x05"),
    ("lines of its own", "ls\n  plan       sha256:0\n  warning", r"ls\n  plan"),
    ("tabs", "a\tb", r"a\tb"),
]
BIDI = [
    ("turned round", "\u202egpj.exe\u202c", r"\u{202e}gpj.exe\u{202c}"),
    ("isolates", "\u2066rm\u2069\u2067x\u2068", r"\u{2066}rm\u{2069}"),
    ("marks", "\u200e\u200f\u061c", r"\u{200e}\u{200f}\u{061c}"),
    ("nothing wide", "r\u200bm\u200c\u200d\u2060\ufeff", r"r\u{200b}m\u{200c}\u{200d}\u{2060}\u{feff}"),
    ("soft hyphen, fillers", "\u00ad\u3164\uffa0\u115f", r"\u{00ad}\u{3164}\u{ffa0}\u{115f}"),
    ("other blanks", "a\u00a0\u2003\u3000\u2800b", r"\u{00a0}\u{2003}\u{3000}\u{2800}"),
    ("line separators", "a\u2028b\u2029c\u0085d", r"a\u{2028}b\u{2029}c"),
    ("tags and selectors", "\U000e0041\U000e0001\ufe0f\U000e0100", r"\u{e0041}"),
    ("overlays", "o\u0336k\u20e0", r"o\u{0336}k\u{20e0}"),
    ("private use", "\ue000\U000f0000", r"\u{e000}\u{f0000}"),
]
HOMOGLYPHS = [("p\u0430ypal", "U+0430"), ("\uff52m", "U+FF52"), ("ro\u03bft", "U+03BF")]
TAIL = "the-end-of-it-%d"


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, argv, env, cwd, rows=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = b""

    def read(self, until=None, seconds=30):
        """What is shown up to that (bytes), or to the end."""
        end = time.monotonic() + seconds
        while until is None or until not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Failed(f"no {until!r} on the screen: {self.seen[-600:]!r}")
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                more = b""
            if not more:
                if until is None:
                    return self.text()
                raise Failed(f"it ended before {until!r}: {self.seen[-600:]!r}")
            self.seen += more
        return self.text()

    def text(self):
        return self.seen.decode("utf-8", "backslashreplace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except OSError:
            pass
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def on_terminal(d, *args, **size):
    """All that `callgate ARGS` puts on a terminal."""
    terminal = Terminal([f"{d.bin}/callgate", *args], d.env, d.home, **size)
    try:
        return terminal.read()
    finally:
        terminal.close()


def watch_until_asked(d, pages=400, **size):
    """`callgate watch` up to its question, Enter at each page. (text, how many pages were turned)"""
    terminal = Terminal([f"{d.bin}/callgate", "watch"], d.env, d.home, **size)
    turned = 0
    try:
        while True:
            terminal.read(b"] ", 60)
            if b"approve? " in terminal.seen:
                return terminal.text(), turned
            done, terminal.seen = terminal.seen, b""
            check("it neither asks nor pages", b"-- " in done and b"of it seen" in done, done[-300:])
            turned += 1
            check("too many pages", turned <= pages, turned)
            terminal.type("\n")
            rest = terminal.seen
            terminal.seen = b""
            kept = getattr(terminal, "kept", b"") + done + rest
            terminal.kept = kept
    finally:
        terminal.all = getattr(terminal, "kept", b"") + terminal.seen
        watch_until_asked.last = terminal.all.decode("utf-8", "backslashreplace")
        terminal.close()


def no_raw(place, text):
    found = RAW.search(text)
    check(f"{place}: a raw {found and found.group()!r} is shown", not found,
          text[max(0, found.start() - 60):found.start() + 60] if found else "")


def one_line(text):
    """Without the breaks that the width of the terminal made... the program writes none itself."""
    return text.replace("\r", "").replace("\n", "")


def show(d, argv, marks, rows=200, columns=4000):
    """Asks for argv (tool ask), looks at it in every place, and denies it. marks: texts that must be
    on the screen wherever the command is."""
    got = d.call("ask", {"argv": argv})
    if got.decision == "deny" and "control character" in got.text:  # then as what it reads
        got = d.call("ask", {"argv": ["cat"], "stdin": argv[1]})
        marks = marks[-1:]
    check("it does not ask", got.approval, got)
    size = {"rows": rows, "columns": columns}
    places = {}
    try:
        places["pending"] = on_terminal(d, "pending", **size)
        places["pending --output json"] = on_terminal(d, "--output", "json", "pending", **size)
        watch_until_asked(d, **size)
        places["watch"] = watch_until_asked.last
    finally:
        d.deny(got.approval)
    places["audit tail"] = on_terminal(d, "audit", "tail", "-n", "12", d.audit, **size)
    places["audit tail --output json"] = on_terminal(d, "audit", "tail", "-n", "12", "--output", "json", d.audit, **size)
    with open(d.log, encoding="utf-8", errors="backslashreplace") as f:
        places["log"] = f.read().replace("\r", "\\r?")
    for place, text in places.items():
        no_raw(place, text)
    for place in ("pending", "watch"):
        for mark in marks:
            check(f"{place}: {mark!r} is not shown", mark in one_line(places[place]), places[place][:1500])
    return places


def hostile(d, rows):
    """Every hostile text of a table, as an argument, in every place."""
    for i, (name, text, shown) in enumerate(rows):
        try:
            show(d, ["echo", text + TAIL % i], [shown, TAIL % i])
        except Failed as failed:
            raise Failed(f"{name}: {failed}") from None
    names(d, [text for _, text, _ in rows])


def names(d, texts):
    """The same texts where a caller may also put some: names of tools and agents, folders, reasons."""
    for text in texts:
        d.request("ask" + text, {"command": "ls"})
        d.request("ask", {"command": "ls", "cwd": text})
        d.request("ask", {"command": "ls"}, meta={"callgate/agent": text, "callgate/namespace": text})
        d.request("edit", {"command": text, "path": text})
    for place in (("audit", "tail", "-n", str(12 * len(texts)), d.audit), ("status",), ("pending",)):
        no_raw(" ".join(place[:2]), on_terminal(d, *place, rows=200, columns=2000))
    for path in (d.log,):
        with open(path, encoding="utf-8", errors="backslashreplace") as f:
            no_raw("log", f.read())
