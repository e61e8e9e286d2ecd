"""Bar 10c: requests and replies that point elsewhere. Whatever a client or an API writes, only the configured
upstream is connected to."""

from recording_upstream import echo
from stand import RIVALS, Stand
from trust_table import NOT_MEASURED, Row
from wire import converse

AGAIN = "scripts/trust detours"
PLAIN = "GET /t/x HTTP/1.1\r\nHost: a\r\n"

# @ is the address of a listener that nobody may connect to, # its port.
TARGETS = ("http://@/t/x", "http://@/", "http://a@@/t/x", "http://@#/t/x", "http://@%2f@a/t/x", "//@/t/x",
           "///@/t/x", "/t//@/", "/t/@", "/t/..//@", "@", "http:@/t/x", "http:/@/t/x", "http:///@/t/x",
           "https://@/t/x", "ftp://@/t/x", "/t/x?url=http://@/", "/t/http://@/", "/t/x#http://@/",
           "http://a:#/t/x", "http://localhost:#/t/x", "http://2130706433:#/t/x", "http://0x7f.1:#/t/x",
           "http://0177.0.0.1:#/t/x", "http://127.1:#/t/x", "http://[::ffff:127.0.0.1]:#/t/x",
           "http://[::1]:#/t/x", "http://localhost.:#/t/x", "http://a\\@/t/x", "http://a%00@/t/x")
HOSTS = ("@", "a:#", "localhost:#", "127.1:#", "2130706433:#", "[::1]:#", "b@@", "@,a")
FIELDS = ("X-Forwarded-Host: @", "X-Host: @", "Forwarded: for=1;host=\"@\"", "X-Original-URL: http://@/",
          "X-Rewrite-URL: http://@/", "X-Forwarded-Server: @", "Proxy-Host: @", "X-Base-Url: http://@/",
          "Destination: http://@/", "Referer: http://@/", "Origin: http://@",
          "Upgrade: h2c\r\nConnection: upgrade\r\nX-Forwarded-Host: @")
CONNECTS = ("CONNECT @ HTTP/1.1\r\nHost: @\r\n\r\n", "CONNECT localhost:# HTTP/1.0\r\n\r\n")
LOCATIONS = ("http://@/", "//@/", "http://a@@/", "/t/x\r\nLink: <http://@/>; rel=next",
             "/t/x\r\nRefresh: 0; url=http://@/", "/t/x\r\nContent-Location: http://@/",
             "/t/x\r\nAlt-Svc: http=\"@\"", "/t/x\r\nX-Accel-Redirect: http://@/")


def requests():
    """Each as text, whole."""
    return [*(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" for target in TARGETS),
            *(f"GET /t/x HTTP/1.1\r\nHost: {host}\r\n\r\n" for host in HOSTS),
            *(f"{PLAIN}{field}\r\n\r\n" for field in FIELDS), *CONNECTS]


def pointed_at(text, trap):
    return text.replace("@", trap.address).replace("#", str(trap.port)).encode()


def answered(talk):
    return bool(talk.answers) or bool(talk.rest)


def lured(context):
    """{subject: [what made it connect to where it must not]}, how much was tried."""
    with Stand(context) as stand:
        upstream, trap = stand.upstream(), stand.upstream()
        found = {}
        for proxy in stand.proxies(upstream):
            found[proxy.name] = []
            for text in requests():
                converse(proxy.port, pointed_at(text, trap), enough=answered, patience=1, linger=0.02)
                note(found[proxy.name], trap, text)
            for location in LOCATIONS:
                head = f"HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
                upstream.reply = lambda request, head=head: pointed_at(head, trap)
                converse(proxy.port, f"{PLAIN}\r\n".encode(), enough=answered, patience=1, linger=0.02)
                note(found[proxy.name], trap, location)
            upstream.reply = echo
            converse(proxy.port, f"{PLAIN}\r\n".encode(), enough=answered, patience=5)
            note(found[proxy.name], trap, "the last of them")
        return found, len(requests()) + len(LOCATIONS)


def note(found, trap, text):
    if trap.accepted:
        found.append(text)
        trap.clear()


def run(context):
    found, tried = lured(context)
    cells = {name: f"{len(lures)} connections" for name, lures in found.items()}
    for text in found.get("apiquota", []):
        context.say(f"  led elsewhere by {text!r}")
    ours = cells.get("apiquota", NOT_MEASURED)
    return [Row("10c", f"{tried} requests and replies that point to another listener", ours, "0 connections",
                *(cells.get(name, NOT_MEASURED) for name in RIVALS), AGAIN,
                None if ours == NOT_MEASURED else ours == "0 connections")]
