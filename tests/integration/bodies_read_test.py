"""What bodies say is not lost for their form, at the doors: a real agent, an API that says what a test
writes, and /metrics and /api/v1/quotas read back."""

import gzip
import json
import time
import unittest
import urllib.error
import urllib.request

from harness import Workspace, get_json
from scripted_api import ScriptedApi
from serving import Agent

LIMITS = {"x-ratelimit-limit-requests": 100, "x-ratelimit-remaining-requests": 60,
          "x-ratelimit-reset-requests": "1m0s"}


def form(model, size):
    part = b'--b\r\nContent-Disposition: form-data; name='
    file = part + b'"file"; filename="a.wav"\r\n\r\n' + b"\r\x00" * (size // 2) + b"\r\n"
    return file + part + b'"model"\r\n\r\n' + model.encode() + b"\r\n--b--\r\n"


class BodiesReadTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)
        config = self.work.directory / "agent.yaml"
        config.write_text("apis:\n" + "\n".join(
            f"  - {{name: {name}, exporter: {name}, base_url: '{self.api.url}'}}"
            for name in ("openai", "anthropic", "generic")) + "\n")
        self.agent = Agent(self.work, f"--config.file={config}")

    def ask(self, api, path, sent=None, fields=None, **answer):
        self.api.says(answer.pop("headers", {}), **answer)
        request = urllib.request.Request(f"{self.agent.proxy}/{api}{path}", sent, fields or {})
        try:
            urllib.request.urlopen(request, timeout=30).read()
        except urllib.error.HTTPError as error:
            error.read()

    def tokens(self, api):
        return {labels["type"]: value for labels, value in self.agent.sample("apiquota_tokens_total")
                if labels["api"] == api and value}

    def resources(self):
        return {quota["resource"] for quota in get_json(self.agent.admin + "/api/v1/quotas")["quotas"]}

    def eventually(self, read, expected):
        """What is observed is observed after the answer has left."""
        until = time.monotonic() + 5
        while read() != expected and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(read(), expected)

    def test_the_last_event_counts_without_its_blank_line(self):
        usage = b'data: {"choices":[]}\n\ndata: {"usage":{"prompt_tokens":7,"completion_tokens":5}}'
        self.ask("openai", "/v1/chat/completions", type="text/event-stream", body=usage)
        self.eventually(lambda: self.tokens("openai"), {"input": 7, "output": 5})
        self.ask("openai", "/v1/chat/completions", type="text/event-stream", body=gzip.compress(usage),
                 headers={"Content-Encoding": "gzip"})
        self.eventually(lambda: self.tokens("openai"), {"input": 14, "output": 10})

    def test_the_last_line_counts_without_its_end(self):
        usage = b'{"choices":[]}\n{"usage":{"prompt_tokens":7,"completion_tokens":5}}'
        for body, headers in ((usage, {}), (gzip.compress(usage), {"Content-Encoding": "gzip"})):
            self.ask("openai", "/v1/chat/completions", type="application/x-ndjson", body=body,
                     headers=headers)
        self.eventually(lambda: self.tokens("openai"), {"input": 14, "output": 10})

    def test_events_without_their_type_are_read_and_their_head_is_too(self):
        for kind in (None, "text/plain"):
            self.ask("openai", "/v1/chat/completions", type=kind, headers=LIMITS,
                     body=b'\xef\xbb\xbfdata: {"usage":{"prompt_tokens":1e1,"completion_tokens":5}}\n\n')
        self.eventually(lambda: self.tokens("openai"), {"input": 20, "output": 10})
        self.assertEqual(len(get_json(self.agent.admin + "/api/v1/quotas")["quotas"]), 1)

    def test_a_last_count_of_zero_takes_nothing_back(self):
        body = (b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":25,'
                b'"output_tokens":1}}}\n\nevent: message_delta\ndata: {"type":"message_delta",'
                b'"usage":{"input_tokens":0,"output_tokens":15}}\n\n')
        self.ask("anthropic", "/v1/messages", type="text/event-stream", body=body)
        self.eventually(lambda: self.tokens("anthropic"), {"input": 25, "output": 15})

    def test_each_model_has_its_quota_however_it_is_said(self):
        multipart = {"Content-Type": "multipart/form-data; boundary=b"}
        as_json = {"Content-Type": "application/json"}
        large = json.dumps({"input": "x" * (9 << 20), "model": "behind"}).encode()
        for body, fields in ((form("whisper-1", 100), multipart),
                             (form("gpt-4o-transcribe", 1 << 20), multipart),
                             (gzip.compress(b'{"model":"packed"}'), {**as_json, "Content-Encoding": "gzip"}),
                             (large, as_json), (b'\xef\xbb\xbf{"model":"marked"}', as_json),
                             ('{"model":"文心"}'.encode(), as_json)):
            self.ask("openai", "/v1/audio/transcriptions", body, fields, headers=LIMITS)
            self.assertTrue(self.api.body == body, "what is read is passed on as it came")
        self.eventually(self.resources,
                        {"whisper-1", "gpt-4o-transcribe", "packed", "behind", "marked", "文心"})

    def test_a_request_that_cannot_be_read_is_counted(self):
        self.ask("openai", "/v1/responses", b"\x00\x01", {"Content-Type": "application/json",
                                                         "Content-Encoding": "snappy"}, headers=LIMITS)
        self.eventually(lambda: [(labels["field"], value) for labels, value in
                                 self.agent.sample("apiquota_parse_errors_total")], [("request_body", 1)])

    def test_waits_are_read_with_their_unit_and_when_said_twice(self):
        total = 0
        for text, seconds in (("60s", 60), ("60, 60", 60), ("60 seconds", 60),
                              ("2024-06-13T00:00:00+0000", 0)):
            self.ask("generic", "/x", status=429, headers={"Retry-After": text})
            total += seconds
            self.eventually(lambda: sum(value for _, value in
                                        self.agent.sample("apiquota_retry_after_seconds_sum")), total)


if __name__ == "__main__":
    unittest.main()
