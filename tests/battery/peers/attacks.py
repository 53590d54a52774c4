#!/usr/bin/env python3
"""What an agent's program tries, inside whichever sandbox it finds itself in.
usage: attacks.py NAME KEY=VALUE...   The effect, or its absence, is looked for outside by run.py."""
import ctypes, os, platform, signal, socket, subprocess, sys, time

name = sys.argv[1]
facts = dict(word.split("=", 1) for word in sys.argv[2:])
libc = ctypes.CDLL(None, use_errno=True)
attacks = {}


def attack(function):
    attacks[function.__name__] = function
    return function


def put(path, text="taken\n"):
    with open(path, "w") as out:
        out.write(text)


def tell(*words):
    """Something got out by the program's own output: run.py looks for it."""
    print(*words, flush=True)


def syscall(*words):
    result = libc.syscall(*words)
    return result if result >= 0 else -ctypes.get_errno()


def fork_child():
    """A second process; True in it."""
    return os.fork() == 0


# ---- files ---------------------------------------------------------------------------------------
@attack
def write_outside():
    put(facts["out"] + "/canary")


@attack
def write_home():
    put(facts["home"] + "/.bashrc")


@attack
def write_sibling():
    put(facts["ws"] + "-evil/canary")


@attack
def write_through_link():
    os.symlink(facts["out"], "link")
    put("link/canary")


@attack
def write_through_parent_fd():
    descriptor = os.open("..", os.O_RDONLY)
    os.close(os.open(os.path.relpath(facts["out"], os.path.dirname(facts["ws"])) + "/canary",
                     os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))


@attack
def hard_link():
    os.link(facts["out"] + "/mine", "mine")
    put("mine", "taken\n")


@attack
def remount():
    subprocess.run(["mount", "-o", "remount,rw", "/"], check=False)
    put(facts["out"] + "/canary")


@attack
def git_hook():
    os.makedirs(".git/hooks", exist_ok=True)
    put(".git/hooks/post-checkout", "#!/bin/sh\n")


@attack
def editor_task():
    os.makedirs(".vscode", exist_ok=True)
    put(".vscode/tasks.json", "{}\n")


@attack
def read_secret():
    tell(open(facts["out"] + "/secret").read())


@attack
def read_by_proc_root():
    for one in ("1", "self", str(os.getppid())):
        try:
            tell(open(f"/proc/{one}/root{facts['out']}/secret").read())
        except OSError:
            pass


@attack
def read_environment():
    tell(os.environ.get("GATE_TEST_SECRET", ""))
    for one in os.listdir("/proc"):
        try:
            tell(open(f"/proc/{one}/environ", errors="replace").read())
        except OSError:
            pass


@attack
def read_left_open():
    for descriptor in range(3, 1024):
        try:
            tell(os.pread(descriptor, 100, 0).decode(errors="replace"))
        except OSError:
            pass


@attack
def huge_file():
    with open("huge", "wb") as out:
        out.truncate(1 << 40)


# ---- what runs -----------------------------------------------------------------------------------
@attack
def run_unlisted():
    subprocess.run(["/usr/bin/touch", "ran"], check=False)


@attack
def run_copied():
    with open("/usr/bin/touch", "rb") as a, open("ls", "wb") as b:
        b.write(a.read())
    os.chmod("ls", 0o755)
    subprocess.run(["./ls", "ran"], check=False)


@attack
def run_by_loader():
    loader = "/lib64/ld-linux-x86-64.so.2"
    if platform.machine() == "aarch64":
        loader = "/lib/ld-linux-aarch64.so.1"
    subprocess.run([loader, "/usr/bin/touch", "ran"], check=False)


@attack
def run_from_memory():
    memory = os.memfd_create("x", 0)
    with open("/usr/bin/touch", "rb") as program:
        os.write(memory, program.read())
    if fork_child():
        os.execv(f"/proc/self/fd/{memory}", ["touch", "ran"])
    os.wait()


# ---- processes -----------------------------------------------------------------------------------
@attack
def kill_host_process():
    os.kill(int(facts["victim"]), signal.SIGKILL)


@attack
def kill_everything_seen():
    for one in os.listdir("/proc"):
        if one.isdigit() and int(one) not in (1, os.getpid(), os.getppid()):
            command = open(f"/proc/{one}/cmdline").read()
            if "gate-test-victim" in command and "attacks.py" not in command:
                os.kill(int(one), signal.SIGKILL)


@attack
def outlive_the_call():
    if fork_child():
        os.setsid()
        if fork_child():
            for descriptor in range(3):
                os.close(descriptor)
            time.sleep(3)
            put("late")
        os._exit(0)
    tell("done")


@attack
def outlive_the_launcher():
    """The launcher is killed two seconds later; nothing of it may go on."""
    time.sleep(5)
    put("late")


@attack
def hold_the_pipe():
    if fork_child():
        time.sleep(20)
    os._exit(0)


@attack
def many_processes():
    alive = 0
    for _ in range(300):
        try:
            if fork_child():
                time.sleep(6)
                os._exit(0)
            alive += 1
        except OSError:
            break
    tell("alive", alive)


@attack
def eat_memory():
    held = bytearray()
    for _ in range(24):
        held += b"x" * (32 << 20)
    tell("held", len(held) >> 20)


# ---- network and sockets -------------------------------------------------------------------------
@attack
def tcp():
    with socket.create_connection(("127.0.0.1", int(facts["tcp"])), 2) as to:
        to.sendall(b"out")


@attack
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"out", ("127.0.0.1", int(facts["udp"])))


@attack
def abstract_socket():
    with socket.socket(socket.AF_UNIX) as to:
        to.connect("\0" + facts["abstract"])
        to.sendall(b"out")


@attack
def socket_in_the_workspace():
    with socket.socket(socket.AF_UNIX) as to:
        to.connect("service.sock")
        to.sendall(b"out")


@attack
def socket_outside():
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(facts["out"] + "/service.sock")
        to.sendall(b"out")


# ---- kernel surface: the call succeeds -------------------------------------------------------------
NUMBERS = {"x86_64": {"io_uring_setup": 425, "unshare": 272, "userfaultfd": 323, "keyctl": 250,
                      "perf_event_open": 298, "bpf": 321, "ptrace": 101, "clone3": 435},
           "aarch64": {"io_uring_setup": 425, "unshare": 97, "userfaultfd": 282, "keyctl": 219,
                       "perf_event_open": 241, "bpf": 280, "ptrace": 117, "clone3": 435}}
NUMBER = NUMBERS.get(platform.machine(), {})


@attack
def io_uring():
    tell("result", syscall(NUMBER["io_uring_setup"], 4, ctypes.create_string_buffer(120)))


@attack
def nested_namespace():
    tell("result", syscall(NUMBER["unshare"], 0x10000000))


@attack
def user_fault():
    tell("result", syscall(NUMBER["userfaultfd"], 1))


@attack
def keyring():
    tell("result", syscall(NUMBER["keyctl"], 0, -3, 1))  # KEYCTL_GET_KEYRING_ID, session


@attack
def crypto_socket():
    socket.socket(38, socket.SOCK_SEQPACKET)  # AF_ALG
    tell("result", 0)


@attack
def packet_by_netlink():
    socket.socket(16, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    tell("result", 0)


@attack
def work():
    """No attack: what every sandbox must let its program do."""
    put("worked")


tell("began")
attacks[name]()
