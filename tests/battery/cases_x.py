"""Section X: attacks of the battery's classes that are on no list."""
import json, os, resource, secrets

from harness import case, check
from terminal import ANSI, BIDI, no_raw, on_terminal, one_line
from walls import run_held
from web import Web, must, web_daemon


def may_set_core():
    """False: the limit of dumps is 0 here, and stays (no CAP_SYS_RESOURCE)."""
    with open("/proc/self/status") as f:
        caps = int(next(line.split()[1] for line in f if line.startswith("CapEff")), 16)
    return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0 or caps >> 24 & 1 == 1


@case("X01", "the host's handler of core dumps")
def x01(g, way):
    run_held(g, way, "probe_host", "dumps" if may_set_core() else "dumps_of_none", control=may_set_core())


@case("X02", "leases on files that others open")
def x02(g, way):
    run_held(g, way, "probe_host", "leases", control=True)


@case("X03", "a reason that says nothing", ways=("direct",))
def x03(g, way):
    text = (f"  ask: {{type: command, deny_by_default: true, allowed_commands: [touch], require_approval: true, "
            f"approval: {{reason_required: true}}, sandbox: {{{must(g)}}}}}")
    who = "  - {api_key: API_KEY_1, roles: [human]}"
    with web_daemon(g, text, principals=who) as (d, web):
        got = d.request("ask", {"argv": ["touch", "unsaid"]})
        for reason in g.some(("  ", "\u200b\u2060", None, "", "\t\n", "\u00a0\u3000", "\u202e", "\ufeff\u3164"), 3):
            status, _, body = web.ask("POST", f"/v1/approvals/{got.approval}/decision",
                                      {"decision": "approve", **({} if reason is None else {"reason": reason})})
            check(f"{reason!r} is taken for a reason", status in (400, 403), (status, body))
        status, _, body = web.ask("POST", f"/v1/approvals/{got.approval}/decision", {"decision": "approve", "reason": "seen."})
        check("a reason", status == 200, (status, body))
        check("the call", d.call("ask", {"argv": ["touch", "unsaid"]}).outcome == "completed")


@case("X04", "what a tool prints acts on the terminal of who called", ways=("direct",))
def x04(g, way):
    for name, text, shown in g.some(ANSI + BIDI):
        script = f"import sys; sys.stdout.write({text!r} + 'end'); sys.stderr.write({text!r})"
        argv = ["call", "box", "argv:=" + json.dumps(["python3", "-c", script])]
        seen = on_terminal(g, *argv, rows=200, columns=4000)
        no_raw(name, seen)
        check(f"{name}: the text itself is not shown", "end" in seen, seen)
        if "\n" not in text and "\t" not in text:
            check(f"{name}: not told what it was", shown in one_line(seen), seen)
        piped = g.callgate(*argv)
        check("a pipe does not get the bytes", text.replace("\r\n", "\n") in piped.stdout.replace("\r\n", "\n")
              or "\r" in text, piped.stdout)
    table = "a" + " " * 40 + "b\tc\\n\n  d"
    seen = on_terminal(g, "call", "box", "argv:=" + json.dumps(["python3", "-c", f"print({table!r})"]), rows=200, columns=4000)
    check("a table is no table any more", table in seen.replace("\r", ""), seen)


@case("X05", "keys of another tenant", ways=("direct",))
def x05(g, way):
    """Two managers whose namespaces are of different tenants: neither sees, ends or makes the other's."""
    other = secrets.token_hex(24)
    roles = "  agent: {tools: [bash], permissions: [keys:manage, tokens:issue]}\n  human: {tools: ['*']}"
    server = "tenants: {acme: {namespaces: [default]}, blue: {namespaces: [blue]}}\n"
    who = "  - {api_key: API_KEY_2, roles: [agent], namespaces: [blue]}"
    text = f"  bash: {{type: command, deny_by_default: true, allowed_commands: [echo], sandbox: {{{must(g)}}}}}"
    policy = g.policy

    def with_second(**parts):  # the namespaces and the list of keys are not parts of a policy's text
        return policy(**parts).replace("namespaces: {default: {working_directory: ./workspace}}",
                                       "namespaces: {default: {working_directory: ./workspace}, "
                                       "blue: {working_directory: ./workspace/sub}}").replace(
                                           '["${API_KEY_1}"]', '["${API_KEY_1}", "${API_KEY_2}"]')
    g.policy = with_second
    try:
        with web_daemon(g, text, roles=roles, principals=who, extra=server, env={"API_KEY_2": other},
                        prepare=lambda d: os.mkdir(f"{d.ws}/sub")) as (d, web):
            blue = Web(web.port, other)
            wish = {"tools": ["bash"], "roles": ["agent"]}
            ids = {}
            for name, client, space in (("acme", web, "default"), ("blue", blue, "blue")):
                status, _, body = client.ask("POST", "/v1/keys", {**wish, "namespaces": [space]})
                check(f"{name}: no key", status == 201, (status, body))
                ids[name] = json.loads(body)["id"]
                check(f"{name}: not its tenant's", json.loads(body)["tenant"] == name, body)
            for client, own, foreign in ((web, "acme", "blue"), (blue, "blue", "acme")):
                status, _, body = client.ask("GET", "/v1/keys")
                seen = [k["id"] for k in json.loads(body)["keys"]]
                check(f"{own} sees others", seen == [ids[own]], (seen, ids))
                unknown = client.ask("DELETE", "/v1/keys/key_0000000000000000")
                for method, path in (("DELETE", f"/v1/keys/{ids[foreign]}"), ("POST", f"/v1/keys/{ids[foreign]}/rotate")):
                    status, _, body = client.ask(method, path, {} if method == "POST" else None)
                    check(f"{method}: not as unknown", (status, body) == (unknown[0], unknown[2]), (status, body, unknown))
                for more in ({"tenant": foreign}, {"tenant": ""}, {"namespaces": [foreign.replace("acme", "default")]}):
                    status, _, body = client.ask("POST", "/v1/keys", {**wish, **more})
                    check(f"{more}: a key", status == 403, (status, body))
                status, _, body = client.ask("GET", f"/v1/keys?tenant={foreign}")
                check("another tenant's list", status == 403, (status, body))
                status, _, body = client.ask("DELETE", f"/v1/keys/{ids[own]}")
                check("its own", status == 200, (status, body))
    finally:
        del g.policy
