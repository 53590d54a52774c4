#!/usr/bin/env python3
"""The tools that the conformance suite calls by name. usage: fixture.py NAME [ARGUMENT]
Each runs in a cell like any tool: what it prints is MCP content (policy key output: content), and
what it says or asks while it runs goes through its gate, descriptor 3."""
import json, socket, sys, time

PNG = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJg"
       "gg==")
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=="


class Gate:
    """A pair of sockets; one end of it goes over the gate, and is a connection from then on."""

    def __init__(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.gate = socket.socket(fileno=3)  # kept: with it, all that came through it would end
        socket.send_fds(self.gate, [b"g"], [theirs.fileno()])
        theirs.close()
        self.stream = ours.makefile("rw", encoding="utf-8", newline="\n")
        self.last = 0

    def ask(self, method, **params):
        self.last += 1
        request = {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}
        self.stream.write(json.dumps(request) + "\n")
        self.stream.flush()
        answer = json.loads(self.stream.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]


def text(words):
    return {"type": "text", "text": words}


def tell(*items, **more):
    print(json.dumps({"content": list(items), **more}))


def resource(uri, media, words):
    return {"type": "resource", "resource": {"uri": uri, "mimeType": media, "text": words}}


def form(required=(), **fields):
    return {"type": "object", "properties": fields, "required": list(required)}


def elicit(message, schema, name="input"):
    return Gate().ask("callgate/elicit", message=message, requestedSchema=schema, name=name)


def completed(answer):
    tell(text(f"Elicitation completed: action={answer['action']}, "
              f"content={json.dumps(answer.get('content', {}))}"))


def image():
    tell({"type": "image", "data": PNG, "mimeType": "image/png"})


def audio():
    tell({"type": "audio", "data": WAV, "mimeType": "audio/wav"})


def embedded():
    tell(resource("test://embedded-resource", "text/plain", "This is an embedded resource content."))


def mixed():
    tell(text("Multiple content types test:"),
         {"type": "image", "data": PNG, "mimeType": "image/png"},
         resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'))


def error():
    tell(text("This tool intentionally returns an error for testing"), isError=True)


def progress():
    gate = Gate()
    for number in (0, 50, 100):
        gate.ask("callgate/progress", progress=number, total=100, message=f"{number} of 100")
        time.sleep(0.05)
    tell(text("Three steps were told."))


def logging(pause="0.05"):
    gate = Gate()
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        gate.ask("callgate/log", level="info", data=words)
        time.sleep(float(pause))
    tell(text("Three messages were logged."))


def elicitation(message):
    schema = form(["username", "email"],
                  username={"type": "string", "description": "User's response"},
                  email={"type": "string", "description": "User's email address"})
    tell(text(f"User response: {json.dumps(elicit(message, schema))}"))


def defaults():
    completed(elicit("Review and change what is there", form(
        name={"type": "string", "description": "User name", "default": "John Doe"},
        age={"type": "integer", "description": "User age", "default": 30},
        score={"type": "number", "description": "User score", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "description": "Verified?", "default": True})))


def enums():
    options = ["option1", "option2", "option3"]
    titled = [{"const": f"value{i}", "title": f"{name} Option"}
              for i, name in enumerate(["First", "Second", "Third"], 1)]
    completed(elicit("Choose", form(
        untitledSingle={"type": "string", "enum": options},
        titledSingle={"type": "string", "oneOf": titled},
        legacyEnum={"type": "string", "enum": ["opt1", "opt2", "opt3"],
                    "enumNames": ["Option One", "Option Two", "Option Three"]},
        untitledMulti={"type": "array", "items": {"type": "string", "enum": options}},
        titledMulti={"type": "array", "items": {"anyOf": titled}})))


def ask_name():
    answer = elicit("What is your name?", form(["name"], name={"type": "string"}), "user_name")
    if answer["action"] != "accept":
        tell(text("No name was given."), isError=True)
        return
    tell(text(f"Hello, {answer['content']['name']}!"))


def confirm():
    answer = elicit("Please confirm", form(["ok"], ok={"type": "boolean"}), "confirm")
    tell(text(f"state-ok: {json.dumps(answer)}"))


def rounds():
    gate = Gate()
    first = gate.ask("callgate/elicit", name="step1", message="Step 1: What is your name?",
                     requestedSchema=form(["name"], name={"type": "string"}))
    second = gate.ask("callgate/elicit", name="step2", message="Step 2: What is your favorite color?",
                      requestedSchema=form(["color"], color={"type": "string"}))
    tell(text(f"{json.dumps(first)} {json.dumps(second)}"))


def change():
    with open("change", "w", encoding="ascii"):
        pass  # the operator outside (run.sh) sees it and changes the policy
    tell(text("Asked for a change of the tools."))


FIXTURES = {f.__name__: f for f in (image, audio, embedded, mixed, error, progress, logging, elicitation,
                                    defaults, enums, ask_name, confirm, rounds, change)}
FIXTURES[sys.argv[1]](*sys.argv[2:])
