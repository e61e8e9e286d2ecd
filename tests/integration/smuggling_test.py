"""Framing attacks against a running agent: every request of tests/http/requests.table from the client's side,
every reply of tests/http/responses.table from the upstream's."""

import json
import unittest

from harness import Workspace
from raw_http import OK, Client, Upstream, exchange, read_table, responses_in, start_agent

ASK = b"GET /t/hostile HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
NEXT = b"GET /t/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class SmugglingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = cls.enterClassContext(Workspace())
        cls.upstream = Upstream()
        cls.agent = start_agent(cls.work, cls.upstream)

    def setUp(self):
        self.upstream.reply, self.upstream.after = (lambda request, sock: OK), "keep"
        self.upstream.reset()

    def next_client_is_served(self):
        """Whatever happened before, another client gets its own answer."""
        reply, after = self.upstream.reply, self.upstream.after
        self.upstream.reply, self.upstream.after = (lambda request, sock: OK), "keep"
        data, _ = exchange(self.agent.proxy_url, NEXT)
        self.upstream.reply, self.upstream.after = reply, after
        found, partial = responses_in(data)
        self.assertEqual([(r.status, r.body) for r in found], [(200, b"ok")], data)
        self.assertFalse(partial)

    def upstream_saw_at_most(self, count):
        self.assertLessEqual(len(self.upstream.requests), count)
        self.assertEqual(self.upstream.doubly_framed(), [])
        for head in self.upstream.heads:
            self.assertNotIn(b"evil", head.split(b"\r\n")[0])

    def test_bad_requests_are_refused_and_the_connection_is_closed(self):
        for row in read_table("requests.table"):
            if row.status == 200:
                continue
            with self.subTest(row.name):
                self.upstream.reset()
                data, was_reset = exchange(self.agent.proxy_url, row.bytes)
                found, partial = responses_in(data)
                self.assertFalse(partial or was_reset, data[-300:])
                self.assertEqual([r.status for r in found], [200] * row.complete + [row.status])
                self.assertEqual(found[-1].values(b"connection"), [b"close"])
                self.assertIn(b"apiquota; error=http_request_error;", found[-1].values(b"proxy-status")[0])
                self.assertEqual(json.loads(found[-1].body)["error"]["rule"], row.rule)
                self.upstream_saw_at_most(row.complete)

    def test_legal_requests_arrive_one_for_one(self):
        for row in read_table("requests.table"):
            if row.status != 200:
                continue
            with self.subTest(row.name), Client(self.agent.proxy_url) as client:
                self.upstream.reset()
                client.send(row.bytes)
                statuses = [client.response().status for _ in range(row.complete)]
                self.assertEqual(statuses, [200] * row.complete)
                self.assertEqual(client.reader.buffer, b"")
                self.assertEqual(len(self.upstream.requests), row.complete)
                self.upstream_saw_at_most(row.complete)

    def test_refusals_are_counted_by_rule(self):
        def rejected():
            return self.agent.metric_sum("apiquota_http_rejected_total", reason="content_length")
        before = rejected()
        exchange(self.agent.proxy_url, b"GET /t/x HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n")
        self.assertEqual(rejected(), before + 1)

    def test_bodies_arrive_unchanged_however_they_were_framed(self):
        with Client(self.agent.proxy_url) as client:
            head = b"POST /t/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            trailer = b"Content_Length: 1\r\n"
            for piece in (head, b"5;x=y\r", b"\nhel", b"lo\r\n1", b"\r\n!\r\n0\r\n", trailer, b"\r\n"):
                client.send(piece)
            self.assertEqual(client.response().status, 200)
        self.assertEqual([r.body for r in self.upstream.requests], [b"hello!"])
        self.assertEqual(self.upstream.requests[0].values(b"content_length"), [])

    def hostile(self, row):
        self.upstream.reply = lambda request, sock: row.bytes
        self.upstream.after = "close"
        data, was_reset = exchange(self.agent.proxy_url, ASK)
        self.upstream.settle()
        found, partial = responses_in(data)
        return data, [r for r in found if r.status >= 200], partial or was_reset

    def test_bad_replies_end_in_502_or_an_aborted_connection(self):
        for row in read_table("responses.table"):
            if row.status == 200:
                continue
            with self.subTest(row.name):
                data, found, aborted = self.hostile(row)
                self.assertTrue(aborted or [r.status for r in found] == [502], data[:300])
                self.assertNotIn(200, [r.status for r in found], data[:300])
                self.assertNotIn(b"\0", data)
                self.assertNotIn(b"Set-Cookie", data)
                self.next_client_is_served()

    def test_legal_replies_are_relayed(self):
        for row in read_table("responses.table"):
            if row.status != 200 or row.name == "101":
                continue
            with self.subTest(row.name):
                data, found, aborted = self.hostile(row)
                self.assertFalse(aborted, data)
                status = int(row.bytes[row.bytes.rindex(b"HTTP/1."):][9:12])
                body = b"hello" if b"hello" in row.bytes else b""
                self.assertEqual([(r.status, r.body) for r in found], [(status, body)])
                self.assertNotIn(b"Set-Cookie", data)
                self.next_client_is_served()

    def test_an_unasked_switch_of_protocols_is_an_error(self):
        self.upstream.reply = lambda request, sock: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
        found, _ = responses_in(exchange(self.agent.proxy_url, ASK)[0])
        self.assertEqual([r.status for r in found], [502])

    def test_bytes_behind_a_reply_never_reach_another_client(self):
        stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
        for ending in (b"", b"HTTP/1.1 204 No Content\r\nContent-Length: 60\r\n\r\n"):
            self.upstream.reply = lambda request, sock, first=ending or OK: first + stray
            for _ in range(5):
                data, _ = exchange(self.agent.proxy_url, ASK)
                self.assertNotIn(b"stray", data)
                self.next_client_is_served()

    def test_a_reset_ends_no_body(self):
        self.upstream.after = "reset"
        self.upstream.reply = lambda request, sock: b"HTTP/1.1 200 OK\r\n\r\nhello"
        found, partial = responses_in(exchange(self.agent.proxy_url, ASK)[0])
        self.assertTrue(partial or [r.status for r in found] == [502])
        data, was_reset = exchange(self.agent.proxy_url, ASK.replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.assertTrue(was_reset or b" 502 " in data, data)

    def test_endless_interim_replies_are_cut(self):
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000
        self.upstream.reply = lambda request, sock: hints + OK
        found, _ = responses_in(exchange(self.agent.proxy_url, ASK)[0])
        self.assertLess(sum(r.status < 200 for r in found), 64 * 1024 / 30)
        self.assertEqual(found[-1].status, 502)


if __name__ == "__main__":
    unittest.main()
