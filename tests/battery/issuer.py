"""An issuer of tokens and a receiver of web hooks, for cases: nothing but openssl and the standard library."""
import base64, hashlib, hmac, http.server, json, ssl, subprocess, threading, time


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


class Server(http.server.ThreadingHTTPServer):
    """Answers with answer(handler, body) -> (status, bytes); seen: (method, path, headers, body)."""
    daemon_threads = True

    def __init__(self, answer, cert=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.server.seen.append((self.command, self.path, dict(self.headers), body))
                status, text = answer(self, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                try:
                    self.wfile.write(text)
                except OSError:
                    pass
            do_POST = do_GET
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def certificate(folder):
    """key and certificate of localhost in one file."""
    path = f"{folder}/localhost.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{path}.key", "-out", path],
                   check=True, capture_output=True)
    with open(f"{path}.key") as key, open(path, "a") as f:
        f.write(key.read())
    return path


class Issuer:
    """Keys (RSA and EC) at /jwks.json. keys: what is published; broken: bytes in their place."""

    def __init__(self, folder):
        self.folder, self.keys, self.broken, self.status = folder, {}, None, 200
        self.server = Server(lambda h, b: (self.status, self.broken or json.dumps({"keys": list(self.keys.values())}).encode()))
        self.url = f"http://127.0.0.1:{self.server.port}"
        for kid, alg in (("rs", "RS256"), ("es", "ES256")):
            self.make(kid, alg)

    def make(self, kid, alg):
        path = f"{self.folder}/{kid}.pem"
        kind = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if alg == "RS256" else [
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", *kind, "-out", path], check=True, capture_output=True)
        der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        if alg == "RS256":
            text = subprocess.run(["openssl", "rsa", "-in", path, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
            self.keys[kid] = {"kty": "RSA", "kid": kid, "alg": alg, "use": "sig", "e": "AQAB", "n": b64(bytes.fromhex(text.split("=")[1].strip()))}
        else:
            self.keys[kid] = {"kty": "EC", "crv": "P-256", "kid": kid, "alg": alg, "use": "sig", "x": b64(der[-64:-32]), "y": b64(der[-32:])}

    def public_pem(self, kid):
        return subprocess.run(["openssl", "pkey", "-in", f"{self.folder}/{kid}.pem", "-pubout"], check=True, capture_output=True).stdout

    def sign(self, kid, data):
        raw = subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"{self.folder}/{kid}.pem"], input=data, check=True, capture_output=True).stdout
        if kid == "rs":
            return raw
        numbers, at = [], 2  # DER: SEQUENCE of two INTEGERs
        for _ in range(2):
            size = raw[at + 1]
            numbers.append(raw[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0"))
            at += 2 + size
        return b"".join(numbers)

    def token(self, kid="es", header=None, signer=None, hmac_key=None, signature=None, **claims):
        head = {"alg": {"rs": "RS256", "es": "ES256"}.get(kid, "ES256"), "kid": kid, "typ": "at+jwt", **(header or {})}
        now = int(time.time())
        body = {"iss": self.url, "aud": "callgate", "sub": "alice", "iat": now, "exp": now + 600, **claims}
        head = {k: v for k, v in head.items() if v is not None}
        body = {k: v for k, v in body.items() if v is not None}
        data = f"{b64(json.dumps(head))}.{b64(json.dumps(body))}"
        if signature is None:
            signature = (hmac.new(hmac_key, data.encode(), hashlib.sha256).digest() if hmac_key is not None
                         else self.sign(signer or kid, data.encode()))
        return f"{data}.{b64(signature)}"


def hook_post(web, channel, secret, body, ident="msg_1", when=None, signature=None):
    """A signed answer as the receiver of a question sends it. signature: a text in place of the right one."""
    when = int(time.time()) if when is None else when
    raw = json.dumps(body) if not isinstance(body, str) else body
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), f"{ident}.{when}.{raw}".encode(), hashlib.sha256).digest()
    right = "v1," + base64.b64encode(mac).decode()
    more = {"webhook_id": ident, "webhook_timestamp": when}
    value = right if signature is None else signature(right) if callable(signature) else signature
    if value is not False:
        more["webhook_signature"] = value
    return web.ask("POST", f"/v1/approvals/callback/{channel}", raw.encode(), key=None, **more), right
