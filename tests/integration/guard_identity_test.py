"""The guard changes no byte of an answer: what it held and then relayed, and what it only watched, is what an
agent without a guard relays, whatever an API answers and however it frames it."""

import gzip
import itertools
import re
import unittest

from guarding import Api, GuardedAgent
from harness import Workspace
from raw_http import OK, Upstream, exchange

HELD_MAX = 64 * 1024  # of a body that may yet be followed by another attempt
ERROR = b'{"error":{"message":"You have exceeded a secondary rate limit"}}'
EVENT = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'
GZIP = gzip.compress(ERROR * 20)
HELD = "{mode: on, retry: {attempts: 1}, cooldown: {mode: off}, pace: {mode: off}}"
UNREPEATED = "{mode: on, retry: {mode: off}, cooldown: {mode: off}, pace: {mode: off}}"


def head(status, **fields):
    lines = [b"HTTP/1.1 %d Said" % status]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in fields.items()]
    return b"\r\n".join(lines) + b"\r\n"


def measured(status, body=ERROR, **fields):
    return head(status, Content_Type="application/json", Content_Length=len(body), **fields) + b"\r\n" + body


def chunked(status, body, sizes=(100,), trailer=b"", **fields):
    chunks, at = b"", 0
    for size in itertools.cycle(sizes):
        if at >= len(body):
            break
        piece = body[at:at + size]
        chunks += b"%x\r\n%s\r\n" % (len(piece), piece)
        at += size
    return (head(status, Transfer_Encoding="chunked", **fields) + b"\r\n" + chunks + b"0\r\n" + trailer +
            b"\r\n")


def answers():
    """(what it is, its bytes, what follows it)"""
    for status in (400, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504, 529):
        yield f"{status}", measured(status), "keep"
        yield f"{status} without a body", measured(status, b""), "keep"
        yield f"{status} for an hour", measured(status, Retry_After=3600, X_Odd="a  b"), "keep"
    for size in (HELD_MAX - 1, HELD_MAX, HELD_MAX + 1, 3 * HELD_MAX):
        yield f"429 with {size} bytes", measured(429, b"z" * size), "keep"
        yield f"429 with {size} bytes in chunks", chunked(429, b"z" * size, (1, 7000, 100)), "keep"
        yield f"429 with {size} bytes until the end", head(429) + b"\r\n" + b"z" * size, "close"
    yield "429 in gzip", measured(429, GZIP, Content_Encoding="gzip"), "keep"
    yield "429 in broken gzip", measured(429, GZIP[:-9] + b"x" * 9, Content_Encoding="gzip"), "keep"
    yield "429 as events", chunked(429, EVENT * 5, (9,), Content_Type="text/event-stream"), "keep"
    yield "429 with a trailer", chunked(429, ERROR, trailer=b"X-T: 1\r\n"), "keep"
    yield "429 cut short", head(429, Content_Length=500) + b"\r\nabc", "close"
    yield "500 cut short", head(500, Content_Length=500) + b"\r\nabc", "close"
    yield "429 of HTTP/1.0", b"HTTP/1.0 429 x\r\n\r\nbody", "close"
    yield "429 behind hints", b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + measured(429), "keep"
    yield "no HTTP", b"NOT HTTP\r\n\r\n", "close"
    yield "204", head(204) + b"\r\n", "keep"
    yield "304", head(304, ETag='"a"') + b"\r\n", "keep"
    yield "200 with an error in its events", chunked(200, EVENT, Content_Type="text/event-stream"), "keep"
    yield "200", OK, "keep"


def request(method, version="1.1", body=b""):
    lines = [f"{method} /t/v1/chat/completions HTTP/{version}", "Host: localhost", "Connection: close"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


REQUESTS = (
    request("POST", body=b'{"model":"gpt-5","messages":[]}'),
    request("GET"),
    request("HEAD"),
    request("GET", version="1.0"),
)


def unchunked(body):
    """What chunks carry, and whether their end came: how they are cut is each hop's own affair."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        if int(size, 16) == 0:
            return whole, True
        whole, body = whole + body[:int(size, 16)], body[int(size, 16) + 2:]
    return whole, False


def split(data):
    """All that a client got: heads without dates, and what the body says."""
    heads = []
    data = re.sub(rb"(?im)^date: .*\r\n", b"", data)
    while data.startswith(b"HTTP/1.1 1") or not heads:
        one, _, data = data.partition(b"\r\n\r\n")
        heads.append(one)
        if not one.startswith(b"HTTP/1.1 1"):
            break
    return heads, unchunked(data) if b"chunked" in heads[-1].lower() else data


class GuardIdentityTest(unittest.TestCase):
    maxDiff = 2000

    def compare(self, exporter):
        work = self.enterContext(Workspace())
        script = {}
        api = Upstream(lambda request, sock: script["head"] if request.line.startswith(b"HEAD") else
                       script["reply"])
        agents = {
            mode: GuardedAgent(work, [Api("t", exporter, f"http://{api.address}")], guard=guard, loops=1,
                               name=mode)
            for mode, guard in (("off", "off"), ("shadow", "shadow"), ("held", HELD),
                                ("unrepeated", UNREPEATED))
        }
        for what, reply, api.after in answers():
            script["reply"] = reply
            script["head"] = reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            for asked in REQUESTS:
                if asked.startswith(b"HEAD") and b" 103 " in reply:
                    continue
                got = {}
                for mode, agent in agents.items():
                    api.reset()
                    data, reset = exchange(agent.proxy, asked)
                    got[mode] = split(data), reset, len(api.requests)
                    api.settle()
                for mode in got:
                    with self.subTest(what=what, asked=asked[:4], mode=mode):
                        self.assertEqual(got[mode], got["off"])
        for agent in agents.values():
            agent.rests()

    def test_of_openai(self):
        self.compare("openai")

    def test_of_github(self):
        self.compare("github")


if __name__ == "__main__":
    unittest.main(verbosity=2)
