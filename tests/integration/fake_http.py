"""A fake gate and a fake provider of tokens over TLS: fake_http.py FOLDER [--plain] [--client-ca FILE].

FOLDER holds cert.pem and key.pem, and gets: ready ("PORT" once it listens), log (one JSON line for
each request: method, path, headers, body). What it does next is read from FOLDER/way before each
answer, a word and perhaps a number, so that a case can change it; no file: it answers well.

  401 403 429 503 500 404   that status, with {"error": ...}
  rpc403                    403 with a JSON-RPC error
  redirect                  307 to another place of this server, where a good answer would be
  html                      200 with text/html
  huge                      a JSON answer of 20 MB
  hugeheader                1 MB of headers
  other                     an answer to another id
  none                      200 and application/json with nothing
  sse ssecut ssemany ssehuge ssestay
                            events; cut: the stream ends before the answer; many: a notification and a
                            question first, in odd pieces; stay: the stream stays open behind the answer
  slow                      the answer comes after 3 s
  hold holdcall             no answer at all, or none to calls; a client that hangs up is noted in
                            FOLDER/gone
The provider: FOLDER/login holds the answers of the token endpoint, one word a request, the last for
good (pending slow denied expired down grant short norefresh badtype); FOLDER/meta, a word, spoils
the metadata (issuer resource http nodevice elsewhere).
"""
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

folder = sys.argv[1]
plain = "--plain" in sys.argv
client_ca = sys.argv[sys.argv.index("--client-ca") + 1] if "--client-ca" in sys.argv else None
lock = threading.Lock()
tokens = [0]
FACTS = {"id": "c1", "outcome": "completed", "exit": {"code": 0}, "usage": {"out_bytes": 3, "err_bytes": 0}}
TOOL = {"name": "bash", "description": "commands", "inputSchema": {"type": "object", "properties": {"command": {"type": "string"}}}}
APPROVAL = {"id": "a1b2c3d4e5", "tool": "bash", "principal": "key:ci", "command": "touch x", "plan": "sha256:" + "0" * 64,
            "expires": "2099-01-01T00:00:00.000000Z", "details": "line one", "scopes": ["once"]}
KEY = "cg_live_" + "k" * 43


def word(name, default=""):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read().strip() or default
    except FileNotFoundError:
        return default


def call(params):
    arguments = params.get("arguments", {})
    command = arguments.get("command", " ".join(arguments.get("argv", [])))
    if command == "false":
        return {"content": [{"type": "text", "text": "exit 1"}], "isError": True,
                "structuredContent": {"stdout": "", "stderr": "", "exit_code": 1, "truncated": False},
                "_meta": {"callgate/call": dict(FACTS, exit={"code": 1})}}
    if command.startswith("rm"):
        return {"content": [{"type": "text", "text": "refused: rm is denied"}], "isError": True,
                "_meta": {"callgate/call": {"outcome": "refused"}}}
    text = arguments.get("stdin", "hi\n")
    return {"content": [{"type": "text", "text": text}], "structuredContent": {"stdout": text, "stderr": "", "exit_code": 0, "truncated": False},
            "_meta": {"callgate/call": FACTS}}


def result_of(method, params):
    """The result, or an error as (code, message)."""
    answers = {
        "initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "fake", "version": "1"}},
        "ping": {},
        "tools/list": {"tools": [TOOL]},
        "callgate/status": {"version": "0", "pid": 7, "uid": 7, "uptime_s": 1, "state": "/s", "policy": {"file": "/p", "version": "sha256:0"},
                            "calls": {"running": 0, "waiting": 0}, "audit": {"size": 1, "root": "00"}},
        "callgate/agents/list": {"agents": [{"name": "coder", "visibility": "public", "tools": ["bash"]}]},
        "callgate/explain": {"text": "decision allow\n", "decision": "allow"},
        "callgate/approvals/list": {"revision": 1, "approvals": [APPROVAL]},
        "callgate/approvals/watch": {"revision": 1, "approvals": [APPROVAL]},
        "callgate/approvals/decide": {"id": APPROVAL["id"], "state": "approved" if params.get("decision") == "approve" else "denied"},
        "callgate/grants/list": {"grants": [{"id": "g1b2c3d4", "tool": "bash", "scope": "always", "principal": "key:ci"}]},
        "callgate/grants/revoke": {"id": "g1b2c3d4", "state": "revoked"},
        "callgate/reload": {"version": "sha256:1"},
        "callgate/shutdown": {},
        "callgate/whoami": {"principal": "jwt:anna", "proof": "jwt", "roles": ["operator"], "permissions": ["audit:read"],
                            "tenant": "acme", "namespaces": ["default"], "agents": [], "expires": "2099-01-01T00:00:00.000000Z"},
        "callgate/keys/create": {"id": "key_1", "key": KEY},
        "callgate/keys/list": {"keys": [{"id": "key_1", "label": "ci\u001b[2J", "tenant": "acme", "created": 1700000000, "expires": 0,
                                         "roles": ["developer"], "tools": ["bash"]}]},
        "callgate/keys/rotate": {"id": "key_1", "key": KEY},
        "callgate/keys/revoke": {"id": "key_1"},
        "callgate/tokens/issue": {"id": "tok_1", "token": "aaa.bbb.ccc", "expires": "2099-01-01T00:00:00.000000Z", "granted": {"tools": ["bash"]}},
        "callgate/config/read": {"config": "version: 1\n", "version": "ab" * 32},
        "callgate/config/write": {"version": "cd" * 32, "difference": ["role developer gains git"], "warnings": ["git is missing"]},
    }
    if method == "tools/call":
        return call(params), None
    if method in ("callgate/stdin", "callgate/output"):
        return None, (-32601, "streams are not served over HTTP")
    return answers.get(method), (-32601, "Method not found: " + method)


def rpc(message):
    result, error = result_of(message["method"], message.get("params") or {})
    answer = {"jsonrpc": "2.0", "id": message["id"]}
    if result is None:
        answer["error"] = {"code": error[0], "message": error[1]}
    else:
        answer["result"] = result
    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, body):
        with lock, open(os.path.join(folder, "log"), "a", encoding="utf-8") as log:
            log.write(json.dumps({"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                                  "body": body.decode("utf-8", "replace")}) + "\n")

    def reply(self, status, body, kind="application/json", more=()):
        body = body if isinstance(body, bytes) else json.dumps(body, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    # ---- the provider ----
    def base(self):
        return ("http" if plain else "https") + "://" + self.headers["Host"]

    def metadata(self):
        spoil = word("meta")
        issuer = self.base() + "/issuer"
        if self.path == "/.well-known/oauth-protected-resource":
            servers = ["http://issuer.example/"] if spoil == "http" else [issuer]
            self.reply(200, {"resource": "https://other.example" if spoil == "resource" else self.base(), "authorization_servers": servers})
        elif self.path == "/issuer/.well-known/openid-configuration":
            document = {"issuer": self.base() + "/evil" if spoil == "issuer" else issuer,
                        "device_authorization_endpoint": self.base() + "/device", "token_endpoint": self.base() + "/token"}
            if spoil == "nodevice":
                del document["device_authorization_endpoint"]
            if spoil == "elsewhere":
                document["token_endpoint"] = "http://token.example/token"
            self.reply(200, document)
        else:
            self.reply(404, {"error": "not here"})

    def token(self, form):
        with lock:
            words = word("login", "grant").split()
            now = words[0]
            if len(words) > 1:
                with open(os.path.join(folder, "login"), "w", encoding="utf-8") as file:
                    file.write(" ".join(words[1:]))
            tokens[0] += 1
        errors = {"pending": "authorization_pending", "slow": "slow_down", "denied": "access_denied", "expired": "expired_token",
                  "invalid": "invalid_grant"}
        if now == "down":
            self.reply(503, {"error": "temporarily_unavailable"})
        elif now in errors:
            self.reply(400, {"error": errors[now], "error_description": "the person\x1b[2J said so"})
        else:
            answer = {"access_token": "token-%d" % tokens[0], "token_type": "mac" if now == "badtype" else "bearer",
                      "expires_in": 1 if now in ("short", "norefresh") else 3600, "scope": "openid"}
            if now != "norefresh":
                answer["refresh_token"] = "refresh-%d" % tokens[0]
            self.reply(200, answer)

    def do_GET(self):
        self.note(b"")
        self.metadata()

    # ---- the gate ----
    def events(self, way, answer):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

        def say(text):
            self.wfile.write(text.encode())
            self.wfile.flush()

        say(": hello\r\n\r\n")
        if way == "ssecut":
            return
        if way == "ssehuge":
            for _ in range(320):
                say("data: " + "x" * 65536)
            return
        if way == "ssemany":
            say("event: message\r\nid: 1\rdata: " + json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}) + "\n\n")
            for piece in ("da", "ta:{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\ndata: \"method\":\"elicita", "tion/create\",\"params\":{}}\r", "\n\r", "\n"):
                say(piece)
                time.sleep(0.02)
        say("data: " + json.dumps(answer) + "\n\n")
        if way == "ssestay":
            time.sleep(30)

    def mcp(self, body):
        way = word("way")
        try:
            message = json.loads(body)
        except ValueError:
            return self.reply(400, {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no JSON"}})
        if way.isdigit():
            return self.reply(int(way), {"error": "the gate says %s" % way}, more=[("Retry-After", "7"), ("WWW-Authenticate", "Bearer")])
        if way == "redirect":
            return self.reply(307, b"", more=[("Location", "/other")])
        if isinstance(message, list):
            return self.reply(200, [rpc(one) for one in message if "id" in one])
        if "method" not in message or "id" not in message:
            return self.reply(202, b"")
        answer = rpc(message)
        if way == "rpc403":
            self.reply(403, {"jsonrpc": "2.0", "id": message["id"], "error": {"code": 403, "message": "keys:manage is missing"}})
        elif way == "html":
            self.reply(200, b"<html>", "text/html")
        elif way == "huge":
            self.reply(200, b"[" + b" " * 20000000 + b"]")
        elif way == "hugeheader":
            self.reply(200, answer, more=[("X-%d" % i, "y" * 8000) for i in range(125)])
        elif way == "other":
            self.reply(200, dict(answer, id="another"))
        elif way == "none":
            self.reply(200, b"")
        elif way.startswith("sse"):
            self.events(way, answer)
        elif way == "hold" or (way == "holdcall" and message["method"] == "tools/call"):
            self.connection.settimeout(30)
            self.note_gone()
        else:
            if way == "slow":
                time.sleep(3)
            self.reply(200, answer, more=[("Mcp-Session-Id", "s-1")] if message["method"] == "initialize" else ())

    def note_gone(self):
        """The client's hanging up, which is how it cancels."""
        try:
            gone = self.rfile.read(1) == b""
        except TimeoutError:
            gone = False
        except OSError:
            gone = True
        with lock, open(os.path.join(folder, "gone"), "a", encoding="utf-8") as file:
            file.write("gone\n" if gone else "still there\n")
        self.close_connection = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.note(body)
        form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace")))
        if self.path in ("/mcp", "/other"):
            self.mcp(body)
        elif self.path == "/device":
            self.reply(200, {"device_code": "dev-1", "user_code": "WDJB-MJHT", "verification_uri": self.base() + "/activate",
                             "expires_in": int(word("expires", "60")), "interval": 1})
        elif self.path == "/token":
            self.token(form)
        else:
            self.reply(404, {"error": "not here"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if not plain:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
with open(os.path.join(folder, "ready.new"), "w", encoding="utf-8") as ready:
    ready.write("%d\n" % server.server_address[1])
os.rename(os.path.join(folder, "ready.new"), os.path.join(folder, "ready"))
server.serve_forever()
