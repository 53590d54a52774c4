#!/usr/bin/env python3
"""Receives questions of callgate as Standard Webhooks, shows them, and answers.

    HOOK_SECRET=whsec_... ./receiver.py --listen 127.0.0.1:9443 --cert cert.pem --key key.pem \
        --gate https://gate.example [--ca ca.pem] [--auto approve|deny] [--log FILE]

Nothing but the standard library. Without --auto a person is asked on this terminal. It refuses what
is not signed, not fresh, or seen before; it answers by a signed POST to the answer_url of the
question, and only to one below --gate: a question cannot send its answer elsewhere.
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import queue
import secrets
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request

TOLERANCE_S = 300
BODY_MAX = 64 * 1024


def key_of(secret):
    """The bytes of "whsec_" and base64, or of a plain secret."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret[len("whsec_"):], validate=True)
    return secret.encode()


def sign(key, message_id, stamp, body):
    content = message_id.encode() + b"." + stamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def is_authentic(key, headers, body, seen):
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    good = sign(key, message_id, stamp, body)
    if not any(hmac.compare_digest(good, one) for one in headers.get("webhook-signature", "").split(" ")):
        return False
    # callgate sends a message again under the same id when it is not sure that it arrived
    now = time.monotonic()
    for old in [i for i, until in seen.items() if until < now]:
        del seen[old]
    new = message_id not in seen
    seen[message_id] = now + 2 * TOLERANCE_S
    return new or None


def answer(options, key, question, decision, reason):
    body = json.dumps({
        "approval": question["id"],
        "nonce": question["nonce"],
        "decision": decision,
        "reason": reason,
        "approver": os.environ.get("USER", "receiver"),
    }).encode()
    url = question["answer_url"]
    if not url.startswith(options.gate.rstrip("/") + "/"):
        return "answer_url is not below --gate; not answered"
    message_id, stamp = "msg_" + secrets.token_hex(12), str(int(time.time()))
    request = urllib.request.Request(url, data=body, method="POST", headers={
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": sign(key, message_id, stamp, body),
    })
    context = ssl.create_default_context(cafile=options.ca) if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(request, timeout=15, context=context) as reply:
            return "%d %s" % (reply.status, reply.read(BODY_MAX).decode())
    except urllib.error.HTTPError as error:
        return "%d %s" % (error.code, error.read(BODY_MAX).decode())
    except OSError as error:
        return "no answer: %s" % error


def show(question):
    """All of it is escaped by callgate: nothing here acts on a terminal."""
    for name in ("tool", "principal", "agent", "namespace", "host", "cwd", "rule", "reason",
                 "warning", "command", "diff", "arguments", "risk", "walls", "earlier",
                 "details", "expires", "plan"):
        if question.get(name):
            text = question[name]
            print("%-10s %s" % (name, text if isinstance(text, str) else json.dumps(text)))


def ask_people(options, key, questions):
    while True:
        question = questions.get()
        show(question)
        if "nonce" not in question:
            print(question.get("note", "cannot be answered here"))
            continue
        decision, reason = options.auto, "by rule"
        while decision not in ("approve", "deny"):
            decision = input("approve or deny? ").strip()
            reason = input("reason: ").strip()
        print(answer(options, key, question, decision, reason), flush=True)


def handler_of(options, key, questions):
    seen = {}
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self, status):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > BODY_MAX:
                return self.reply(413)
            body = self.rfile.read(int(length))
            with lock:
                authentic = is_authentic(key, self.headers, body, seen)
            if authentic is False:
                return self.reply(401)
            self.reply(204)
            if authentic is None:
                return None  # sent again
            event = json.loads(body)
            if options.log:
                with open(options.log, "a", encoding="utf-8") as log:
                    log.write(json.dumps(event) + "\n")
            if event["type"] == "approval.requested":
                questions.put(event["data"])
            else:
                print(event["type"], json.dumps(event["data"]), flush=True)
            return None

        def log_message(self, *_):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:9443")
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--gate", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--auto", choices=("approve", "deny"))
    parser.add_argument("--log")
    options = parser.parse_args()
    secret = os.environ.pop("HOOK_SECRET", "")
    if not secret:
        sys.exit("receiver: HOOK_SECRET is not set; give it the secret that secret_env names")
    key = key_of(secret)
    questions = queue.Queue()
    host, port = options.listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), handler_of(options, key, questions))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening on %s" % options.listen, flush=True)
    ask_people(options, key, questions)


if __name__ == "__main__":
    main()
