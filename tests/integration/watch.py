"""Drives `callgate watch` on a pseudo-terminal as a person would: reads, answers y, types the
passphrase, ends with Ctrl-C. Fails if a raw control or invisible character reaches the screen."""
import os, pty, re, select, sys, termios, time

pid, fd = pty.fork()
if pid == 0:
    os.execv(os.environ["CALLGATE"], ["callgate", "watch"])
before = termios.tcgetattr(fd)
screen = b""


def read_until(what, seconds=20):
    global screen
    end = time.monotonic() + seconds
    while what not in screen:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            sys.exit("no %r on the screen: %r" % (what, screen))
        screen += os.read(fd, 65536)


read_until(b"approve? ")
shown = screen.decode("utf-8", "strict")
bad = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", shown)
if bad:
    sys.exit("a raw %r reached the screen: %r" % (bad.group(), shown))
for part in ("\\u{202E}", "touch", "sha256:"):
    if part.lower() not in shown.lower():
        sys.exit("%r is not shown: %r" % (part, shown))
os.write(fd, b"y\n")
if os.environ.get("WATCH_ASKS"):  # the policy has grants and wants a reason
    read_until(b"for how long? ")
    os.write(fd, b"always\n")
    read_until(b"why? ")
    os.write(fd, b"because\n")
read_until(b"passphrase: ")
time.sleep(0.2)
os.write(fd, b"correct horse battery\n")
read_until(b": approved")
if b"correct horse" in screen:
    sys.exit("the passphrase was echoed")
os.write(fd, b"\x03")
time.sleep(0.2)
after = termios.tcgetattr(fd)
if after[3] != before[3]:
    sys.exit("the terminal was not restored")
os.close(fd)
os.waitpid(pid, 0)
