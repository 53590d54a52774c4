#!/usr/bin/env python3
"""The test of the battery: one wall is left out at a time, and the cases that stand on it must see it.
usage: matrix.py BUILD BUILD_WITH_WALLS [--write] [--walls a,b] [--sections AB] [--why] [--pairs N [--seed S]]
Without options: runs all walls and fails where matrix.txt says otherwise. --write: writes it anew,
with --walls or --sections: that part of it.
--pairs: N random pairs of a wall and a case of matrix.txt instead, with the seed that is printed."""
import argparse, json, os, random, signal, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = f"{HERE}/matrix.txt"
WALLS = ("userns mntns pidns netns ipcns utsns cgroupns root proc caps nnp groups landlock allowlist seccomp "
         "memfd fds limits disk cgroup nesting").split()
ALL = "ABCDEF"
HOLDS, SEES, NO_START = "holds", "sees it", "no call starts"
HEAD = """# Which cases see it when one wall is left out, as root, in the quick form, where the attack runs at all
# (way child; from section B on also tool). Made by `make battery-matrix`; `make check` repeats five
# random pairs. A case that is not named holds without that wall: another one stands in the way too.
# With a "!": the daemon launches nothing of the kind without that wall.
"""


def run(args, wall, cases=None):
    """What each case said with that wall left out: {id: failed}, and why."""
    with tempfile.NamedTemporaryFile() as out:
        line = [f"{HERE}/run.py", args.build, "--quick", "--user", "root", "--off", wall, "--json", out.name,
                "--callgated", f"{args.walls_build}/callgated", "--output", "json"]
        line += ["--only", ",".join(cases)] if cases else ["--section", args.sections]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            said = process.communicate()[1]
        finally:
            process.poll() is None and process.terminate()
            process.wait()
        try:
            results = json.load(out)["results"]
        except ValueError:
            raise SystemExit(f"matrix: without {wall} the battery did not run: {said[-500:]}")
    seen, why = {}, {}
    for r in results:
        state = {"FAILED": SEES, "unlaunched": NO_START}.get(r["result"], HOLDS)
        if seen.get(r["id"], HOLDS) == HOLDS:
            seen[r["id"]] = state
        if state != HOLDS:
            why.setdefault(r["id"], f"{r['way']}: {r['why']}")
    return seen, why


def stored():
    """{wall: {case: what it says}} without those that hold, and all cases that were tried."""
    rows, tried = {}, set()
    with open(FILE) as f:
        for line in f:
            if line.startswith("# tried:"):
                tried |= set(line.split()[2:])
            elif line.strip() and not line.startswith("#"):
                wall, _, rest = line.partition(":")
                rows[wall] = {w.rstrip("!"): NO_START if w.endswith("!") else SEES for w in rest.split()}
    return rows, tried


def told(row):
    return " ".join(c + ("!" if row[c] == NO_START else "") for c in sorted(row))


def pairs(args):
    rows, tried = stored()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10 ** 6)
    dice = random.Random(seed)
    print(f"battery-matrix: {args.pairs} pairs, seed {seed}", flush=True)
    bad = 0
    # Half of them from what is seen: most pairs are of cases that need other walls.
    both = sorted((w, c) for w in rows for c in rows[w])
    chosen = dice.sample(both, min(len(both), (args.pairs + 1) // 2))
    while len(chosen) < args.pairs:
        chosen.append((dice.choice(sorted(rows)), dice.choice(sorted(tried))))
    for wall, case in chosen:
        seen, why = run(args, wall, [case])
        wanted = rows[wall].get(case, HOLDS)
        same = seen.get(case) == wanted
        bad += not same
        print(f"{'ok    ' if same else 'FAILED'} {case} without {wall}: {wanted}"
              + ("" if same else f", says matrix.txt; now: {seen.get(case)} {why}"), flush=True)
    return 1 if bad else 0


def whole(args):
    rows, tried_of, bad = {}, {}, 0
    old = stored()[0] if os.path.exists(FILE) else {}
    if args.write and (args.walls or args.sections != ALL) and old:
        rows, tried = stored()
        tried_of = {wall: set(tried) for wall in rows}
    for wall in args.walls.split(",") if args.walls else WALLS:
        seen, why = run(args, wall)
        now = {c: seen[c] for c in seen if seen[c] != HOLDS}
        print(f"{wall}: {told(now)}", flush=True)
        if args.why:
            for case in sorted(now):
                print(f"    {case} {why[case][:300]}", flush=True)
        before = {c: s for c, s in old.get(wall, {}).items() if c in seen}
        if old and not args.write and now != before:
            print(f"FAILED {wall}: matrix.txt says {told(before)}", flush=True)
            bad = 1
        # What was said of these sections before goes, whatever became of the case.
        rows[wall] = {c: s for c, s in rows.get(wall, {}).items() if c[0] not in args.sections} | now
        tried_of[wall] = {c for c in tried_of.get(wall, ()) if c[0] not in args.sections} | set(seen)
        if args.write:
            # A pair is made of any wall and any case here: of those that met all of these walls.
            write(rows, sorted(set.intersection(*tried_of.values())))
    return bad


def write(rows, tried):
    with open(FILE, "w") as f:
        f.write(HEAD)
        for n in range(0, len(tried), 22):
            f.write(f"# tried: {' '.join(tried[n:n + 22])}\n")
        for wall in WALLS:
            if wall in rows:
                f.write(f"{wall}: {told(rows[wall])}".rstrip() + "\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("walls_build")
    p.add_argument("--write", action="store_true")
    p.add_argument("--why", action="store_true")
    p.add_argument("--walls")
    p.add_argument("--sections", default=ALL, help="cases whose attack is a call")
    p.add_argument("--pairs", type=int)
    p.add_argument("--seed", type=int)
    args = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.getuid() != 0:
        print("battery-matrix: not judged: only root has all walls")
        return 0
    return pairs(args) if args.pairs else whole(args)


if __name__ == "__main__":
    sys.exit(main())
