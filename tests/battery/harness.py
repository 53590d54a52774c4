"""What a case is: registration, the words for what is expected, and how a run is judged."""

import os, re

WAYS = ("tool", "child", "neighbour")
CASES = {}  # id -> Case

# What may become of a call, as (decision, outcome) pairs of the records; None: any.
DENY = {("deny", "refused")}
HELD_BACK = {("deny", "refused"), ("ask", "pending")}  # an approval was not passed on
RAN = {("allow", None)}
COMPLETED = {("allow", "completed")}
ANY = {(None, None)}
INVALID = "invalid"  # the request itself is turned away: a JSON-RPC error, or a refusal


class Failed(Exception):
    """The attack had its effect, or left the wrong trace."""


class Unlaunched(Exception):
    """A wall is left out, and without it no call starts at all: nothing was attacked."""


class Case:
    def __init__(self, ident, title, run, ways, quick, control):
        self.ident, self.title, self.run = ident, title, run
        self.ways, self.quick, self.control = ways, quick, control


def case(ident, title, ways=WAYS, quick=True, control=False):
    """Registers f(g, way). ways=("direct",): no call of a tool, the attack is on the daemon, its
    files or its doors. quick=False: left out of the quick form. control: the default of
    Gate.attack's, see there."""
    def wrap(run):
        if ident in CASES:
            raise SystemExit(f"battery: {ident} is there twice")
        CASES[ident] = Case(ident, title, run, tuple(ways), quick, control)
        return run
    return wrap


def check(what, holds, detail=""):
    if not holds:
        raise Failed(f"{what}: {detail!r}"[:600] if detail != "" else what)


def matches(pairs, decision, outcome):
    return any((d is None or d == decision) and (o is None or o == outcome) for d, o in pairs)


def numbers(version):
    """(6, 1) of "6.1" and of "6.1.0-28-amd64"."""
    return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", version).groups())


def kernel():
    return numbers(os.uname().release)
