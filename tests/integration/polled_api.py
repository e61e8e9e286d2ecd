"""An API to be polled: an asyncio server on a thread of its own. Each request is recorded before anything
happens to it; what happens is a fault by name, chosen per request.

    ok            200 with X-RateLimit-*          silent    200 and nothing about limits
    throttled     429 with Retry-After            wordless  429 and nothing else
    rejected      401                             broken    500
    redirect      302                             hang      no answer
    reset         the connection is reset         garbage   no HTTP
    truncated     half a body, then the end       close     200, and the connection ends
"""

import asyncio
import collections
import socket
import struct
import threading
import time

from harness import breaks

Poll = collections.namedtuple("Poll", "at path credential fault head")

LIMITS = "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: {left}\r\nX-RateLimit-Reset: 3600\r\n"


def response(line, fields="", body="{}"):
    return f"HTTP/1.1 {line}\r\n{fields}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class PolledApi:
    """`fault(path, credential)` names what happens to a request; `retry_after` is what throttled ones say."""

    def __init__(self, fault=lambda path, credential: "ok", retry_after=3):
        self.fault, self.retry_after = fault, retry_after
        self.polls = []
        self.left = 42
        self.lag = 0.0  # the most seconds by which it has noticed anything late
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()
        self.url = f"http://127.0.0.1:{self.port}"

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024)
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.create_task(self.beat())
        self.loop.run_forever()

    async def beat(self, every=0.005):
        while True:
            began = time.monotonic()
            await asyncio.sleep(every)
            self.lag = max(self.lag, time.monotonic() - began - every)

    async def serve(self, reader, writer):
        try:
            while await self.answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:
            breaks(error)
        finally:
            writer.close()

    async def answer(self, reader, writer):
        """One request; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        path, credential = lines[0].split(" ")[1], fields.get("authorization", "")
        fault = self.fault(path, credential)
        self.polls.append(Poll(time.monotonic(), path, credential, fault, head))
        if fault == "hang":
            await reader.read()
            return False
        if fault == "reset":
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            writer.transport.abort()
            return False
        writer.write(self.bytes_for(fault))
        await writer.drain()
        return fault not in ("garbage", "truncated", "close")

    def bytes_for(self, fault):
        limits = LIMITS.format(left=self.left)
        return {
            "ok": response("200 OK", limits),
            "close": response("200 OK", limits + "Connection: close\r\n"),
            "silent": response("200 OK"),
            "throttled": response("429 Too Many Requests", f"Retry-After: {self.retry_after}\r\n"),
            "wordless": response("429 Too Many Requests"),
            "rejected": response("401 Unauthorized"),
            "broken": response("500 Oh"),
            "redirect": response("302 Found", "Location: /elsewhere\r\n"),
            "long_head": response("200 OK", f"X-Long: {'a' * 70000}\r\n"),
            "garbage": b"this is no HTTP\r\n\r\n",
            "truncated": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        }[fault]

    def of(self, path):
        return [poll for poll in self.polls if poll.path == path]
