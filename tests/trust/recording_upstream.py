"""An HTTP/1.1 server that keeps every byte it is sent, per connection, and takes requests as leniently as
a careless server would: what a proxy lets through shows here. Its answers say which request they belong
to, so a mixed answer shows at the client. Thread-safe; one thread a connection, all ended by stop()."""

import re
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass
class SeenRequest:
    head: bytes  # without its blank line, exactly as it came
    body: bytes = b""
    complete: bool = False  # the body came to its end
    junk: bool = False  # no careful proxy sends this: the framing makes no sense

    @property
    def line(self):
        return re.split(rb"\r?\n", self.head, maxsplit=1)[0]

    @property
    def target(self):
        parts = self.line.split(b" ")
        return parts[1] if len(parts) > 1 else b""

    def fields(self):
        """[(lower-case name, value)], in order."""
        lines = re.split(rb"\r?\n", self.head)[1:]
        pairs = [line.split(b":", 1) for line in lines if b":" in line]
        return [(name.strip().lower(), value.strip()) for name, value in pairs]

    def values(self, name):
        return [value for key, value in self.fields() if key == name.lower()]


@dataclass
class SeenConnection:
    sock: socket.socket
    peer: tuple = ()
    received: bytearray = field(default_factory=bytearray)  # since the last clear()
    waits: bool = False  # for more to come; all before it has been dealt with
    ended: bool = False

    def settled(self):
        return self.ended or (self.waits and not readable(self.sock, 0))


def readable(sock, timeout_ms):
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(timeout_ms))


def echo(request):
    """The usual answer: 200, and the target it was asked for."""
    body = b"answer to " + request.target[:200]
    if request.line.startswith(b"HEAD "):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Ended(Exception):
    """The peer has closed or reset the connection."""


class RecordingUpstream:
    """`reply(request)` gives the bytes to answer with, or (bytes, after) where after is "keep" (the default),
    "close" or "reset"; None: close without an answer."""

    def __init__(self, reply=echo):
        self.reply = reply
        self.lock = threading.Lock()
        self.requests, self.connections, self.sockets = [], [], set()
        self.accepted = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def clear(self):
        """Forgets what was seen; connections stay."""
        with self.lock:
            self.requests = []
            self.accepted = 0
            self.connections = [c for c in self.connections if not c.ended]
            for connection in self.connections:
                connection.received.clear()

    def settle(self):
        """Returns when all that was sent here has been read. Connections are taken in the order in which they
        came: when one of ours has been, all before it have."""
        with socket.create_connection(("127.0.0.1", self.port)) as barrier:
            mine = barrier.getsockname()
            deadline = time.monotonic() + 10
            while not self._settled(mine):
                assert time.monotonic() < deadline, "the upstream has not read all that was sent to it"
                time.sleep(0.001)

    def _settled(self, last):
        with self.lock:
            taken = any(connection.peer == last for connection in self.connections)
            return taken and all(connection.settled() for connection in self.connections)

    def seen(self):
        """The requests since clear(), as a list of its own."""
        with self.lock:
            return list(self.requests)

    def received(self):
        """The exact bytes of each connection that sent any since clear()."""
        with self.lock:
            return [bytes(c.received) for c in self.connections if c.received]

    def stop(self):
        self.listener.close()
        with self.lock:
            for sock in self.sockets:
                sock.close()

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            seen = SeenConnection(sock, peer)
            with self.lock:
                self.accepted += 1
                self.connections.append(seen)
                self.sockets.add(sock)
            threading.Thread(target=self._serve, args=(sock, seen), daemon=True).start()

    def _serve(self, sock, seen):
        source = _Source(sock, seen, self.lock)
        try:
            while self._serve_one(source, sock):
                pass
        except (Ended, OSError):
            pass
        with self.lock:
            seen.ended = True
            self.sockets.discard(sock)
        sock.close()

    def _serve_one(self, source, sock):
        request = SeenRequest(source.until(BLANK_LINE))
        with self.lock:
            self.requests.append(request)
        try:
            source.read_body(request, sock)
        except ValueError:
            request.junk = True
            sock.sendall(b"HTTP/1.1 299 Junk\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        request.complete = True
        answer = self.reply(request)
        if answer is None:
            return False
        data, after = answer if isinstance(answer, tuple) else (answer, "keep")
        sock.sendall(data)
        if after == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return after == "keep"


class _Source:
    """Buffered reading that records; Ended where the bytes end."""

    def __init__(self, sock, seen, lock):
        self.sock, self.seen, self.lock, self.buffer = sock, seen, lock, b""

    def more(self):
        try:
            self.seen.waits = True
            readable(self.sock, None)
            self.seen.waits = False
            data = self.sock.recv(65536)
        except (OSError, ValueError) as error:  # ValueError: stop() has closed it
            raise Ended from error
        if not data:
            raise Ended
        with self.lock:
            self.seen.received.extend(data)
        self.buffer += data

    def until(self, pattern):
        while not (match := pattern.search(self.buffer)):
            self.more()
        found, self.buffer = self.buffer[: match.start()], self.buffer[match.end() :]
        return found

    def exactly(self, size):
        while len(self.buffer) < size:
            self.more()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def read_body(self, request, sock):
        """ValueError where the framing makes no sense."""
        if request.values(b"expect"):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.values(b"transfer-encoding"):
            self._read_chunks(request)
            return
        for length in request.values(b"content-length")[:1]:
            request.body = self.exactly(int(length))

    def _read_chunks(self, request):
        line_end = re.compile(rb"\r?\n")
        while size := int(self.until(line_end).split(b";")[0], 16):
            if size < 0:
                raise ValueError(size)
            request.body += self.exactly(size)
            self.until(line_end)
        while self.until(line_end):
            pass
