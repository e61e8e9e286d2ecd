"""What a gateway must do besides framing (RFC 9110, RFC 9112), byte by byte against a running agent: nothing
is sent twice or cut short in silence; interim replies, bodiless replies, Expect, clients that leave."""

import socket
import threading
import time
import unittest

from harness import Workspace, wait_until
from raw_http import OK, Client, Ended, Upstream, exchange, responses_in, start_agent


def post(body=b"hello", fields=b""):
    return b"POST /t/x HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (fields, len(body), body)


def ask(method=b"GET", version=b"1.1"):
    return b"%b /t/x HTTP/%b\r\nHost: a\r\n\r\n" % (method, version)


class ByTheBookTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = cls.enterClassContext(Workspace())

    def setUp(self):
        self.upstream = Upstream()
        # One loop: every request meets the same pool of upstream connections.
        self.agent = start_agent(self.work, self.upstream, "  loops: 1\n")
        self.addCleanup(self.agent.stop)

    def bodies_seen(self):
        return [request.body for request in self.upstream.requests]

    def test_a_post_on_a_fresh_connection_that_dies_is_sent_once(self):
        self.upstream.reply = lambda request, sock: None
        with Client(self.agent.proxy_url) as client:
            client.send(post())
            self.assertEqual(client.response().status, 502)
        time.sleep(0.2)  # a second sending would have come by now
        self.assertEqual(self.bodies_seen(), [b"hello"])

    def test_a_post_on_a_reused_connection_that_dies_is_sent_once(self):
        self.upstream.reply = lambda request, sock: OK if request.body == b"first" else None
        with Client(self.agent.proxy_url) as client:
            client.send(post(b"first"))
            self.assertEqual(client.response().status, 200)
            client.send(post(b"second"))
            self.assertEqual(client.response().status, 502)
            time.sleep(0.2)  # a second sending would have come by now
            self.assertEqual(self.bodies_seen(), [b"first", b"second"])
            self.assertEqual(self.upstream.connections, 1)
            # The client's connection and the next request are none the worse.
            client.send(post(b"first"))
            self.assertEqual(client.response().status, 200)

    def test_a_connection_that_died_while_idle_is_not_used(self):
        self.upstream.after = "close"
        with Client(self.agent.proxy_url) as client:
            for number in range(3):
                client.send(post(b"%d" % number))
                self.assertEqual(client.response().status, 200)
                self.upstream.settle()
        self.assertEqual(self.bodies_seen(), [b"0", b"1", b"2"])

    def test_connections_are_kept_and_reused(self):
        with Client(self.agent.proxy_url) as client:
            for number in range(5):
                client.send(post(b"%d" % number))
                self.assertEqual(client.response().status, 200)
        self.assertEqual(self.upstream.connections, 1)

    def test_a_truncated_reply_is_never_a_whole_one(self):
        self.upstream.after = "close"
        for version in (b"1.1", b"1.0"):
            for reply in (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
                          b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
                with self.subTest(version=version, reply=reply):
                    self.upstream.reply = lambda request, sock: reply
                    data, was_reset = exchange(self.agent.proxy_url, ask(version=version))
                    found, partial = responses_in(data)
                    whole_by_close = version == b"1.0" and b"Content-Length" not in data and not was_reset
                    self.assertFalse(whole_by_close, data)
                    self.assertTrue(partial or was_reset or [r.status for r in found] == [502], data)
                    self.assertIn(b"hello", data)  # what came is passed on

    def test_what_came_before_a_pause_is_passed_on_at_once(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def reply(request, sock):
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            go_on.wait(10)
            return b"0\r\n\r\n"

        self.upstream.reply = reply
        with Client(self.agent.proxy_url, timeout=2) as client:
            client.send(ask())
            client.reader.until(b"5\r\nhello\r\n")
            go_on.set()
            client.reader.until(b"0\r\n\r\n")

    def test_expect_costs_no_waiting(self):
        took = []
        with Client(self.agent.proxy_url) as client:
            for _ in range(5):
                start = time.monotonic()
                client.send(post(fields=b"Expect: 100-continue\r\n").removesuffix(b"hello"))
                self.assertEqual(client.response().status, 100)
                client.send(b"hello")
                self.assertEqual(client.response().status, 200)
                took.append(time.monotonic() - start)
        self.assertLess(min(took), 0.05)
        self.assertEqual(self.bodies_seen(), [b"hello"] * 5)
        self.assertEqual([r.values(b"expect") for r in self.upstream.requests], [[]] * 5)

    def test_interim_replies_reach_clients_that_know_them(self):
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        self.upstream.reply = lambda request, sock: b"HTTP/1.1 100 Continue\r\n\r\n" + hints + hints + OK
        with Client(self.agent.proxy_url) as client:
            client.send(ask())
            found = [client.response() for _ in range(3)]
            self.assertEqual([r.status for r in found], [103, 103, 200])
            self.assertEqual(found[0].values(b"link"), [b"</t/a>"])
        data, _ = exchange(self.agent.proxy_url, ask(version=b"1.0"))
        self.assertEqual([r.status for r in responses_in(data)[0]], [200])

    def test_bodiless_replies_end_at_their_head(self):
        cases = {
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n": (b"HEAD", 200, [b"5"]),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n": (b"HEAD", 200, []),
            b"HTTP/1.1 204 No Content\r\n\r\n": (b"GET", 204, []),
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n": (b"GET", 304, [b"5"]),
        }
        with Client(self.agent.proxy_url) as client:
            for reply, (method, status, length) in cases.items():
                with self.subTest(reply):
                    self.upstream.reply = lambda request, sock: reply
                    client.send(ask(method))
                    response = client.response(to_head=True)
                    self.assertEqual((response.status, response.values(b"content-length")), (status, length))
            self.upstream.reply = lambda request, sock: OK
            client.send(ask())
            self.assertEqual(client.response().body, b"ok")  # nothing was left over on the way
        self.assertEqual(self.upstream.connections, 1)

    def test_http_10_clients_never_get_chunks(self):
        self.upstream.reply = lambda request, sock: (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        data, _ = exchange(self.agent.proxy_url, b"GET /t/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        self.assertTrue(data.endswith(b"\r\n\r\nhello"), data)
        self.assertNotIn(b"Transfer-Encoding", data)

    def upstream_ends_within_a_second_after(self, leave):
        left = time.monotonic()
        leave()
        wait_until(lambda: self.upstream.ended_at, 2, "the upstream's connection ends")
        self.assertLess(self.upstream.ended_at[0] - left, 1)

    def wait_for_the_end(self, prefix=b""):
        """A reply that sends `prefix` and then waits for the agent to hang up."""
        def reply(request, sock):
            sock.sendall(prefix)
            sock.settimeout(10)
            if not sock.recv(1):
                raise Ended
        self.upstream.reply = reply

    def test_a_client_that_leaves_before_the_reply_takes_the_upstream_along(self):
        self.wait_for_the_end()
        with Client(self.agent.proxy_url) as client:
            client.send(post())
            wait_until(lambda: self.upstream.requests, 5, "the request arrives")
            self.upstream_ends_within_a_second_after(client.sock.close)

    def test_a_client_that_leaves_in_the_middle_of_a_reply_takes_the_upstream_along(self):
        self.wait_for_the_end(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        with Client(self.agent.proxy_url) as client:
            client.send(ask())
            client.reader.until(b"hello")
            self.upstream_ends_within_a_second_after(client.sock.close)

    def test_a_client_that_leaves_in_the_middle_of_its_request_takes_the_upstream_along(self):
        with Client(self.agent.proxy_url) as client:
            client.send(post(b"x" * 100)[:-50])
            wait_until(lambda: self.upstream.heads, 5, "the head arrives")
            self.upstream_ends_within_a_second_after(lambda: client.sock.shutdown(socket.SHUT_RDWR))
        self.assertEqual(self.upstream.requests, [])

    def test_a_request_that_has_passed_here_before_is_refused(self):
        def statuses(via):
            found, _ = responses_in(exchange(self.agent.proxy_url, (
                b"GET /t/x HTTP/1.1\r\nHost: a\r\nVia: " + via + b"\r\nConnection: close\r\n\r\n"))[0])
            return [r.status for r in found]
        self.assertEqual(statuses(b"1.1 apiquota-00000000"), [200], "another agent's is no loop")
        theirs, ours = self.upstream.requests[0].values(b"via")
        self.assertEqual(theirs, b"1.1 apiquota-00000000")
        self.assertRegex(ours, rb"^1\.1 apiquota-[0-9a-f]{8}$")
        self.assertEqual(statuses(ours), [508])
        self.assertEqual(len(self.upstream.requests), 1)


if __name__ == "__main__":
    unittest.main()
