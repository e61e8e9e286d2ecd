"""A thousand clients that drip their request heads, and clients that never read, hold up nobody else: other
requests and /metrics are answered meanwhile, and the slow ones are cut at their deadline."""

import resource
import selectors
import socket
import time
import unittest

from harness import SANITIZED, Workspace, get, wait_until
from raw_http import Upstream, exchange, responses_in, start_agent

SLOW_CLIENTS = 1000
DRIP = b"GET /t/x HTTP/1.1\r\nHost: a\r\nX-Slow: "
ASK = b"GET /t/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def allow_open_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


class SlowClientsTest(unittest.TestCase):
    def setUp(self):
        allow_open_files(4 * SLOW_CLIENTS)
        self.work = self.enterContext(Workspace())
        self.upstream = Upstream()

    def connect(self, agent, count, first_bytes, receive_buffer=None):
        """`count` connections that have sent `first_bytes`, in a selector that sees their ends."""
        selector = selectors.DefaultSelector()
        self.addCleanup(lambda: [key.fileobj.close() for key in list(selector.get_map().values())])
        host, port = agent.proxy_url.removeprefix("http://").split(":")
        for _ in range(count):
            sock = socket.socket()
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.connect((host, int(port)))
            sock.sendall(first_bytes)
            selector.register(sock, selectors.EVENT_READ)
        return selector

    def others_are_served(self, agent):
        """Seconds each of some requests and scrapes took, longest last."""
        took = []
        for number in range(20):
            start = time.monotonic()
            if number % 2:
                self.assertEqual(get(agent.admin_url + "/metrics")[0], 200)
            else:
                found, _ = responses_in(exchange(agent.proxy_url, ASK)[0])
                self.assertEqual([r.status for r in found], [200])
            took.append(time.monotonic() - start)
        return sorted(took)

    def test_dripping_heads_hold_up_nobody_and_are_cut(self):
        agent = start_agent(self.work, self.upstream, "  head_timeout: 6s\n")
        start = time.monotonic()
        selector = self.connect(agent, SLOW_CLIENTS, DRIP)
        for key in selector.get_map().values():
            key.fileobj.sendall(b"d")
        took = self.others_are_served(agent)
        self.assertLess(time.monotonic() - start, 6, "the slow clients were all there meanwhile")
        self.assertLess(took[-1], 1, took)
        print(f"beside {SLOW_CLIENTS} slow clients: {took[10]:.4f} s (median), {took[-1]:.4f} s (longest)")
        answers = self.read_to_the_end(selector, 10)
        self.assertEqual(len(answers), SLOW_CLIENTS)
        self.assertEqual({a.split(b"\r\n")[0] for a in answers}, {b"HTTP/1.1 408 Request Timeout"})
        rejected = agent.metric_sum("apiquota_http_rejected_total", reason="head_timeout")
        self.assertEqual(rejected, SLOW_CLIENTS)

    def read_to_the_end(self, selector, seconds):
        """What each connection received until it ended; drips go on until then."""
        received = {key.fileobj: b"" for key in selector.get_map().values()}
        deadline = time.monotonic() + seconds
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(0.2):
                piece = key.fileobj.recv(65536)
                received[key.fileobj] += piece
                if not piece:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
        return [answer for sock, answer in received.items() if sock.fileno() == -1]

    def test_clients_that_do_not_read_hold_up_nobody_and_little_memory(self):
        count, size = 100, 8 * 1024 * 1024
        big = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
        empty = b"HTTP/1.1 204 No Content\r\n\r\n"
        agent = start_agent(self.work, self.upstream)
        self.upstream.reply = lambda request, sock: big if b"/big" in request.line else empty
        exchange(agent.proxy_url, ASK)  # what is made once is there
        before = self.resident_bytes(agent)
        self.connect(agent, count, b"GET /t/big HTTP/1.1\r\nHost: a\r\n\r\n", receive_buffer=4096)
        wait_until(lambda: len(self.upstream.requests) > count, 10, "the big replies are under way")
        for _ in range(20):
            found, _ = responses_in(exchange(agent.proxy_url, ASK)[0])
            self.assertEqual([r.status for r in found], [204])
        # 16 KiB wait for each client, and one read more; all of it would be 800 MiB.
        if not SANITIZED:
            self.assertLess(self.resident_bytes(agent) - before, count * 64 * 1024)

    def resident_bytes(self, agent):
        with open(f"/proc/{agent.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


if __name__ == "__main__":
    unittest.main()
