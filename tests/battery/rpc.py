"""The socket protocol, as a client speaks it: one connection, any number of requests in flight."""
import json, re, socket, threading


class Result:
    """What became of one call: the answer and its two records."""

    def __init__(self, answer):
        self.answer = answer
        self.error = answer.get("error")
        result = answer.get("result", {})
        data = (self.error or {}).get("data") or {}
        self.meta = result.get("_meta", {}).get("callgate/call") or data.get("callgate/call") or {}
        self.id = self.meta.get("id")
        self.decision, self.outcome = self.meta.get("decision"), self.meta.get("outcome")
        self.rule = self.meta.get("rule") or ""
        self.layers = self.meta.get("layers") or []
        self.is_error = bool(self.error) or result.get("isError", False)
        said = result.get("structuredContent") or {}
        self.stdout, self.stderr = said.get("stdout", ""), said.get("stderr", "")
        self.code = said.get("exit_code")
        self.text = "\n".join(c.get("text", "") for c in result.get("content", []))
        if self.error:
            self.text = self.error.get("message", "")
        pending = re.search(r"approval (\w+) waits", self.text)
        self.approval = pending.group(1) if pending else None
        self.decisions, self.outcomes, self.records, self.all = [], [], [], [self]

    def __repr__(self):
        return f"{self.decision}/{self.outcome} {self.rule} code {self.code}: {self.text[:300]}"


class Connection:
    """Thread-safe: answers are sorted to who waits for them."""

    def __init__(self, path, timeout=120):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.timeout, self.next, self.answers = timeout, 0, {}
        self.notes, self.ended = [], False
        self.news = threading.Condition()
        self.sending = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while True:
            try:
                piece = self.socket.recv(1 << 16)
            except OSError:
                piece = b""
            *lines, rest = (rest + piece).split(b"\n")
            with self.news:
                for line in filter(None, lines):
                    message = json.loads(line)
                    if "id" in message and "method" not in message:
                        self.answers[message["id"]] = message
                    else:
                        self.notes.append(message)
                self.ended = not piece
                self.news.notify_all()
            if not piece:
                return

    def raw(self, line):
        with self.sending:
            self.socket.sendall(line if isinstance(line, bytes) else line.encode())

    def send(self, method, params=None):
        with self.sending:
            self.next += 1
            ident = self.next
            self.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": ident, "method": method,
                                            "params": params or {}}).encode() + b"\n")
        return ident

    def wait(self, ident, timeout=None):
        """The answer with that id (None: an error about the line itself)."""
        with self.news:
            if not self.news.wait_for(lambda: ident in self.answers or self.ended,
                                      timeout or self.timeout):
                raise TimeoutError(f"no answer to {ident}")
            if ident not in self.answers:
                raise ConnectionError(f"the daemon hung up before it answered {ident}")
            return self.answers.pop(ident)

    def ask(self, method, params=None, timeout=None):
        return self.wait(self.send(method, params), timeout)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
