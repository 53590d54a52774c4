#!/usr/bin/env python3
"""The escape and bypass battery, against a real daemon. usage: run.py BUILD [options]; README.md.
As root it runs twice: as root, and as an ordinary uid. Exit 1 if any case failed."""
import argparse, collections, glob, importlib, json, os, shutil, signal, subprocess, sys, tempfile, time, traceback, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import harness
from gate import ENTER, Gate
from harness import CASES, WAYS, Failed, Unlaunched, kernel, numbers

ORDINARY = 64738  # a uid that nobody has
MOST_LEFT_OUT = 60

# The battery's cases, and some of its classes that it does not list (X); one without a test and without a line in not_applicable.txt is a failure.
IDS = """
A01 A02 A04 A05 A07 A08 A10 A11 A13 A14 A16 A17 A19 A20 A22 A23 A25 A26 A28 A29 A31 A32 A34 A35 A37
A38 A40 A41 A43 A44 A46 A47 A49 A50
B01 B02 B04 B05 B07 B08 B10 B11 B13 B14 B16 B17 B19 B20 B22 B23 B25 B26 B28 B29 B31 B32
C01 C02 C04 C05 C07 C08 C10 C11 C13 C14 C16 C17 C19 C20 C22 C23
D01 D02 D04 D05 D07 D08 D10 D11 D13 D14
E01 E02 E04 E05 E07 E08 E10 E11 E13 E14 E16 E17
F01 F02 F04 F05 F07 F08 F10 F11 F13
G01 G02 G04 G05 G07 G08 G10 G11 G13 G14 G16 G17 G19 G20
H01 H02 H03 H04 H05 H06 H07 H08 H09 H10 H11 H12 H13 H14 H15
I01 I02 I04 I05 I07 I08 I10 I11 I13 I14 I16 I17 I19 I20 I22 I23 I25 I26
X01 X02 X03 X04 X05
""".split()


def options():
    p = argparse.ArgumentParser()
    p.add_argument("build", help="the folder of the programs, and of battery/*")
    p.add_argument("--quick", action="store_true", help="no controls, one form of each attack")
    p.add_argument("--sample", action="store_true", help="each case and way as one of the users only, "
                   "one neighbour in four; users at the same time")
    p.add_argument("--only", help="ID,ID")
    p.add_argument("--section", help="letters: AB")
    p.add_argument("--way", choices=[*WAYS, "direct"])
    p.add_argument("--user", choices=["root", "ordinary"], help="default: as root both")
    p.add_argument("--off", help="a wall to leave out; BUILD's callgated was made with WALLS=1")
    p.add_argument("--callgated", help="another one than BUILD's")
    p.add_argument("--groups", help="a folder of delegated control groups (v2): each daemon is started "
                   "in one of its own below it, and its calls must be held by it")
    p.add_argument("--slow", type=int, default=1, help="deadlines so many times as late, for a machine "
                   "that takes so many times as long")
    p.add_argument("--brief", action="store_true", help="a line only for what did not hold")
    p.add_argument("--json", help="results go there")
    p.add_argument("--output", choices=["text", "json"], default="text")
    p.add_argument("--trace", action="store_true", help="where in the case it failed")
    p.add_argument("--part", type=int, help=argparse.SUPPRESS)
    p.add_argument("--inner", help=argparse.SUPPRESS)
    return p.parse_args()


def table(name, fields):
    """Lines of words; the last field is the rest of the line."""
    rows = []
    try:
        with open(f"{HERE}/{name}") as f:
            for n, line in enumerate(f, 1):
                if line.strip() and not line.startswith("#"):
                    row = line.split(None, fields - 1)
                    if len(row) != fields or row[0] not in IDS:
                        raise SystemExit(f"battery: {name}:{n}: wants {fields} fields, the first a case")
                    rows.append(row)
    except FileNotFoundError:
        pass
    return rows


def load():
    """Registers all cases, and judges the tables against them."""
    for path in sorted(glob.glob(f"{HERE}/cases_*.py")):
        importlib.import_module(os.path.basename(path)[:-3])
    faults, left_out = [], {}
    rows = table("not_applicable.txt", 3)
    if len(rows) > MOST_LEFT_OUT:
        faults.append(f"not_applicable.txt has {len(rows)} entries, {MOST_LEFT_OUT} at most")
    for ident, ways, why in rows:
        for way in WAYS if ways == "all" else ways.split(","):
            if way not in WAYS:
                faults.append(f"not_applicable.txt: {ident}: no way {way}")
            left_out[ident, way] = why.strip()
    for ident in CASES:
        if ident not in IDS:
            faults.append(f"{ident}: not a case of the battery")
    for ident in IDS:
        ways = CASES[ident].ways if ident in CASES else ()
        for way in WAYS:
            if way in ways and (ident, way) in left_out:
                faults.append(f"{ident} {way}: listed as not applicable, and has a test")
            # What is no call of a tool is done in the one way that it can be done.
            if way not in ways and "direct" not in ways and (ident, way) not in left_out:
                faults.append(f"{ident} {way}: no test")
    known = {(i, way, user.partition("<")[0]): why.strip() for i, ways, user, why in table("known.txt", 4)
             for way in ((*WAYS, "direct") if ways == "all" else ways.split(","))
             if "<" not in user or kernel() < numbers(user.partition("<")[2])}
    return faults, left_out, known


def wanted(args):
    names = args.only.split(",") if args.only else [
        i for i in CASES if not args.section or i[0] in args.section]
    return [CASES[i] for i in IDS if i in names and i in CASES and (CASES[i].quick or not args.quick)]


def sampled(args, ident, way):
    """The quick form's share of this user: the same ones each time."""
    dice = zlib.crc32(f"{ident} {way}".encode())
    return (not args.sample or (args.part is None or dice % 2 == args.part)
            and (way != "neighbour" or dice // 2 % 4 == 0))


def one(gate, case, way, trace):
    """(what became of it, why)."""
    gate.control_default = case.control
    try:
        case.run(gate, way)
        gate.serving()
        return "held", ""
    except Failed as failed:
        why = str(failed)
    except Unlaunched as unlaunched:
        return "unlaunched", str(unlaunched)
    except Exception as error:  # the case is at fault, or the daemon in a way nobody thought of
        why = f"{type(error).__name__}: {error}"
    if trace:
        traceback.print_exc()
    return "FAILED", " ".join(why.split())[:900]


def inner(args):
    """One user's run, in a folder of its own. Prints a line a case; the results go to --json."""
    user = "root" if os.getuid() == 0 else "ordinary"
    faults, left_out, known = load()
    place = tempfile.mkdtemp(prefix="run.", dir=args.inner)
    os.chmod(place, 0o755)
    gate = Gate(place, f"{args.inner}/bin", args.quick, args.off)
    gate.sample, gate.slow, gate.groups = args.sample, args.slow, args.groups and f"{args.groups}/{user}"
    gate.start()
    results = []
    try:
        layers = gate.call("bash", {"command": "ls"}).layers if args.groups else []
        if args.groups and not any(layer.startswith("cgroup:v2") for layer in layers):
            raise SystemExit(f"battery: as {user}, calls have no control group of v2: {' '.join(layers)}")
        for case in wanted(args):
            said, whys, began = [], [], time.monotonic()
            gate.tidy()
            for way in case.ways:
                reason = known.get((case.ident, way, user)) or known.get((case.ident, way, "any"))
                if args.way and way != args.way or not sampled(args, case.ident, way):
                    continue
                # With a wall left out: what the policy alone decides is the same.
                if args.off and (reason or way == "neighbour" or way == "tool" and case.ident[0] == "A"):
                    continue
                what, why = one(gate, case, way, args.trace)
                if reason:
                    what, why = ("OPEN", reason) if what == "FAILED" else (
                        "FAILED", "known.txt lists it as open, and it holds")
                results.append({"id": case.ident, "title": case.title, "user": user, "way": way,
                                "result": what, "why": why})
                said.append(f"{way} {what}")
                if why:
                    whys.append(f"    {way}: {why}")
                if gate.daemon_process.poll() is not None:
                    gate.start()  # the next case has a daemon again
            said += [f"{way} n-a" for way in WAYS if said and (case.ident, way) in left_out and not args.way]
            took = time.monotonic() - began
            if said and args.output == "text" and (whys or not args.brief):
                print(f"{case.ident} {user:8} {case.title:44.44} {', '.join(said)}"
                      + (f" ({took:.1f} s)" if took > 5 else ""), *whys, sep="\n", flush=True)
        with_verify = None
        try:
            gate.verify()
        except Failed as failed:
            with_verify = str(failed)
    finally:
        gate.stop()
        shutil.rmtree(place, ignore_errors=True)
    with open(args.json, "w") as f:
        json.dump({"results": results, "verify": with_verify, "attacks": gate.attacks,
                   "controls": gate.controls, "faults": faults}, f)


def stage(args):
    """A copy that an ordinary user can read: programs, the battery, the probe."""
    place = tempfile.mkdtemp(prefix="callgate-battery.")
    os.chmod(place, 0o1777)
    os.mkdir(f"{place}/bin", 0o755)
    for path in [*glob.glob(f"{args.build}/callgate*"), *glob.glob(f"{args.build}/battery/*")]:
        shutil.copy(path, f"{place}/bin/")
    if args.callgated:
        shutil.copy(args.callgated, f"{place}/bin/callgated")
    shutil.copytree(HERE, f"{place}/battery", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a+rX", f"{place}/bin", f"{place}/battery"], check=True)
    return place


def delegate(groups, user):
    """A control group that this user's daemons may divide; the words before a command to run it there."""
    place = f"{groups}/{user}"
    os.mkdir(place)
    with open(f"{place}/cgroup.subtree_control", "w") as f:
        f.write("+memory +pids")
    if user == "ordinary":
        for path in (place, *(f"{place}/cgroup.{name}" for name in ("procs", "threads", "subtree_control"))):
            os.chown(path, ORDINARY, ORDINARY)
    return ["sh", "-c", ENTER, f"{place}/run-"]


def main():
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and what was started is ended
    if args.inner:
        return inner(args)
    if os.getuid() != 0 and not args.user:
        # The probes would be files that the daemon's user can change, and no policy may name such.
        print("battery: not judged: only root can own the programs that its policies name")
        return 0
    users = [args.user] if args.user else ["root", "ordinary"]
    if "root" in users and os.getuid() != 0:
        raise SystemExit("battery: only root can run it as root")
    place, runs, started = stage(args), [], []
    passed = sys.argv[2:]
    try:
        for user in users:
            out = f"{place}/results.{user}"
            line = ["/usr/bin/python3", "-B", f"{place}/battery/run.py", args.build, *passed,
                    "--inner", place, "--json", out]
            if args.sample and len(users) == 2:
                line += ["--part", str(users.index(user))]
            if user == "ordinary" and os.getuid() == 0:
                line = ["setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY),
                        "--clear-groups", "--", *line]
            if args.groups:
                line = delegate(args.groups, user) + line
            env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                   "HOME": place, "LANG": "C.UTF-8"}
            started.append(subprocess.Popen(line, env=env, cwd=place))
            if not args.sample:
                started[-1].wait()
        for process, user in zip(started, users):
            if process.wait():
                raise SystemExit(f"battery: the run as {user} ended with {process.returncode}")
            with open(f"{place}/results.{user}") as f:
                runs.append(json.load(f))
    finally:
        for process in started:
            process.poll() is None and process.terminate()
            process.wait()
        shutil.rmtree(place, ignore_errors=True)
    return report(args, runs)


def report(args, runs):
    results = [r for run in runs for r in run["results"]]
    faults = runs[0]["faults"] if not (args.only or args.section or args.way or args.off) else []
    faults += [run["verify"] for run in runs if run["verify"]]
    count = collections.Counter(r["result"] for r in results)
    whole = {"results": results, "faults": faults, "held": count["held"], "open": count["OPEN"],
             "failed": count["FAILED"], "attacks": sum(r["attacks"] for r in runs),
             "controls": sum(r["controls"] for r in runs)}
    if args.json:
        with open(args.json, "w") as f:
            json.dump(whole, f, indent=1)
    if args.output == "json":
        print(json.dumps(whole, indent=1))
    else:
        for fault in faults:
            print(f"FAILED battery: {fault}")
        print(f"battery: {count['held']} of {len(results)} held, {count['OPEN']} open, "
              f"{count['FAILED'] + len(faults)} failed; {whole['attacks']} attacks, "
              f"{whole['controls']} of them shown to work without callgate")
    return 1 if count["FAILED"] or faults or not results else 0


if __name__ == "__main__":
    sys.exit(main())
