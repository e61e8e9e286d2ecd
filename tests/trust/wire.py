"""A client at the level of bytes: sends what no library would, and says exactly what came back and how the
connection ended. Standard library only."""

import re
import socket
import time
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"


@dataclass
class Answer:
    """One response. `complete`: its body came to an end that its framing says; a body that is read until
    close is complete when the connection ends in order."""

    head: bytes
    status: int
    fields: list  # [(lower-case name, value)]
    body: bytes = b""
    complete: bool = False
    until_close: bool = False

    def values(self, name):
        return [value for key, value in self.fields if key == name.lower()]


@dataclass
class Talk:
    """What a connection brought: final answers, in order; `rest` is what follows them and is no response."""

    answers: list = field(default_factory=list)
    rest: bytes = b""
    closed: bool = False
    reset: bool = False

    @property
    def statuses(self):
        return [answer.status for answer in self.answers]


def split_head(head):
    lines = head.split(b"\r\n")
    pairs = [line.split(b":", 1) for line in lines[1:] if b":" in line]
    return lines[0], [(name.lower(), value.strip(b" \t")) for name, value in pairs]


def read_chunks(data):
    """(body, bytes used, whether it ended)."""
    body, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        digits = re.match(rb"[0-9a-fA-F]+", data[at:end])
        if not digits:
            return body, at, False
        size = int(digits[0], 16)
        at = end + 2
        if size == 0:
            return read_trailers(data, at, body)
        body += data[at : at + size]
        if len(data) < at + size + 2:
            return body, len(data), False
        at += size + 2
    return body, at, False


def read_trailers(data, at, body):
    while (end := data.find(b"\r\n", at)) >= 0:
        if end == at:
            return body, end + 2, True
        at = end + 2
    return body, at, False


def parse_answers(data, closed, methods):
    """(final answers, what follows them). An answer that is cut comes last, not complete."""
    found, methods = [], list(methods)
    while data.startswith(b"HTTP/") and HEAD_END in data:
        head, data = data.split(HEAD_END, 1)
        line, fields = split_head(head)
        match = re.match(rb"HTTP/1\.[01] ([0-9]{3})(?: |$)", line)
        if not match:
            return found, head + HEAD_END + data
        answer = Answer(head, int(match[1]), fields)
        if 100 <= answer.status < 200 and answer.status != 101:
            continue
        method = methods.pop(0) if methods else b"GET"
        data = read_body(answer, data, closed, method)
        found.append(answer)
        if not answer.complete:
            break
    return found, data


def read_body(answer, data, closed, method):
    """Fills the answer's body; what follows it."""
    if method == b"HEAD" or answer.status in (101, 204, 304):
        answer.complete = True
        return data
    if answer.values(b"transfer-encoding"):
        answer.body, used, answer.complete = read_chunks(data)
        return data[used:]
    lengths = answer.values(b"content-length")
    if lengths and lengths[0].isdigit():
        size = int(lengths[0])
        answer.body, answer.complete = data[:size], len(data) >= size
        return data[size:]
    answer.body, answer.complete, answer.until_close = data, closed, True
    return b""


def converse(port, data, *, enough, patience=5.0, linger=0.1, methods=(b"GET",), cuts=()):
    """Sends `data`, at once or cut at some places, and reads until the connection ends, or until
    enough(talk) and `linger` seconds of silence behind it, or `patience` seconds of silence."""
    received = bytearray()
    talk = Talk()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in zip((0, *cuts), (*cuts, len(data))):
            if start:
                time.sleep(0.001)  # so that it arrives as a piece of its own, mostly
            send_all(sock, data[start:end])
        while True:
            sock.settimeout(linger if enough(talk) else patience)
            try:
                piece = sock.recv(1 << 20)
            except TimeoutError:
                break
            except OSError:
                talk.closed = talk.reset = True
                break
            talk.closed = not piece
            received += piece
            talk.answers, talk.rest = parse_answers(bytes(received), talk.closed, methods)
            if talk.closed:
                break
    for answer in talk.answers:
        answer.complete &= not (answer.until_close and talk.reset)
    return talk


def send_all(sock, data):
    """As much as the peer takes: it may refuse and close before the end."""
    deadline = time.monotonic() + 5
    sock.settimeout(1)
    try:
        while data and time.monotonic() < deadline:
            data = data[sock.send(data[: 1 << 16]) :]
    except OSError:
        pass
