"""The real effects that attacks try to have: a file, a byte at a listener, a process that lives."""
import os, random, select, socket, threading


class Listeners:
    """Stream and datagram sockets of the host, inet and Unix, path and abstract; all are counted."""

    def __init__(self, folder):
        self.hits, self.open = [], []
        self.tcp_port = self._add("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp_port = self._add("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.path, self.dgram_path = f"{folder}/stream.sock", f"{folder}/dgram.sock"
        self._add("unix", socket.AF_UNIX, socket.SOCK_STREAM, self.path)
        self._add("unix-dgram", socket.AF_UNIX, socket.SOCK_DGRAM, self.dgram_path)
        self.abstract = f"battery-{os.getpid()}-{random.randrange(1 << 30)}"
        self._add("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        self._add("abstract-dgram", socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + self.abstract + "-d")
        for path in (self.path, self.dgram_path):
            os.chmod(path, 0o777)
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        """Stops listening; hits stay."""
        os.write(self._wake[1], b"x")
        self._thread.join()
        for _, s in self.open:
            s.close()
        for path in (self.path, self.dgram_path):
            os.unlink(path)
        for fd in self._wake:
            os.close(fd)

    def _add(self, name, family, kind, address):
        s = socket.socket(family, kind)
        s.bind(address)
        if kind == socket.SOCK_STREAM:
            s.listen(64)
        s.setblocking(False)
        self.open.append((name, s))
        return s.getsockname()[1] if family == socket.AF_INET else None

    def _serve(self):
        names = {s: n for n, s in self.open}
        while True:
            for s in select.select([*names, self._wake[0]], [], [])[0]:
                if s == self._wake[0]:
                    return
                try:
                    if s.type == socket.SOCK_STREAM:
                        peer, _ = s.accept()
                        peer.close()
                    else:
                        s.recv(65536)
                    self.hits.append(names[s])
                except OSError:
                    pass


class Marker:
    """A number that only this attack's processes have on their command line ({M}: sleep {M})."""

    def __init__(self):
        self.text = str(random.randrange(10 ** 9, 2 * 10 ** 9))

    def alive(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    line = f.read()
                with open(f"/proc/{pid}/stat") as f:
                    dead = f.read().rsplit(")", 1)[1].split()[0] in "ZX"
            except OSError:
                continue
            if self.text.encode() in line and not dead and int(pid) != os.getpid():
                found.append(int(pid))
        return found
