"""Many raw connections at once, from one thread: who drips, who does not read, who idles.

    with Crowd(address, 1000, b"GET / HTTP/1.1\\r\\nX: ") as crowd:
        crowd.drip(b"a", every=1.0, seconds=5)      # a byte on each, once a second
        crowd.ended             # {socket: seconds from its connecting until the peer ended it}
"""

import errno
import resource
import select
import selectors
import socket
import time


def raise_open_files():
    """The soft limit to the hard one; returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Crowd:
    """After each 5,000 connections comes a new local address, 127.0.0.x: there are only so many ports."""

    def __init__(self, address, count, first_bytes=b"", receive_buffer=None):
        self.address, self.first_bytes, self.receive_buffer = address, first_bytes, receive_buffer
        self.count = count
        self.began = time.monotonic()
        self.connected = {}  # socket: when
        self.ended = {}  # socket: seconds since it connected
        self.received = {}  # socket: its first bytes
        self.refused = 0
        self.selector = selectors.DefaultSelector()

    def __enter__(self):
        for number in range(self.count):
            self.connect(number)
            if self.refused and time.monotonic() - self.began > 10:  # the rest would wait in vain, too
                self.refused = self.count - len(self.connected)
                break
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for key in list(self.selector.get_map().values() if self.selector.get_map() else ()):
            key.fileobj.close()
        self.selector.close()

    def connect(self, number):
        sock = socket.socket()
        if self.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        sock.settimeout(3)
        try:
            sock.bind((f"127.0.0.{2 + number // 5000}", 0))
            sock.connect(self.address)
            if self.first_bytes:
                sock.sendall(self.first_bytes)
        except OSError:
            self.refused += 1
            sock.close()
            return
        sock.setblocking(False)
        self.received[sock] = b""
        self.connected[sock] = time.monotonic()
        self.selector.register(sock, selectors.EVENT_READ)

    def open(self):
        return len(self.selector.get_map())

    def end(self, sock):
        self.ended[sock] = time.monotonic() - self.connected[sock]
        self.selector.unregister(sock)
        sock.close()

    def read_for(self, seconds):
        """Reads what comes (the first 64 KiB of each are kept) and notes who has been ended."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            events = self.selector.select(max(0, left)) if self.open() else []
            for key, _ in events:
                try:
                    piece = key.fileobj.recv(65536)
                except BlockingIOError:
                    continue
                except OSError:
                    piece = b""
                if not piece:
                    self.end(key.fileobj)
                elif len(self.received[key.fileobj]) < 65536:
                    self.received[key.fileobj] += piece
            if left <= 0 or not self.open():
                return

    def send_all(self, data):
        """`data` on every connection that is still there and takes it."""
        for key in list(self.selector.get_map().values()):
            try:
                key.fileobj.send(data)
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in (errno.EPIPE, errno.ECONNRESET):
                    raise
                self.end(key.fileobj)

    def drip(self, data, every, seconds):
        """`data` on each connection, again and again; what comes back is read meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.open():
            self.send_all(data)
            self.read_for(min(every, max(0, deadline - time.monotonic())))

    def end_those_reset(self):
        """A reset is told though bytes from before it are still unread."""
        resets = select.poll()
        socks = {key.fd: key.fileobj for key in self.selector.get_map().values()}
        for number in socks:
            resets.register(number, 0)
        for number, _ in resets.poll(0):
            self.end(socks[number])

    def sip(self, seconds):
        """One byte of what came is read on each connection, once a second; who has been reset is looked for
        ten times as often, so that the figures are the peer's and not this program's."""
        next_sip = time.monotonic()
        deadline = next_sip + seconds
        while time.monotonic() < deadline and self.open():
            self.end_those_reset()
            if time.monotonic() >= next_sip:
                self.sip_once()
                next_sip += 1
            time.sleep(min(0.1, max(0, deadline - time.monotonic())))

    def sip_once(self):
        for key in list(self.selector.get_map().values()):
            try:
                if not key.fileobj.recv(1):
                    self.end(key.fileobj)
            except BlockingIOError:
                pass
            except OSError:
                self.end(key.fileobj)

    def statuses(self):
        """{status line: how many got it first}; "" for those that got nothing."""
        found = {}
        for data in self.received.values():
            line = data.split(b"\r\n")[0].decode("latin-1")
            found[line] = found.get(line, 0) + 1
        return found
