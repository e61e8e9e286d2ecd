"""What the guard decides, as clients and the API see it carried out: requests wait, are sent once more, are
refused in the API's own words; and what was never to be sent is not. A real agent before a scripted API."""

import json
import re
import threading
import time
import unittest

from harness import Workspace, wait_until
from raw_http import OK, Client, Upstream
from serving import Agent

CHAT = b'{"model":"gpt-5","messages":[{"role":"user","content":"%s"}]}'


def reply(status, body=b"{}", **fields):
    lines = [b"HTTP/1.1 %d Said" % status, b"Content-Type: application/json",
             b"Content-Length: %d" % len(body)]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in fields.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Script:
    """Replies one after the other; the last one for ever. None: the connection is closed unanswered."""

    def __init__(self, *replies):
        self.replies = list(replies)

    def __call__(self, request, sock):
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def request(method="GET", path="/t/v1/chat/completions", body=b"", chunked=False, **fields):
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in fields.items()]
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7000]), body[i:i + 7000])
                        for i in range(0, len(body), 7000)) + b"0\r\n\r\n"
    elif body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class GuardDoorTest(unittest.TestCase):
    exporter = "openai"

    def setUp(self):
        self.work = self.enterContext(Workspace())

    def serve(self, *replies, guard="on", settings="", poll=""):
        self.upstream = Upstream(Script(*replies))
        config = self.work.directory / "agent.yaml"
        config.write_text(f"guard: {guard}\n{settings}apis:\n"
                          f"  - name: t\n    exporter: {self.exporter}\n"
                          f"    base_url: \"http://{self.upstream.address}\"\n{poll}")
        self.agent = Agent(self.work, f"--config.file={config}", "--log.level=debug")

    def ask(self, data, to_head=False):
        with Client(self.agent.proxy, timeout=20) as client:
            client.send(data)
            return client.response(to_head)

    def sent(self):
        return len(self.upstream.requests)

    def at_rest(self):
        """Nothing is reserved when nothing is under way."""
        wait_until(lambda: all(value == 0 for _, value in self.agent.sample("apiquota_reserved")), 5,
                   "nothing is reserved at rest")

    def looked_at(self):
        """How long it took is the last that is noted of an answer."""
        return sum(value for _, value in self.agent.sample("apiquota_upstream_duration_seconds_count"))

    def delay(self, response):
        told = response.values(b"apiquota-delay")
        self.assertEqual(len(told), 1, response.fields)
        return re.fullmatch(rb"([0-9.]+);reason=([a-z_]+)(?:;quota=(\S+))?", told[0]).groups()

    def test_a_throttle_is_waited_out_and_the_client_sees_the_answer(self):
        self.serve(reply(429, retry_after=1), OK)
        began = time.monotonic()
        response = self.ask(request())
        self.assertEqual((response.status, response.body), (200, b"ok"))
        self.assertGreaterEqual(time.monotonic() - began, 1)
        self.assertGreaterEqual(float(self.delay(response)[0]), 0.9)
        self.assertEqual(self.sent(), 2)
        self.at_rest()

    def test_a_post_is_replayed_byte_by_byte(self):
        body = CHAT % bytes(33 + i % 90 if i % 90 not in (1, 59) else 97 for i in range(300_000))
        for chunked in (False, True):
            with self.subTest(chunked=chunked):
                self.serve(reply(429, retry_after=1), OK)
                response = self.ask(request("POST", body=body, chunked=chunked))
                self.assertEqual(response.status, 200)
                self.assertEqual([r.body == body for r in self.upstream.requests], [True, True])
                first, second = (r.head for r in self.upstream.requests)
                self.assertEqual(first, second)
                self.at_rest()
                self.agent.stop()

    def test_a_head_request_is_repeated_too(self):
        self.serve(b"HTTP/1.1 429 Said\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n", OK[:-2])
        response = self.ask(request("HEAD"), to_head=True)
        self.assertEqual(response.status, 200)
        self.assertEqual(self.sent(), 2)

    def test_who_is_told_to_come_back_in_an_hour_is_told_so(self):
        self.serve(reply(429, b'{"error":{"code":"rate_limit_exceeded"}}', retry_after=3600))
        first = self.ask(request())
        self.assertEqual(first.status, 429)
        self.assertGreaterEqual(int(first.values(b"retry-after")[0]), 3590)
        second = self.ask(request())
        self.assertEqual(second.status, 429)
        self.assertGreaterEqual(int(second.values(b"retry-after")[0]), 3590)
        self.assertEqual(second.values(b"x-should-retry"), [b"false"])
        self.assertRegex(second.values(b"proxy-status")[0], rb'^apiquota; error=\S+; details="')
        self.assertRegex(second.values(b"ratelimit")[0], rb'^"apiquota-[^"]+";r=0;t=\d+$')
        self.assertEqual(self.sent(), 1, "the second was not sent")
        wait_until(lambda: "event=guard decision=reject" in self.agent.log(), 5, "the refusal is logged")
        self.at_rest()

    def test_a_refusal_comes_at_once_where_the_client_would_not_wait(self):
        self.serve(reply(429, retry_after=20), OK)
        self.ask(request(x_stainless_read_timeout=2))
        began = time.monotonic()
        response = self.ask(request(x_stainless_read_timeout=2))
        self.assertLess(time.monotonic() - began, 0.5)
        self.assertEqual((response.status, response.values(b"apiquota-delay")), (429, []), "it waited")
        wait = int(response.values(b"retry-after")[0])
        self.assertTrue(15 <= wait <= 25, wait)
        self.assertEqual(response.values(b"x-should-retry"), [])
        self.assertEqual(self.sent(), 1)

    def test_a_client_that_leaves_while_it_waits_leaves_nothing_behind(self):
        self.serve(reply(429, retry_after=5), OK)  # longer than a busy machine stands still
        with Client(self.agent.proxy) as client:
            client.send(request())
            wait_until(self.sent, 10, "the first attempt")
            time.sleep(0.3)
        with Client(self.agent.proxy) as client:
            client.send(request("POST", body=CHAT % b"hello"))
            time.sleep(0.2)
        time.sleep(6)
        self.assertEqual(self.sent(), 1, "nothing was sent after they left")
        self.at_rest()

    def test_streams_pass_at_once(self):
        gate = threading.Event()

        def stream(request, sock):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n10\r\ndata: {\"a\": 1}\n\n\r\n")
            gate.wait(10)
            return b"0\r\n\r\n"

        self.serve(OK)
        self.upstream.reply = stream
        with Client(self.agent.proxy) as client:
            client.send(request("POST", body=CHAT % b"hello"))
            head = client.reader.until(b"\r\n\r\n")
            self.assertIn(b"text/event-stream", head)
            self.assertIn(b'data: {"a": 1}', client.reader.until(b"\n\n"))
            gate.set()
            client.reader.until(b"0\r\n\r\n")
        self.at_rest()

    def test_who_waits_for_leave_to_send_its_body_gets_it_and_the_model_counts(self):
        self.serve(OK)
        body = CHAT % b"hello"
        with Client(self.agent.proxy) as client:
            client.send(request("POST", body=body, expect="100-continue")[:-len(body)])
            self.assertEqual(client.response().status, 100)
            client.send(body)
            self.assertEqual(client.response().status, 200)
        self.assertEqual(self.upstream.requests[0].body, body)

    def test_a_body_that_does_not_come_is_not_waited_for(self):
        self.serve(OK)
        body = CHAT % b"hello"
        with Client(self.agent.proxy) as client:
            client.send(request("POST", body=body)[:-len(body)] + body[:3])
            wait_until(lambda: self.upstream.heads, 5, "the head is sent on after a second")
            client.send(body[3:])
            self.assertEqual(client.response().status, 200)
        self.assertEqual(self.upstream.requests[0].body, body)

    def test_only_what_may_be_repeated_is_sent_twice_after_a_failure(self):
        for failure in (reply(502), None):
            for what, times in ((request(), 2), (request("POST", body=CHAT % b"hi"), 1),
                                (request("POST", body=CHAT % b"hi", idempotency_key="1"), 2)):
                with self.subTest(failure=failure, what=what[:20], times=times):
                    self.serve(failure, OK)
                    response = self.ask(what)
                    self.assertEqual(response.status == 200, times == 2, response.status)
                    self.assertEqual(self.sent(), times)
                    self.at_rest()
                    self.agent.stop()

    def test_a_long_throttle_is_relayed_as_it_comes(self):
        body = b'{"error":"' + b"x" * 200_000 + b'"}'
        self.serve(reply(429, body, retry_after=1))
        response = self.ask(request())
        self.assertEqual((response.status, response.body), (429, body))
        self.assertEqual(self.sent(), 1)

    def test_a_throttle_that_dribbles_is_held_for_a_second_at_most(self):
        self.serve(OK)
        gate = threading.Event()
        self.addCleanup(gate.set)

        def dribble(request, sock):
            sock.sendall(b"HTTP/1.1 429 Said\r\nContent-Length: 100\r\n\r\n{")
            gate.wait(10)
            return b" " * 98 + b"}"

        self.upstream.reply = dribble
        with Client(self.agent.proxy) as client:
            client.send(request())
            began = time.monotonic()
            self.assertIn(b" 429 ", client.reader.until(b"\r\n\r\n"))
            self.assertTrue(0.9 < time.monotonic() - began < 2, time.monotonic() - began)
            gate.set()
            self.assertEqual(len(client.reader.exactly(100)), 100)
        self.assertEqual(self.sent(), 1)

    def test_what_fails_for_good_is_relayed_and_said_to_be_final(self):
        self.serve(reply(500, b"broken"))
        response = self.ask(request())
        self.assertEqual((response.status, response.body), (500, b"broken"))
        self.assertEqual(response.values(b"x-should-retry"), [b"false"])
        self.assertEqual(self.sent(), 3)
        self.at_rest()

    def test_what_a_poll_is_told_counts_and_polls_themselves_never_wait(self):
        self.exporter = "generic"
        says = {"X-RateLimit-Limit": 60, "X-RateLimit-Remaining": 0, "X-RateLimit-Reset": 40}
        self.serve(reply(200, **{name.replace("-", "_"): value for name, value in says.items()}),
                   poll="    poll: {every: 1s, jitter: 0%, path: /limits}\n")
        wait_until(lambda: self.sent() >= 3, 10, "polls go on although nothing is left")
        response = self.ask(request(x_stainless_read_timeout=4))
        self.assertEqual(response.status, 429)
        self.assertTrue(30 <= int(response.values(b"retry-after")[0]) <= 45)
        self.assertEqual({r.line.split(b" ")[1] for r in self.upstream.requests}, {b"/limits"})
        self.at_rest()

    def test_a_shadow_changes_nothing(self):
        self.serve(reply(429, retry_after=3600), guard="shadow")
        for _ in range(3):
            response = self.ask(request("POST", body=CHAT % b"hello"))
            self.assertEqual(response.status, 429)
            self.assertEqual(response.values(b"retry-after"), [b"3600"])
            self.assertEqual(response.values(b"apiquota-delay"), [])
            wait_until(lambda: self.looked_at() == self.sent(), 5, "known: that comes behind the answer")
        self.assertEqual(self.sent(), 3)
        shadow = [labels for labels, value in self.agent.sample("apiquota_decisions_total")
                  if value > 0 and labels["decision"] != "allow"]
        self.assertTrue(shadow and all(labels["mode"] == "shadow" for labels in shadow), shadow)

    def test_a_cooldown_outlives_a_restart(self):
        self.serve(reply(429, retry_after=600), OK,
                   settings=f"state: {{file: {self.work.directory}/state.json}}\n")
        self.assertEqual(self.ask(request()).status, 429)
        self.assertEqual(self.agent.stop(), 0)
        self.agent = Agent(self.work, f"--config.file={self.work.directory}/agent.yaml", name="again")
        response = self.ask(request())
        self.assertEqual(response.status, 429)
        self.assertGreater(int(response.values(b"retry-after")[0]), 580)
        self.assertEqual(self.sent(), 1)

    def test_a_refusal_is_in_the_words_of_the_api(self):
        self.serve(reply(429, retry_after=600), OK)
        self.ask(request())
        response = self.ask(request("POST", body=CHAT % b"hello"))
        error = json.loads(response.body)["error"]
        self.assertEqual(error["type"], "rate_limit_error", error)
        self.assertIn("apiquota holds this request to t back", error["message"])

    def test_who_waits_when_the_agent_stops_is_told(self):
        self.serve(reply(429, retry_after=40), OK, settings="proxy: {drain_timeout: 2s}\n")
        self.ask(request(x_stainless_read_timeout=2))
        with Client(self.agent.proxy, timeout=20) as client:
            client.send(request())
            waits = [({"api": "t"}, 1)]
            wait_until(lambda: self.agent.sample("apiquota_queue_depth") == waits, 5, "it waits")
            self.agent.process.terminate()
            began = time.monotonic()
            response = client.response()
            self.assertEqual(response.status, 503)
            self.assertGreater(int(response.values(b"retry-after")[0]), 0)
            self.assertLess(time.monotonic() - began, 1.5)
        self.assertEqual(self.sent(), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
