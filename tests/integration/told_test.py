#!/usr/bin/env python3
"""What goes wrong is told: refusals and lost answers in one line each, never with a client's words; a log
that nobody reads keeps nobody from stopping; what the environment asks for and does not get."""

import os
import signal
import socket
import subprocess
import time
import unittest

from harness import BINARY, Agent, Workspace, answers, free_port, get, wait_until
from raw_http import OK, Client, Upstream, exchange, start_agent

CANARY = "sk-canary-0123456789"
REQUEST = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer " + CANARY + "\r\n\r\n"


def request(path, host="a"):
    return REQUEST.format(path, host).encode()


class ToldTest(unittest.TestCase):
    def setUp(self):
        self.work = Workspace()
        self.work.__enter__()
        self.addCleanup(self.work.__exit__, None, None, None)

    def lines(self, agent, event, count=1):
        """All that there are, once there are so many: a thread of its own writes them."""
        found = lambda: [line for line in agent.output().splitlines() if f"event={event} " in line]
        wait_until(lambda: len(found()) >= count, 5, f"{count} lines of {event}")
        return found()

    def test_lost_answers_and_refusals_leave_one_line_each_and_the_rest_is_numbered(self):
        upstream = Upstream(reply=lambda asked, sock: None)
        agent = start_agent(self.work, upstream)
        for _ in range(7):
            exchange(agent.proxy_url, request(f"/t/x?token={CANARY}"))
            exchange(agent.proxy_url, request(f"/nowhere/{CANARY}"))
            exchange(agent.proxy_url, request("/t/", host="evil.example"))
            exchange(agent.proxy_url, b"GET /\x01 HTTP/1.1\r\n\r\n")
            exchange(agent.proxy_url, b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4")
        error, = self.lines(agent, "upstream_error")
        self.assertIn("level=warn", error)
        self.assertIn("api=t reason=closed_early", error)
        told = " ".join(self.lines(agent, "request_refused", 4))
        for reason in ("reason=no_route status=404", "reason=host status=421",
                       "reason=control_byte status=400", "speaks plain HTTP/1.1, the client began with TLS"):
            self.assertEqual(told.count(reason), 1 + ("control_byte" in reason), told)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(agent.output().count("repeated=6"), 5)
        self.assertNotIn(CANARY, agent.output())
        self.assertNotIn("evil", agent.output())

    def test_a_refusal_names_the_api_that_was_meant(self):
        upstream = Upstream()
        config = self.work.directory / "agent.yaml"
        api = "  - {name: %s, exporter: generic, base_url: 'http://" + upstream.address + "'}\n"
        callers = "callers: [{name: c, token_from_env: CALLER_TOKEN}]\n"
        config.write_text(callers + "apis:\n" + api % "one" + api % "two")
        agent = Agent(self.work, arguments=[f"--config.file={config}"], environment={"CALLER_TOKEN": CANARY})
        for path in ("/one/", "/two/"):
            asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {CANARY}\r\n\r\n"
            self.assertIn(b" 403 ", exchange(agent.proxy_url, asked.encode())[0])
        self.assertEqual(agent.stop(), 0)  # the log is whole
        told = self.lines(agent, "request_refused")
        self.assertEqual(["api=one reason=token_leak", "api=two reason=token_leak"],
                         [" ".join(line.split(" ")[3:5]) for line in told])
        self.assertNotIn(CANARY, agent.output())

    def test_the_upstreams_truth_is_the_sum_of_our_counters(self):
        def reply(asked, sock):
            kind = asked.line.split(b"/")[1].split(b" ")[0]
            if kind == b"hang":
                sock.recv(1)  # until the agent gives up
            # A connection that will be closed says so: a request that meets its end was sent, and never seen.
            closing = OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            return {b"ok": closing, b"garbage": b"garbage\r\n\r\n",
                    b"half": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}.get(kind)

        upstream = Upstream(reply=reply, after="close")
        agent = start_agent(self.work, upstream)
        kinds = ["ok", "garbage", "half", "closed", "hang"]
        for number in range(100):
            kind = kinds[number % len(kinds)]
            with Client(agent.proxy_url) as client:
                before = len(upstream.heads)
                client.send(request(f"/t/{kind}"))
                if kind == "hang":
                    wait_until(lambda: len(upstream.heads) > before, 5, "the upstream is asked")
                else:
                    client.all_bytes()
        # The kinds that end an exchange that was sent before its answer's head was counted.
        lost = ("bad_response", "closed_early", "first_byte_timeout", "client_gone")

        def counted():
            return (agent.metric_sum("apiquota_upstream_requests_total"),
                    *(agent.metric_sum("apiquota_upstream_errors_total", reason=reason) for reason in lost))

        self.assertEqual(len(upstream.heads), 100)
        wait_until(lambda: sum(counted()) == 100, 5, "every request is in a counter")
        self.assertEqual(counted(), (40, 20, 20, 0, 20))

    def test_a_log_that_nobody_reads_does_not_keep_the_agent_from_ending(self):
        reader, writer = os.pipe()
        with open(writer, "wb", 0) as log:
            admin, proxy = free_port(), free_port()
            agent = subprocess.Popen(
                [BINARY, "serve", f"--web.listen-address=127.0.0.1:{admin}",
                 f"--proxy.listen-address=127.0.0.1:{proxy}", "--web.enable-lifecycle"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env={**os.environ, "HOME": str(self.work.directory)})
            self.addCleanup(agent.kill)
            wait_until(lambda: answers(f"http://127.0.0.1:{admin}/-/ready"), 10, "the agent is ready")
            os.set_blocking(log.fileno(), False)
            try:
                while True:
                    os.write(log.fileno(), b"x" * 4096)
            except BlockingIOError:
                pass
            os.set_blocking(log.fileno(), True)
            self.assertEqual(get(f"http://127.0.0.1:{admin}/-/reload", method="POST")[0], 200)  # a line more
            begun = time.monotonic()
            agent.send_signal(signal.SIGTERM)
            self.assertEqual(agent.wait(10), 0)
            self.assertLess(time.monotonic() - begun, 5)
        os.close(reader)

    def test_proxy_variables_are_named_once_and_their_values_never(self):
        agent = Agent(self.work, environment={"HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:1",
                                              "no_proxy": "*"})
        line, = self.lines(agent, "proxy_variables_ignored")
        self.assertIn("level=warn", line)
        self.assertIn("variables=HTTPS_PROXY ", line)
        self.assertNotIn(CANARY, agent.output())

    def test_a_host_routes_clients_that_can_set_no_path(self):
        upstream = Upstream()
        config = self.work.directory / "hosts.yaml"
        config.write_text("apis:\n  - {name: t, exporter: generic, base_url: \"http://%s/api\", "
                          "hosts: [t.localhost]}\n" % upstream.address)
        agent = Agent(self.work, arguments=[f"--config.file={config}"])
        for path, host in (("/v1?x", "t.localhost"), ("/api/v1", "T.localhost:4290"),
                           ("/t/api/v1", "localhost")):
            exchange(agent.proxy_url, request(path, host=host))
        self.assertEqual([asked.line for asked in upstream.requests],
                         [b"GET /api/v1?x HTTP/1.1", b"GET /api/v1 HTTP/1.1", b"GET /api/v1 HTTP/1.1"])

    def test_a_configuration_of_comments_alone_means_the_defaults(self):
        config = self.work.directory / "comments.yaml"
        config.write_text("# proxy:\n#   loops: 1\n")
        agent = Agent(self.work, arguments=[f"--config.file={config}"])
        status, _, body = get(agent.proxy_url + "//x")
        self.assertEqual(status, 404)
        self.assertIn(b"begins with two slashes", body)


if __name__ == "__main__":
    unittest.main()
