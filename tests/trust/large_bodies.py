"""Bar 13: a reply that unpacks to 200 MB, and bodies of a GiB both ways. What they cost in memory."""

import gzip
import socket
import threading

from stand import RIVALS, Stand
from trust_table import NOT_MEASURED, Row

AGAIN = "scripts/trust large_bodies"
LIMIT_MIB = 4
PIECE = b"x" * (64 * 1024)
CHUNK = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
LAST_CHUNK = b"0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def bomb(megabytes):
    """JSON whose one long string is all zeros, packed twice: the second time it gets small."""
    once = gzip.compress(b'{"usage":{"x":"' + b"0" * (megabytes * 1000 * 1000) + b'"}}', 9)
    return once, gzip.compress(once, 9)


class LargeUpstream:
    """/t/down: `size` bytes in chunks. /t/bomb, /t/bombs: a packed reply. /t/up: takes a chunked body whole
    and says how long it was. Nothing is kept."""

    def __init__(self, size, bombs):
        self.size, self.bombs = size, bombs
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            try:
                self._answer(sock)
            except OSError:
                pass

    def _answer(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return
            data += piece
        head, rest = data.split(b"\r\n\r\n", 1)
        start = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
        if b"/t/down" in head:
            sock.sendall(start + CHUNKED + b"\r\n")
            for _ in range(self.size // len(PIECE)):
                sock.sendall(CHUNK)
            sock.sendall(LAST_CHUNK)
        elif b"/t/bomb" in head:
            twice = b"/t/bombs" in head
            body = self.bombs[twice]
            coding = b"gzip, gzip" if twice else b"gzip"
            sock.sendall(start + b"Content-Encoding: %s\r\n" % coding)
            sock.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        else:
            total = self._discard(sock, rest) if CHUNKED.strip().lower() in head.lower() else 0
            body = b"%d" % total
            sock.sendall(start + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def _discard(self, sock, tail):
        """Until the last chunk, which the sender makes the only zeros there are."""
        total = len(tail)
        while not tail.endswith(LAST_CHUNK):
            piece = sock.recv(1 << 18)
            if not piece:
                return total
            total += len(piece)
            tail = (tail + piece)[-len(LAST_CHUNK) :]
        return total


def ask(port, path, body_size=0):
    """How many bytes the answer had, its head included; the request's chunks are sent meanwhile."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        method, framing = (b"POST", CHUNKED) if body_size else (b"GET", b"")
        sock.sendall(b"%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n" % (method, path, framing))
        for _ in range(body_size // len(PIECE)):
            sock.sendall(CHUNK)
        if body_size:
            sock.sendall(LAST_CHUNK)
        total = 0
        while piece := sock.recv(1 << 18):
            total += len(piece)
        return total


def growth_mib(proxy, path, body_size, least):
    """What resident memory rose by at its height; AssertionError where the answer is not whole."""
    before, high_before = proxy.rss_kib(), proxy.rss_kib("VmHWM")
    got = ask(proxy.port, path, body_size)
    assert got >= least, f"{proxy.name} {path.decode()}: {got} bytes came, not {least}"
    high = proxy.rss_kib("VmHWM")
    return max(0, high - before) / 1024 if high > high_before else 0.0


def measure(context, size, megabytes):
    """{subject: {what: MiB}}."""
    bombs = bomb(megabytes)
    upstream = LargeUpstream(size, bombs)
    config = ("proxy: {hosts: [a]}\n"
              f'apis:\n  - {{name: t, exporter: openai, base_url: "http://{upstream.address}/t"}}\n')
    found = {}
    try:
        with Stand(context) as stand:
            proxies = [stand.agent(config=config)] if context.has("apiquota") else []
            proxies += [stand.rival(name, upstream) for name in RIVALS if context.has(name)]
            for proxy in proxies:
                ask(proxy.port, b"/t/warm")
                found[proxy.name] = {
                    "bomb": growth_mib(proxy, b"/t/bomb", 0, len(bombs[0])),
                    "bomb, packed twice": growth_mib(proxy, b"/t/bombs", 0, len(bombs[1])),
                    "down": growth_mib(proxy, b"/t/down", 0, size),
                }
                if proxy.name != "nginx":  # it keeps the whole body on disk before it sends the first byte on
                    found[proxy.name]["up"] = growth_mib(proxy, b"/t/up", size, 1)
    finally:
        upstream.stop()
    return found


def run(context):
    size = (64 if context.quick else 1024) << 20
    megabytes = 20 if context.quick else 200
    found = measure(context, size, megabytes)
    cells = {name: ", ".join(f"{what} +{mib:.1f}" for what, mib in costs.items()) + " MiB"
             for name, costs in found.items()}
    costs = found.get("apiquota")
    return [Row("13", f"a bomb of {megabytes} MB; bodies of {size >> 20} MiB both ways",
                cells.get("apiquota", NOT_MEASURED), f"<= {LIMIT_MIB} MiB each",
                *(cells.get(name, NOT_MEASURED) for name in RIVALS), AGAIN,
                None if costs is None else max(costs.values()) <= LIMIT_MIB)]
