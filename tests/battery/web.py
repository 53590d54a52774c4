"""A daemon with an HTTP door, and a client that says exactly what it is told to."""
import contextlib, json, re, secrets, socket


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Web:
    """What a case knows of the HTTP door of its daemon."""

    def __init__(self, port, key):
        self.port, self.key = port, key

    def raw(self, data, wait=10):
        """Bytes there, everything back; as far as they come within the time."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), wait) as s:
            got = b""
            with contextlib.suppress(OSError):
                s.sendall(data)
            with contextlib.suppress(OSError):
                while more := s.recv(65536):
                    got += more
            return got
        return b""

    def ask(self, method, path, body=None, key=True, **headers):
        """(status, header text, body) of one request; key: True the good one, None none, or a text."""
        lines = [f"{method} {path} HTTP/1.1", "Connection: close"]
        headers.setdefault("Host", "localhost")
        if key:
            lines.append(f"Authorization: Bearer {self.key if key is True else key}")
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content_Type", "application/json")
            headers.setdefault("Content_Length", len(body))
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items() if v is not None]
        got = self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        head, _, text = got.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        return int(status.group(1)) if status else 0, head.decode("latin-1"), text.decode("utf-8", "replace")

    def rpc(self, method, params=None, **more):
        return self.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}, **more)


def must(g):
    """Walls that a policy of one's own may demand when one of them is left out."""
    return f"require: [{'root' if g.off == 'fds' else 'fds'}]" if g.off else "workspace: rw"


@contextlib.contextmanager
def web_daemon(g, tools, server="", auth="", roles=None, principals="", extra="", env=None, prepare=None):
    """A further daemon with a port and one static key (role agent). Gives (daemon, Web)."""
    web = Web(free_port(), secrets.token_hex(24))
    top = (f"server:\n  socket: {{path: run/callgate.sock}}\n  port: {web.port}\n"
           f"  auth: {{enabled: true, api_keys: [\"${{API_KEY_1}}\"]{auth}}}\n{server}{extra}")
    roles = roles or ("  agent: {tools: ['*']}\n  human: {tools: ['*'], approve: ['*'], permissions: "
                      "[approvals:read, approvals:decide, daemon:control]}")
    who = (f"  - {{peer_uid: {g.uid}, roles: [agent, human]}}\n  - {{api_key: API_KEY_1, roles: [agent]}}\n"
           f"{principals}").rstrip()
    with g.daemon(policy=g.policy(tools=tools, extra=top, principals=who, roles=roles),
                  env={"API_KEY_1": web.key, **(env or {})}, prepare=prepare) as d:
        import time
        end = time.monotonic() + 20
        while web.ask("GET", "/health", key=None)[0] != 200 and time.monotonic() < end:
            time.sleep(0.05)
        yield d, web
