"""An API that notes when each request arrives, to the microsecond, and answers what a function says: one
thread for thousands of connections. And the client of as many. Standard library only."""

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass

from harness import breaks

OK = (200, {}, b"{}")


@dataclass
class Arrival:
    at: float  # time.monotonic() when its body was whole
    method: str
    path: str
    fields: dict
    body: bytes
    left: bool = False  # its client was gone before the answer


def answer_bytes(status, fields, body):
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def read_head(reader):
    """(first line, {lower-case name: value}) of a message."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.split(":", 1) for line in head[1:] if line)
    return head[0], {name.lower(): value.strip() for name, value in fields.items()}


async def read_body(reader, fields):
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return body
    return await reader.readexactly(int(fields.get("content-length", 0)))


class NotingApi:
    """`answer(arrival)` returns (status, fields, body), or (seconds to wait first, status, fields, body); a
    body may be a list of pieces, sent 100 ms apart."""

    def __init__(self, answer=lambda arrival: OK):
        self.answer, self.arrivals = answer, []
        self.loop = asyncio.new_event_loop()
        self.writers = set()
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096))
        self.url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    async def serve(self, reader, writer):
        try:
            while True:
                line, fields = await read_head(reader)
                method, path, _ = line.split(" ", 2)
                if fields.get("expect") == "100-continue":
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await read_body(reader, fields)
                arrival = Arrival(time.monotonic(), method, path, fields, body)
                self.arrivals.append(arrival)
                said = self.answer(arrival)
                if len(said) == 4:
                    await asyncio.sleep(said[0])
                    said = said[1:]
                    arrival.left = reader.at_eof() or writer.is_closing()
                if isinstance(said[2], list):
                    await self.stream(writer, *said)
                else:
                    writer.write(answer_bytes(*said))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        except Exception as error:
            breaks(error)
        finally:
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def stream(self, writer, status, fields, pieces):
        """Pieces of a body, 100 ms apart."""
        head = answer_bytes(status, {**fields, "Transfer-Encoding": "chunked"}, b"")
        writer.write(head.replace(b"Content-Length: 0\r\n", b""))
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await asyncio.sleep(0.1)
        writer.write(b"0\r\n\r\n")

    def times(self, path=None):
        return [arrival.at for arrival in list(self.arrivals) if path is None or arrival.path == path]

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


@dataclass
class Answered:
    number: int
    start: float
    end: float
    status: int  # 0: the connection ended
    fields: dict
    body: bytes = b""

    @property
    def seconds(self):
        return self.end - self.start


async def one(address, number, head, body=b"", timeout=120):
    """One request on a connection of its own."""
    start = time.monotonic()
    status, fields, got = 0, {}, b""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(head + body)
                line, fields = await read_head(reader)
                status = int(line.split(" ")[1])
                got = await read_body(reader, fields)
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        status = 0
    return Answered(number, start, time.monotonic(), status, fields, got)


def head_of(method, path, length=0, fields=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in dict(fields).items()]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def address_of(url):
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def burst(url, path, count, spacing=0.0, fields=(), timeout=120):
    """`count` GETs at once, each begun `spacing` after the one before; what became of each. `path`: one for
    all, or a list."""

    async def all_of_them():
        async def later(number):
            await asyncio.sleep(number * spacing)
            own = path if isinstance(path, str) else path[number]
            return await one(address_of(url), number, head_of("GET", own, fields=fields), timeout=timeout)

        return await asyncio.gather(*(later(number) for number in range(count)))

    return asyncio.run(all_of_them())


def fullest_bin(times, width=0.1):
    """The fullest of the bins of `width` seconds between the first and the last of `times`, as a multiple of
    their mean; with how many there are."""
    ordered = sorted(times)
    bins = max(1, int((ordered[-1] - ordered[0]) / width) + 1)
    counts = [0] * bins
    for at in ordered:
        counts[min(bins - 1, int((at - ordered[0]) / width))] += 1
    return max(counts) / (len(ordered) / bins), bins
