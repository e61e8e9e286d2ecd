"""`apiquota simulate` over the wire: gzip, events, latency, pipelining, refusals, impossible options."""

import email.utils
import gzip
import json
import socket
import subprocess
import time
import unittest

from harness import BINARY, OPENAI_USAGE, Simulator, Workspace, get, get_json, wait_until


LAST_EVENTS = b"data: " + OPENAI_USAGE + b"\n\ndata: [DONE]\n\n"


class SimulateTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def simulator(self, *arguments):
        return Simulator(self.work, "openai", *arguments)

    def exchange(self, simulator, request):
        """The bytes that come back for `request` until the server closes."""
        host, port = simulator.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def test_gzip_is_for_those_who_accept_it(self):
        simulator = self.simulator()
        status, headers, body = get(simulator.url + "/v1/x", {"accept-encoding": "gzip"})
        self.assertEqual((status, headers["content-encoding"]), (200, "gzip"))
        self.assertEqual(json.loads(gzip.decompress(body)),
                         {"simulated": "openai", "request": 1, **json.loads(OPENAI_USAGE)})
        _, headers, body = get(simulator.url + "/v1/x", {"accept-encoding": "identity"})
        self.assertNotIn("content-encoding", headers)
        self.assertEqual(json.loads(body)["request"], 2)
        _, headers, body = get(self.simulator("--identity").url + "/v1/x", {"accept-encoding": "gzip"})
        self.assertNotIn("content-encoding", headers)

    def test_events_are_for_those_who_ask(self):
        simulator = self.simulator("--chunks", "2", "--chunk-interval", "0s")
        wanted = b"".join(b'id: %d\ndata: {"simulated":"openai","request":%%d}\n\n' % i for i in range(2))
        for number, (headers, body) in enumerate([({"accept": "text/event-stream"}, None),
                                                  ({}, '{"model": "m", "stream": true}')], 1):
            _, answered, got = get(simulator.url + "/v1/x", headers, "POST" if body else "GET", body)
            self.assertEqual(answered["content-type"], "text/event-stream")
            self.assertEqual(got, wanted % (number, number) + LAST_EVENTS)
        _, answered, _ = get(simulator.url + "/v1/x", {}, "POST", '{"stream": false}')
        self.assertEqual(answered["content-type"], "application/json")

    def test_what_it_says_explain_reads(self):
        simulator = Simulator(self.work, "github", "--quota", "requests=2/90s", "--resource", "search")
        for remaining, throttle in ((1, None), (0, None), (0, {"scope": "primary", "signal": "body"})):
            said = self.exchange(simulator, b"GET /search HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            read = subprocess.run([BINARY, "explain", "--exporter", "github", "--format", "json"], input=said,
                                  capture_output=True, timeout=20)
            answer = json.loads(read.stdout)
            quota, = answer["quotas"]
            self.assertEqual((quota["resource"], quota["limit"], quota["remaining"], answer["throttle"]),
                             ("search", 2, remaining, throttle))

    def test_an_old_client_gets_no_chunks(self):
        simulator = self.simulator("--sse", "--chunks", "1", "--chunk-interval", "0s")
        head, _, body = self.exchange(simulator, b"GET / HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
        self.assertNotIn(b"transfer-encoding", head.lower())
        self.assertEqual(body, b'id: 0\ndata: {"simulated":"openai","request":1}\n\n' + LAST_EVENTS)

    def test_pipelined_requests_are_answered_in_order(self):
        simulator = self.simulator("--latency", "100ms")
        one = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        start = time.monotonic()
        answer = self.exchange(simulator, one + b"HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n" + last)
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        bodies = [part.rpartition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")]
        wanted = b'{"simulated":"openai","request":%d,' + OPENAI_USAGE[1:] + b"\n"
        self.assertEqual(bodies, [b"", wanted % 1, b"", wanted % 3])

    def test_what_is_no_request_is_refused(self):
        simulator = self.simulator()
        answer = self.exchange(simulator, b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answer)
        self.assertIn(b"\r\nconnection: close", head.lower())
        self.assertEqual(json.loads(body)["error"]["rule"], "content_length")

    def test_a_client_that_waits_to_send_its_body_is_told_to(self):
        simulator = self.simulator()
        host, port = simulator.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                               b"Expect: 100-continue\r\n\r\n")
            self.assertEqual(connection.recv(65536), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"{}")
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_events_wait_for_a_slow_reader(self):
        """It gets all of them when it reads, and until then the simulation does not hold them all."""
        simulator = self.simulator("--sse", "--chunks", "300000", "--chunk-interval", "0s")
        host, port = simulator.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            wait_until(lambda: simulator.stats()["active"] == 1, 5, "the stream has begun")
            self.assertEqual(simulator.stats()["completed"], 0)
            tail = b""
            while piece := connection.recv(1 << 20):
                tail = (tail + piece)[-4096:]
        self.assertIn(b"id: 299999\n", tail)
        self.assertTrue(tail.endswith(b"0\r\n\r\n"), tail)
        self.assertEqual(simulator.stats()["completed"], 1)

    def test_who_leaves_early_is_counted(self):
        simulator = self.simulator("--latency", "60s")
        host, port = simulator.address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: simulator.stats()["active"] == 1, 5, "the request is under way")
        wait_until(lambda: simulator.stats()["cancelled"] == 1, 5, "the departure is noticed")
        stats = simulator.stats()
        self.assertEqual((stats["requests"], stats["completed"], stats["active"]), (1, 0, 0))

    def truth(self, simulator, query=""):
        return get_json(simulator.url + "/_simulate/truth" + query)

    def test_the_truth_agrees_with_what_its_client_saw(self):
        for kind in ("fixed", "sliding", "bucket", "elastic"):
            with self.subTest(kind):
                simulator = self.simulator("--quota", f"requests=5/10m,{kind}", "--identity")
                seen = [get(simulator.url + "/v1/x")[0] for _ in range(8)]
                self.assertEqual(seen, [200] * 5 + [429] * 3)
                limit, = (truth := self.truth(simulator, "?seconds=1"))["limits"]
                self.assertEqual((truth["asked"], truth["admitted"], truth["refused"], truth["violations"]),
                                 (8, 5, 3, 0))
                self.assertEqual([limit[key] for key in ("name", "kind", "used", "possible", "share")],
                                 ["requests", kind, 5, 5, 1])
                window, = limit["windows"]
                self.assertEqual((window["admitted"], window["refused"]), (5, 3))
                self.assertEqual(self.truth(simulator, "?seconds=1200")["possible_requests"], 15)
                simulator.stop()

    def test_at_its_end_it_prints_the_truth(self):
        simulator = self.simulator("--quota", "requests=2/10m")
        get(simulator.url + "/v1/x")
        self.assertEqual(simulator.stop(), 0)
        said = simulator.out.read_text().splitlines()
        self.assertEqual(len(said), 2)
        self.assertEqual(json.loads(said[1])["admitted"], 1)

    def test_tokens_are_charged_as_the_answer_says(self):
        body = json.dumps({"model": "m", "max_tokens": 100, "stream": False})
        sent = -(-len(body) // 4)
        # OpenAI charges the larger of input and cap when a request comes
        for charged, used in (("start", 100), ("settled", sent + 30), ("end", sent + 30)):
            with self.subTest(charged):
                simulator = self.simulator("--quota", "tokens=1000/10m,fixed", "--tokens-charged", charged,
                                           "--identity")
                _, _, answer = get(simulator.url + "/v1/x", {"x-simulate-output-tokens": "30"}, "POST", body)
                usage = json.loads(answer)["usage"]
                self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"]), (sent, 30))
                limit, = (truth := self.truth(simulator))["limits"]
                self.assertEqual(limit["used"], used)
                self.assertEqual((truth["input_tokens"], truth["output_tokens"]), (sent, 30))
                simulator.stop()

    def test_a_slot_ends_with_its_call(self):
        simulator = self.simulator("--quota", "requests=1/10m,concurrency", "--latency", "60s")
        host, port = simulator.address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: simulator.stats()["active"] == 1, 5, "the request is under way")
            self.assertEqual(self.truth(simulator)["limits"][0]["windows"][0]["used"], 1)
            with socket.create_connection((host, int(port))) as second:
                second.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                wait_until(lambda: self.truth(simulator)["refused"] == 1, 5, "the second is refused")
        wait_until(lambda: simulator.stats()["cancelled"] == 2, 5, "the departures are noticed")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: self.truth(simulator)["admitted"] == 2, 5, "the slot is free again")

    def test_keys_are_counted_apart(self):
        simulator = self.simulator("--quota", "requests=1/10m", "--scope", "key", "--identity")
        seen = [get(simulator.url + "/v1/x", {"authorization": f"Bearer {key}"})[0] for key in "aab"]
        self.assertEqual(seen, [200, 429, 200])
        self.assertEqual(self.truth(simulator)["scopes"], 2)

    def test_keys_in_the_query_are_counted_apart(self):
        simulator = Simulator(self.work, "data-gov", "--quota", "requests=1/10m", "--scope", "key")
        long = "a-key-that-fits-into-no-small-string"
        seen = [get(f"{simulator.url}/v1/x?format=json&api_key={long}-{key}")[0] for key in "aab"]
        self.assertEqual(seen, [200, 429, 200])
        self.assertEqual(self.truth(simulator)["scopes"], 2)

    def test_a_wrong_clock_shows_in_its_date(self):
        simulator = self.simulator("--skew", "-1h")
        _, headers, _ = get(simulator.url + "/v1/x")
        said = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        self.assertAlmostEqual(said, time.time() - 3600, delta=30)

    def test_failures_have_no_evidence(self):
        simulator = self.simulator("--fail", "503:50%", "--bare-429", "50%", "--identity")
        answers = [get(simulator.url + "/v1/x")[:2] for _ in range(6)]
        self.assertEqual(sorted(status for status, _ in answers), [200] + [429] * 2 + [503] * 3)
        for status, headers in answers:
            self.assertEqual(any("limit" in name or "retry" in name for name in headers), status == 200)
        truth = self.truth(simulator)
        self.assertEqual((truth["failed"], truth["bare_429s"], truth["asked"]), (3, 2, 1))

    def test_a_span_that_is_no_number_is_refused(self):
        self.assertEqual(get(self.simulator().url + "/_simulate/truth?seconds=long")[0], 400)

    def test_options_that_cannot_be_are_one_sentence_and_exit_code_2(self):
        simulator = self.simulator()
        for arguments, sentence in [
                (["--limit", "0"], "--limit: a number above 0 is expected"),
                (["--quota", "nonsense=-1"], "--quota: a limit above 0 is expected after the ="),
                (["--quota", "requests=5/soon"],
                 "--quota: a duration such as 60s is expected after the /"),
                (["--quota", "requests=5,leaky"],
                 "--quota: one of fixed, aligned, sliding, elastic, bucket, concurrency is expected "
                 "after the comma"),
                (["--burst", "-1"], "--burst: a number above 0 is expected"),
                (["--round-remaining", "-1"], "--round-remaining: a number above 0 is expected"),
                (["--sub-limit", "1us"], "--sub-limit: at least 1ms is expected"),
                (["--fail", "503"],
                 "--fail: a status from 400 to 599 and a share are expected, such as 503:20%"),
                (["--throttle", "secondary"], "--throttle: openai never refuses so"),
                (["--path", "v1"], "--path: a path that starts with / is expected"),
                (["--listen", simulator.address],
                 f"{simulator.address}: the address is in use by another program")]:
            done = subprocess.run([BINARY, "simulate", "--exporter", "openai", *arguments],
                                  capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (2, "", f"apiquota simulate: {sentence}\n"))

    def test_it_ends_when_told_to(self):
        self.assertEqual(self.simulator().stop(), 0)


if __name__ == "__main__":
    unittest.main()
