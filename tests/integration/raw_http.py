"""HTTP/1.1 at the level of bytes, for tests about framing: a recording upstream that replies whatever bytes a
test wants, a client that sends what no library would, the tables of tests/http. Standard library only."""

import re
import socket
import struct
import threading
import time

from harness import SOURCE_DIR, Agent, breaks, wait_until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BROKEN = b"HTTP/1.1 500 The Test Broke\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class TableRow:
    def __init__(self, line):
        verdict, self.name, text = line.split(" | ", 2)
        complete, status, self.rule = verdict.split(" ")
        self.complete, self.status = int(complete), int(status)
        self.bytes = unescape(text)


def read_table(name):
    """The rows of tests/http/<name>; the format is described there."""
    lines = (SOURCE_DIR / "tests" / "http" / name).read_text("latin-1").split("\n")
    return [TableRow(line) for line in lines if line and not line.startswith("#")]


def unescape(text):
    repeated = re.sub(r"\{\{(.*?)\*(\d+)\}\}", lambda m: m[1] * int(m[2]), text)
    plain = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
    decoded = re.sub(r"\\(?:x([0-9a-f]{2})|(.))",
                     lambda m: chr(int(m[1], 16)) if m[1] else plain[m[2]], repeated)
    return decoded.encode("latin-1")


def split_head(data):
    """(first line, [(lower-case name, value)]) of a head without its blank line."""
    lines = data.split(b"\r\n")
    fields = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines[1:]]
    return lines[0], [(name.lower(), value) for name, value in fields]


class Request:
    def __init__(self, head, body):
        self.line, self.fields = split_head(head)
        self.head, self.body = head, body

    def values(self, name):
        return [value for key, value in self.fields if key == name]


class Ended(Exception):
    """The peer has closed or reset the connection."""


class Reader:
    """Buffered reading from a socket; Ended where the bytes end."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Ended
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def exactly(self, size):
        while len(self.buffer) < size:
            self.more()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def body(self, fields):
        if (b"transfer-encoding", b"chunked") in fields:
            body = b""
            while size := int(self.until(b"\r\n"), 16):
                body += self.exactly(size + 2)[:-2]
            self.until(b"\r\n")
            return body
        return self.exactly(int(dict(fields).get(b"content-length", b"0")))


class Upstream:
    """Records whole requests and the connections they came on. `reply(request, sock)` returns the bytes to
    send; None: the connection is closed without an answer. One that raises is answered with 500, and the test
    fails by what it raised. `after` says what follows a reply: "keep" the connection, "close" it, or "reset"
    it."""

    def __init__(self, reply=lambda request, sock: OK, after="keep"):
        self.reply, self.after = reply, after
        self.lock = threading.Lock()
        self.closing = 0
        self.reset()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self):
        with self.lock:
            self.requests, self.heads, self.connections, self.ended_at = [], [], 0, []

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        reader = Reader(sock)
        try:
            while self.answer_one(reader, sock):
                pass
        except (Ended, OSError):
            with self.lock:
                self.ended_at.append(time.monotonic())
        sock.close()

    def settle(self):
        """Until the agent has noticed every connection that was closed: a request sent on one of those is
        lost, as it must be, but that is another test's subject."""
        wait_until(lambda: self.closing == 0, 5, "the agent notices closed connections")

    def answer_one(self, reader, sock):
        head = reader.until(b"\r\n\r\n")
        with self.lock:
            self.heads.append(head)
        request = Request(head, reader.body(split_head(head)[1]))
        with self.lock:
            self.requests.append(request)
        after = self.after  # once: the test goes on as soon as it has the reply
        try:
            reply = self.reply(request, sock)
        except (Ended, OSError):
            raise  # the agent has left
        except Exception as error:
            breaks(error)
            sock.sendall(BROKEN)
            return False
        if reply is None:
            return False
        if after == "close":
            self.send_and_close(reply, sock)
            return False
        sock.sendall(reply)
        if after == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return after == "keep"

    def send_and_close(self, reply, sock):
        """Sends, ends our side and waits for the agent to end its own."""
        with self.lock:
            self.closing += 1
        try:
            sock.sendall(reply)
            sock.settimeout(5)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError:
            pass
        with self.lock:
            self.closing -= 1

    def doubly_framed(self):
        """Heads that carry both lengths, or one twice."""
        names = [[name for name, _ in split_head(head)[1]] for head in self.heads]
        return [n for n in names if n.count(b"content-length") + n.count(b"transfer-encoding") > 1]


class Response:
    def __init__(self, line, fields, body):
        self.version, status, _ = (line + b" ").split(b" ", 2)
        self.status, self.fields, self.body = int(status), fields, body

    def values(self, name):
        return [value for key, value in self.fields if key == name]


class Client:
    """A connection to `url` ("http://host:port"); closing is the caller's, by `with`."""

    def __init__(self, url, timeout=10):
        host, port = url.removeprefix("http://").split(":")
        self.sock = socket.create_connection((host, int(port)), timeout=timeout)
        self.reader = Reader(self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        """False if the peer has already closed."""
        try:
            self.sock.sendall(data)
            return True
        except ConnectionError:
            return False

    def response(self, to_head=False):
        """The next response, interim ones included; Ended if the connection ends before it is whole."""
        line, fields = split_head(self.reader.until(b"\r\n\r\n"))
        status = int(line.split(b" ")[1])
        bodiless = to_head or status // 100 == 1 or status in (204, 304)
        return Response(line, fields, b"" if bodiless else self.reader.body(fields))

    def all_bytes(self):
        """Everything until the connection ends, and whether it ended by a reset."""
        data, self.reader.buffer = self.reader.buffer, b""
        try:
            while piece := self.sock.recv(65536):
                data += piece
        except ConnectionError:
            return data, True
        return data, False


def exchange(url, data):
    """Everything answered to `data` until the agent closes, and whether that was a reset."""
    with Client(url) as client:
        client.send(data)
        return client.all_bytes()


def responses_in(data):
    """The whole responses in `data`, in order, then True if bytes of an incomplete one follow."""

    class Fixed:
        def recv(self, _):
            return b""

    client = Client.__new__(Client)
    client.reader = Reader(Fixed())
    client.reader.buffer = data
    found = []
    try:
        while client.reader.buffer:
            found.append(client.response())
    except Ended:
        return found, True
    return found, False


def start_agent(work, upstream, proxy_settings=""):
    """An agent that relays /t/… to `upstream` and takes the tables' hosts for its own."""
    config = work.directory / "agent.yaml"
    config.write_text("proxy:\n  hosts: [a, b, other.example]\n" + proxy_settings +
                      "apis:\n  - {name: t, exporter: generic, base_url: \"http://%s\"}\n" % upstream.address)
    return Agent(work, arguments=[f"--config.file={config}"])
