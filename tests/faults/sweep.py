"""Each system call of the launch path fails once, in a real daemon.

usage: sweep.py BIN DIR [--quick SECONDS] [--seed N] [--only WHO[:K[:N]]], each a pattern

One launch without a fault is counted first: how many calls the warden, its helpers, the zygote, a
prepared cell, a newborn cell and the tool's process before its exec make. Then each of them fails in
turn, with one errno and with another (tracer.c), and this must hold whatever happened:

- a tool ran only if its start is on record, and then its end is, too, exactly once;
- what a client was told ran, ran; what it was told did not run and has no start, did not;
- no process of the tool lives when the client has its answer, or when the daemon is gone;
- every call that was decided has exactly one outcome, that which the client was told;
- the daemon serves the next call, or has ended, with everything of it dead, and serves when it is
  started again; and the trail verifies.

Last line: "faults: N held, N failed ...".
"""
import argparse
from fnmatch import fnmatch
import glob
import json
import os
import random
import subprocess
import sys
import time

WHO = ("warden", "helper", "zygote", "cell", "newborn", "tool")
# Newborn cells are only waited for where more calls come than cells are kept ready.
CROWD = 4
CALL_S = 100  # a part that lives but does not answer is given up after a minute
END_S = 40
HITS = 12  # of a quick sweep, however slow the machine is


class Failed(Exception):
    pass


class Trail:
    """The records of each call, as far as they were read."""

    def __init__(self, folder):
        self.folder, self.offsets, self.calls = folder, {}, {}

    def read(self):
        for path in sorted(glob.glob(self.folder + "/*.jsonl")):
            with open(path, "rb") as file:
                file.seek(self.offsets.get(path, 0))
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self.offsets[path] = self.offsets.get(path, 0) + len(line)
                    record = json.loads(line)
                    if record.get("call"):
                        self.calls.setdefault(record["call"], []).append(record)
        return self.calls


class Gate:
    def __init__(self, programs, folder):
        self.bin, self.dir, self.tracer, self.starts = programs, folder, None, 0
        self.trail = Trail(folder + "/state/audit")
        self.env = dict(os.environ, CALLGATE_SOCKET=folder + "/run/callgate.sock",
                        CALLGATE_HOME=folder + "/state", XDG_CONFIG_HOME=folder)
        os.makedirs(folder + "/workspace", mode=0o700)
        uid = os.getuid()
        with open(folder + "/callgate.yaml", "w", encoding="ascii") as file:
            os.chmod(file.fileno(), 0o600)
            file.write(f"""version: 1
server: {{socket: {{path: run/callgate.sock}}}}
roles: {{all: {{tools: ["*"]}}}}
principals: [{{peer_uid: {uid}, roles: [all]}}]
namespaces: {{default: {{working_directory: ./workspace}}}}
tools:
  bash: {{type: command, deny_by_default: true, allowed_commands: [sh, sleep, touch],
         max_execution_time: 8s, sandbox: {{memory: 256MiB, pids: 64, cpu: 5s}}}}
""")

    def start(self):
        self.starts += 1
        log = open(self.dir + "/daemon.log", "a", encoding="utf-8")
        self.tracer = subprocess.Popen(
            [self.bin + "/tracer", self.bin + "/callgated", "--config", self.dir + "/callgate.yaml",
             "--state", self.dir + "/state"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, env=self.env, cwd=self.dir, text=True)
        end = time.monotonic() + 120
        while subprocess.run([self.bin + "/callgate", "status"], env=self.env, check=False,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > end or self.state()[0] != "alive":
                raise Failed("the daemon does not start")
            time.sleep(0.02)

    def ask(self, word):
        self.tracer.stdin.write(word + "\n")
        self.tracer.stdin.flush()
        return self.tracer.stdout.readline().split()

    def state(self):
        return self.ask("state")

    def disarm(self):
        line, answer = self.ask("disarm"), {"count": {}}
        while line[0] != "end":
            if line[0] == "count":
                answer["count"][line[1]] = int(line[2])
            else:
                answer[line[0]] = line[1:]
            line = self.tracer.stdout.readline().split()
        return answer

    def call(self, mark):
        """A tool that leaves a mark, and a process behind it that nobody asked for."""
        script = f"sleep {mark} & touch {mark}"
        return subprocess.Popen(
            [self.bin + "/callgate", "--output", "json", "call", "bash",
             "argv:=" + json.dumps(["sh", "-c", script])],
            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        if self.tracer:
            self.tracer.stdin.close()
            self.tracer.wait()
            self.tracer = None


def meta(text):
    """What a result says of its call; None: no result, or not of a call."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    for place in (answer, answer.get("error", {}).get("data", {}), answer.get("data", {})):
        found = place.get("_meta", place) if isinstance(place, dict) else {}
        if "callgate/call" in found:
            return found["callgate/call"]
    return None


def sleepers(marks):
    left = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0] == b"sleep" and words[1].decode() in marks:
            left.append(words[1].decode())
    return left


def crowd_for(who):
    return CROWD if who in ("helper", "zygote", "newborn") else 1


def looks(pid):
    said = []
    for name in ("cmdline", "wchan", "status"):
        try:
            with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
                said.append(" ".join(file.read().replace("\0", " ").split()[:12]))
        except OSError:
            said.append("?")
    return " | ".join(said)


def need(truth, what):
    if not truth:
        raise Failed(what)


class Sweep:
    def __init__(self, gate, seed):
        self.gate, self.mark, self.seen = gate, os.getpid() * 10**6, set()  # and no other sweep's
        self.random = random.Random(seed)
        self.answer = {"fault": [""]}
        self.slowest = (0, "")

    def launch(self, crowd):
        marks = [str(self.mark + i) for i in range(crowd)]
        self.mark += crowd
        calls = [self.gate.call(mark) for mark in marks]
        said = []
        for call in calls:
            try:
                out, _ = call.communicate(timeout=CALL_S)
            except subprocess.TimeoutExpired:
                call.kill()
                call.communicate()
                raise Failed(f"no answer within {CALL_S} s") from None
            said.append(meta(out))
        return marks, said

    def await_end(self, answered):
        """True: the daemon has ended, and so has everything of it. Who got no answer lost a daemon
        that may still be ending."""
        end = time.monotonic() + END_S
        state = self.gate.state()
        while state[0] == "alive" and not answered or state[0] == "gone" and len(state) > 2:
            need(time.monotonic() < end, f"no answer, and {' '.join(state)} after {END_S} s: "
                 + "; ".join(map(looks, state[2:])))
            time.sleep(0.02)
            state = self.gate.state()
        return state[0] == "gone"

    def serve(self):
        """One more call; False: the daemon has ended instead. It may be about to; and where the
        fault was in a cell that nobody waited for yet, this call may have met it."""
        marks, said = self.launch(1)
        if said[0] and said[0]["outcome"] == "unavailable":
            marks, said = self.launch(1)
        if said[0] and said[0]["outcome"] == "completed":
            need(os.path.exists(f"{self.gate.dir}/workspace/{marks[0]}"), "the next call left no mark")
            return True
        end = time.monotonic() + END_S
        while time.monotonic() < end:
            if self.await_end(True):
                return False
            time.sleep(0.05)
        raise Failed(f"the next call is not served: {said[0]}")

    def judge(self, marks, said, answer, ended):
        fresh = {call: records for call, records in self.gate.trail.read().items()
                 if call not in self.seen}
        self.seen.update(fresh)
        outcomes, starts = {}, 0
        for call, records in fresh.items():
            kinds = [record["type"] for record in records]
            outcomes[call] = [r["outcome"] for r in records if r["type"] == "call.outcome"]
            need(len(outcomes[call]) == 1, f"{call}: {len(outcomes[call])} outcomes")
            need(kinds.count("call.decision") <= 1, f"{call}: decided twice")
            need(kinds.count("exec.start") <= 1, f"{call}: started twice")
            need(kinds.count("exec.start") == kinds.count("exec.exit"), f"{call}: {kinds}")
            starts += kinds.count("exec.start")
        left = [m for m in marks if os.path.exists(f"{self.gate.dir}/workspace/{m}")]
        if not ended:  # the call after is among the fresh ones, and ran
            starts -= 1
        need(int(answer["ran"][0]) <= starts,
             f"{answer['ran'][0]} ran, {starts} starts recorded; said {said}, ended {ended}, "
             f"{[[r['type'] for r in records] for records in fresh.values()]}")
        need(len(left) <= int(answer["ran"][0]), "a mark without a tool")
        for mark, call in zip(marks, said):
            if not call:
                need(ended, "an answer without a call, and the daemon lives")
                continue
            need(outcomes.get(call["id"]) == [call["outcome"]],
                 f"told {call['outcome']}, recorded {outcomes.get(call['id'])}")
            if call["outcome"] == "completed":
                need(mark in left, "completed, but no mark")
            kinds = [record["type"] for record in fresh[call["id"]]]
            if "exec.start" not in kinds:
                need(mark not in left, f"{call['outcome']} without a start, but it ran")
        return [call["outcome"] if call else "lost" for call in said]

    def one(self, who, at, variant):
        crowd = crowd_for(who)
        begun = time.monotonic()
        self.gate.ask(f"arm {who} {at} {variant}")
        marks, said = self.launch(crowd)
        answer = self.answer = self.gate.disarm()
        ended = self.await_end(all(said))
        if not ended:
            need(answer["tools"][0] == "0", "a tool lives on behind its answer")
            need(not sleepers(marks), "a process of the tool lives on behind the answer")
            ended = not self.serve()
        if ended:
            need(not sleepers(marks), "a process of the tool outlives the daemon")
            self.gate.end()
            self.gate.start()
        words = self.judge(marks, said, answer, ended)
        if ended:
            need(self.serve(), "the daemon that was started again ended")
            self.gate.trail.read()
            self.seen.update(self.gate.trail.calls)
        took = time.monotonic() - begun
        self.slowest = max(self.slowest, (took, f"{who}:{at}:{variant} {' '.join(answer['fault'])}"))
        return answer, "ended" if ended else "ran" if words == ["completed"] * crowd else "refused"

    def count(self):
        most = dict.fromkeys(WHO, 0)
        for crowd in (1, 1, CROWD, CROWD):
            self.gate.ask("arm none 0 0")
            marks, said = self.launch(crowd)
            answer = self.gate.disarm()
            need(all(call and call["outcome"] == "completed" for call in said),
                 f"a call without a fault: {said}")
            need(self.serve(), "it ended without a fault")
            self.judge(marks, said, answer, False)
            for who in WHO:
                if crowd == crowd_for(who):
                    most[who] = max(most[who], answer["count"][who])
        return most

    def order(self, most, quick):
        every = [(who, at, variant) for who in WHO for at in range(1, most[who] + 1)
                 for variant in (0, 1)]
        if not quick:
            return every
        chosen = []
        for who in WHO:  # each kind alike, however many calls it makes
            own = [fault for fault in every if fault[0] == who]
            self.random.shuffle(own)
            chosen.append(own)
        return [own[i] for i in range(max(map(len, chosen))) for own in chosen if i < len(own)]


def run(sweep, faults, quick):
    end = time.monotonic() + quick if quick else None
    table = {who: {} for who in WHO}
    held = failed = 0
    for who, at, variant in faults:
        hits = sum(table[w].get(became, 0) for w in WHO for became in ("ran", "refused", "ended"))
        if end and time.monotonic() > end and hits >= HITS:
            break
        name = f"{who}:{at}:{variant}"
        try:
            answer, became = sweep.one(who, at, variant)
            kind = answer["fault"][0]
            became = became if kind == "hit" else kind
            held += 1
            if os.environ.get("FAULTS_TELL"):
                print(name, *answer["fault"], "->", became, flush=True)
        except Failed as why:
            failed += 1
            became = "FAILED"
            print(f"FAILED {name} {' '.join(sweep.answer['fault'])}: {why}", flush=True)
            sweep.gate.end()
            sweep.gate.start()
            sweep.gate.trail.read()
            sweep.seen.update(sweep.gate.trail.calls)
        table[who][became] = table[who].get(became, 0) + 1
    return table, held, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("dir")
    parser.add_argument("--quick", type=float, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only")
    parser.add_argument("--times", type=int, default=1)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 31)
    gate = Gate(args.bin, args.dir)
    sweep = Sweep(gate, seed)
    try:
        gate.start()
        most = sweep.count()
        print("calls of a launch: " + ", ".join(f"{who} {most[who]}" for who in WHO), flush=True)
        faults = sweep.order(most, args.quick)
        if args.only:
            wish = (args.only.split(":") + ["*", "*"])[:3]
            faults = [f for f in faults if all(fnmatch(str(v), w) for w, v in zip(wish, f))] * args.times
        table, held, failed = run(sweep, faults, args.quick)
        need(sweep.serve(), "it does not serve in the end")
    except Failed as why:
        print(f"faults: {why}")
        with open(gate.dir + "/daemon.log", encoding="utf-8") as log:
            print("".join(log.readlines()[-10:]))
        return 1
    finally:
        gate.end()
    for who in WHO:
        print(f"  {who:8}" + "".join(f" {k} {n}" for k, n in sorted(table[who].items())))
    print(f"  slowest {sweep.slowest[0]:.1f} s: {sweep.slowest[1]}; started {gate.starts} times")
    verdict = subprocess.run([gate.bin + "/callgate", "audit", "verify", "--semantic",
                              gate.dir + "/state/audit"], env=gate.env, check=False, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if verdict.returncode:
        failed += 1
        print("FAILED audit verify --semantic: " + verdict.stdout)
    hits = sum(n for row in table.values() for k, n in row.items() if k not in ("missed", "immune"))
    refused = sum(row.get("refused", 0) for row in table.values())
    if not args.only and (hits < HITS or hits < len(faults) / 2 and not args.quick or not refused):
        failed += 1
        print(f"FAILED of {len(faults)} faults {hits} hit and {refused} refused: the sweep does not work")
    print(f"faults: {held} held, {failed} failed, {hits} hit, seed {seed}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
