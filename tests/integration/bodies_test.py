"""What bodies say is read while they pass, and passes unchanged: compressed documents, errors and counts of
tokens in event streams, bombs, and clients that leave in the middle."""

import base64
import contextlib
import gzip
import http.client
import http.server
import os
import threading
import unittest
from pathlib import Path

from harness import SANITIZED, Agent, Workspace, get, wait_until
from serving import LocalServer

NO_CREDIT = (b'{"error":{"message":"You exceeded your current quota.","type":"x","param":null,'
             b'"code":"insufficient_quota"}}')
ENCODED = {
    "gzip": gzip.compress(NO_CREDIT),
    "br": base64.b64decode(
        "G2sAAATEbameZZH+1Ewi/geLBhEE0Q2OOCBLlsNsnxbZIbcxHF+0jlciP3SLPngiU9YRv93d3OJUSyQl"
        "imuZREMGKPd9RG80Ec3kgDLmPhHjdI6qcfgf"),
    "zstd": base64.b64decode(
        "KLUv/SBs5QIAgsYUF6C1OY05i1yxJouQ/ZREGq1qgT5GghphSeJT3EKg7Astpbax5eMnRDaCsOx4uDzC"
        "xgZxqI0Bp7hFUfbMRSUXj5KefmS8LAZ8/MG19sHIcWLmjQQBANsCBQU="),
}
WORDS = b" ".join(b"word%d" % (i * 7919 % 30011) for i in range(30_000))
CHAT = (b'{"model":"gpt-4o","choices":[{"message":{"content":"' + WORDS + b'"}}],"usage":{'
        b'"prompt_tokens":100,"completion_tokens":40,"total_tokens":140,'
        b'"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":30}}}')


def event(data):
    return b"event: x\ndata: " + data + b"\n\n"


STREAM = (event(b'{"type":"message_start","message":{"usage":{"input_tokens":25,"output_tokens":1}}}')
          + event(b'{"type":"content_block_delta","delta":{"text":"hi"}}') * 50
          + event(b'{"type":"message_delta","usage":{"output_tokens":15}}'))
TAIL = event(b'{"type":"message_delta","usage":{"output_tokens":37}}')
OVERLOADED = event(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')
REQUEST = b'{"messages":[{"role":"user","content":"' + b"long " * 30_000 + b'"}],"model":"m-1"}'


class Api(LocalServer):
    """Answers every POST with what `replies` holds for its path: (status, headers, pieces of the body)."""

    def __init__(self, replies):
        release = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, pieces = replies[self.path]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    for piece in pieces:
                        if piece is None:
                            release.wait(20)
                            continue
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        super().__init__(Handler, release)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def pieces_of(body, size=1000):
    return [body[i:i + size] for i in range(0, len(body), size)]


def json_reply(body, status=200, coding=None):
    headers = {"Content-Type": "application/json"}
    if coding:
        headers["Content-Encoding"] = coding
    return status, headers, pieces_of(body)


def stream_reply(*pieces, coding=None):
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    if coding:
        headers["Content-Encoding"] = coding
    return 200, headers, list(pieces)


class BodiesTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def start(self, exporter, replies):
        api = self.enterContext(Api(replies))
        self.agent = Agent(self.work, apis=[f"demo={exporter}@{api.url}"])
        return api

    def post(self, path):
        return get(f"{self.agent.proxy_url}/demo{path}", method="POST", body=REQUEST, timeout=30)

    def total(self, name, **labels):
        return self.agent.metric_sum(name, api="demo", **labels)

    def tokens(self):
        """{type: count} of the model asked for."""
        return {labels["type"]: value for name, labels, value in self.agent.metrics()
                if name == "apiquota_tokens_total" and labels["resource"] == "m-1"
                and labels["source"] == "reported"}

    def resident_bytes(self):
        return int(Path(f"/proc/{self.agent.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def assert_counted(self, read, expected):
        """A reply is read for what it says after it has left: its client may be a moment early."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: read() == expected, 5, "the counts")
        self.assertEqual(read(), expected)

    def test_compressed_documents_pass_unchanged_and_are_read(self):
        self.start("openai",
                   {f"/{coding}": json_reply(body, 429, coding) for coding, body in ENCODED.items()})
        for coding, body in ENCODED.items():
            self.assertEqual(self.post(f"/{coding}")[2], body, coding)
        self.assert_counted(lambda: self.total("apiquota_throttles_total", scope="spend", signal="body"), 3)
        self.assert_counted(lambda: self.total("apiquota_throttles_total"), 3)
        self.assert_counted(lambda: self.total("apiquota_parse_errors_total"), 0)

    def test_tokens_of_documents_are_counted_exactly(self):
        self.start("openai", {"/plain": json_reply(CHAT),
                              "/gzip": json_reply(gzip.compress(CHAT), coding="gzip")})
        for _ in range(10):
            self.assertEqual(self.post("/plain")[2], CHAT)
            self.assertEqual(gzip.decompress(self.post("/gzip")[2]), CHAT)
        self.assert_counted(self.tokens,
                            {"input": 720, "cached_input": 1280, "output": 200, "reasoning": 600})

    def test_streams_tell_their_tokens_and_their_errors(self):
        whole = STREAM + TAIL
        self.start("anthropic", {
            "/whole": stream_reply(*pieces_of(whole, 7)),
            "/gzip": stream_reply(*pieces_of(gzip.compress(whole), 11), coding="gzip"),
            "/overloaded": stream_reply(STREAM, OVERLOADED),
        })
        self.assertEqual(self.post("/whole")[2], whole)
        self.assertEqual(gzip.decompress(self.post("/gzip")[2]), whole)
        self.assert_counted(self.tokens, {"input": 50, "output": 74})
        self.assert_counted(lambda: self.total("apiquota_throttles_total"), 0)
        self.assertEqual(self.post("/overloaded")[::2], (200, STREAM + OVERLOADED))
        by_stream = {"scope": "overload", "signal": "stream", "resource": "m-1"}
        self.assert_counted(lambda: self.total("apiquota_throttles_total", **by_stream), 1)
        self.assert_counted(lambda: self.total("apiquota_throttles_total"), 1)
        self.assert_counted(self.tokens, {"input": 75, "output": 89})

    def test_a_client_that_leaves_in_mid_stream_has_spent_what_was_said_so_far(self):
        self.start("anthropic", {"/half": stream_reply(STREAM, None, TAIL)})
        connection = http.client.HTTPConnection(self.agent.proxy_url.removeprefix("http://"), timeout=20)
        connection.request("POST", "/demo/half", body=REQUEST)
        response = connection.getresponse()
        self.assertEqual(response.read(len(STREAM)), STREAM)
        response.close()
        connection.close()
        wait_until(lambda: self.tokens() == {"input": 25, "output": 15}, 5, "the tokens of half a stream")

    def test_a_bomb_is_relayed_counted_and_costs_no_memory(self):
        bomb = gzip.compress(b'{"a":"' + b"0" * (100 << 20) + b'"}')
        self.start("openai", {"/bomb": json_reply(bomb, coding="gzip"),
                              "/stream": stream_reply(*pieces_of(bomb), coding="gzip")})
        self.post("/bomb")  # buffers that grow once
        resident = self.resident_bytes()
        for path in ("/bomb", "/stream", "/bomb", "/stream", "/bomb"):
            self.assertEqual(self.post(path)[2], bomb)
        self.assert_counted(lambda: self.total("apiquota_parse_errors_total", field="body"), 6)
        if not SANITIZED:
            self.assertLess(self.resident_bytes() - resident, 2 << 20, "resident memory grew")


if __name__ == "__main__":
    unittest.main()
