"""An API that does what the request's path asks for, wrong or right, and counts what it was asked.

    fault_upstream.py [--tls CERT KEY [--tls-max VERSION]] [--header NAME:VALUE] [--body TEXT] [--watch TEXT]

It says its port, serves until SIGTERM, and says its counts; "_watched" is how often what came had TEXT in it.

The last two parts of a path say what happens; everything before them is ignored:
    /ok/0            200 with a kilobyte of JSON and X-RateLimit fields
    /status/N        an answer of that status            /throttle/N   429 with Retry-After: N
    /slow/MS, /later/MS  200 after so many milliseconds  /hang/0       never an answer
    /close/0         the connection ends unanswered      /reset/0      … is reset
    /cut/N           200, N bytes of a longer body, end  /cutreset/N   … then a reset
    /bytes/N         the first N bytes of SHORT, reset   /big/N        200 with N bytes of body
    /drip/N          an event stream: one event a second, N of them
    /redirect/P      302 to port P of this machine
    /bad/0           an answer that is not HTTP
A GET of /_counts says how often each was asked; POST /_plan with {"reset_after": N} makes the next new
connection end by a reset after N bytes of its first request. Standard library only.
"""

import argparse
import asyncio
import collections
import email.utils
import json
import signal
import socket
import ssl
import struct
import sys
import time

SHORT_BODY = b'{"ok":true}'
SHORT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(SHORT_BODY), SHORT_BODY)
BAD = b"SPQR/9 totally not HTTP\r\n\r\n"


class State:
    """What all connections share: the counts, the plan for the next ones, and what answers bring along."""

    def __init__(self, options):
        self.counts = collections.Counter()
        self.reset_after = None
        self.watched = options.watch.encode() if options.watch else None
        self.fields = "".join(f"{field}\r\n" for field in options.header).encode()
        self.body = options.body.encode() or json.dumps({"text": "x" * 1000}).encode()

    def answer(self, status=200, fields=b"", body=None, framed=True):
        body = self.body if body is None else body
        length = b"Content-Length: %d\r\n" % len(body) if framed else b""
        reset = int(time.time()) // 3600 * 3600 + 3600
        return (
            b"HTTP/1.1 %d Status\r\nDate: %s\r\nContent-Type: application/json\r\nX-RateLimit-Limit: 5000\r\n"
            b"X-RateLimit-Remaining: 4999\r\nX-RateLimit-Reset: %d\r\n%s%s%s\r\n%s" %
            (status, email.utils.formatdate(usegmt=True).encode(), reset, self.fields, fields, length,
             b"" if status == 204 else body))


class Connection(asyncio.Protocol):

    def __init__(self, state):
        self.state = state
        self.buffer = b""
        self.to_skip = 0  # of the body that is arriving
        self.chunked = False
        self.asked = None
        self.received = 0
        self.resets_after, state.reset_after = state.reset_after, None
        self.timer = None
        self.resumed = asyncio.Event()
        self.resumed.set()

    def connection_made(self, transport):
        self.transport = transport
        self.state.counts["_connections"] += 1
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Or a thousand readers that hardly read fill what this machine has for TCP from this side already.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 65536)

    def connection_lost(self, _):
        if self.timer:
            self.timer.cancel()
        self.state.counts["_ended_unasked" if self.received == 0 else "_ended"] += 1

    def pause_writing(self):
        self.resumed.clear()

    def resume_writing(self):
        self.resumed.set()

    def data_received(self, data):
        self.received += len(data)
        if self.state.watched and self.state.watched in data:
            self.state.counts["_watched"] += 1
        if self.resets_after is not None and self.received >= self.resets_after:
            return self.reset()
        self.buffer += data
        while self.step():
            pass

    def step(self):
        """Takes one request, or a piece of its body, from the buffer; False when more has to come."""
        if self.asked is not None:
            return self.body_step()
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head, self.buffer = self.buffer[:end], self.buffer[end + 4:]
        lines = head.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:] if b": " in line)
        self.asked = lines[0].split(b" ")[1].decode("latin-1")
        self.chunked = fields.get(b"transfer-encoding") == b"chunked"
        self.closes = fields.get(b"connection") == b"close"
        self.to_skip = int(fields.get(b"content-length", b"0"))
        self.body = b""
        if "_plan" not in self.asked and "_counts" not in self.asked:
            self.state.counts["_begun"] += 1
        return True

    def body_step(self):
        if self.chunked:
            if not self.buffer.endswith(b"0\r\n\r\n"):
                self.buffer = self.buffer[-4:]
                return False
            self.buffer = b""
        else:
            taken = min(self.to_skip, len(self.buffer))
            if taken <= 65536:
                self.body += self.buffer[:taken]
            self.buffer, self.to_skip = self.buffer[taken:], self.to_skip - taken
            if self.to_skip:
                return False
        asked, self.asked = self.asked, None
        self.perform(asked)
        return bool(self.buffer)

    def reset(self):
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def later(self, seconds, what, *arguments):
        self.timer = asyncio.get_running_loop().call_later(seconds, what, *arguments)

    def perform(self, asked):
        parts = asked.split("?")[0].strip("/").split("/")
        if parts[-1] == "_counts":
            self.transport.write(self.state.answer(body=json.dumps(self.state.counts).encode()))
            return self.transport.close() if self.closes else None
        if parts[-1] == "_plan":
            self.state.reset_after = json.loads(self.body)["reset_after"]
            return self.transport.write(self.state.answer(body=b"{}"))
        action, argument = parts[-2:] if len(parts) > 1 and parts[-1].isdigit() else ("ok", "0")
        self.state.counts[action] += 1
        handler = getattr(self, "do_" + action, None)
        return handler(int(argument)) if handler else self.transport.write(self.state.answer(404))

    def do_ok(self, _):
        self.transport.write(self.state.answer())

    def do_status(self, status):
        self.transport.write(self.state.answer(status))

    def do_throttle(self, seconds):
        self.transport.write(self.state.answer(429, b"Retry-After: %d\r\n" % seconds))

    def do_slow(self, milliseconds):
        self.later(milliseconds / 1000, self.do_ok, 0)

    do_later = do_slow

    def do_hang(self, _):
        pass

    def do_close(self, _):
        self.transport.close()

    def do_reset(self, _):
        self.reset()

    def do_redirect(self, port):
        self.transport.write(self.state.answer(302, b"Location: http://127.0.0.1:%d/elsewhere\r\n" % port))

    def do_bad(self, _):
        self.transport.write(BAD)
        self.transport.close()

    def do_cut(self, size):
        self.transport.write(
            self.state.answer(fields=b"Content-Length: 100000\r\n", body=b"y" * size, framed=False))
        self.transport.close()

    def do_cutreset(self, size):
        self.transport.write(
            self.state.answer(fields=b"Content-Length: 100000\r\n", body=b"y" * size, framed=False))
        self.later(0.05, self.reset)

    def do_bytes(self, count):
        self.transport.write(SHORT[:count])
        self.later(0.005, self.reset)

    def do_big(self, size):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        asyncio.get_running_loop().create_task(self.stream(head, size))

    async def stream(self, head, size):
        self.transport.write(head)
        piece = b"z" * 65536
        while size > 0 and not self.transport.is_closing():
            self.transport.write(piece[:size])
            size -= len(piece)
            await self.resumed.wait()

    def do_drip(self, count):
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.event(count)

    def event(self, left):
        if self.transport.is_closing():
            return
        if left == 0:
            self.transport.write(b"0\r\n\r\n")
            return
        self.transport.write(b"c\r\ndata: tick\n\n\r\n")
        self.later(1, self.event, left - 1)


async def serve(options):
    loop = asyncio.get_running_loop()
    state = State(options)
    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*options.tls)
        if options.tls_max:
            tls.set_ciphers("ALL:@SECLEVEL=0")
            tls.minimum_version = tls.maximum_version = ssl.TLSVersion[options.tls_max]
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", 0, ssl=tls, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    print(json.dumps(state.counts), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--tls-max")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--body", default="")
    parser.add_argument("--watch")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
