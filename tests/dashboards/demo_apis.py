"""The APIs of the demo. A FrontDoor is one API's address; behind it `apiquota simulate` plays its quotas, a
process for each credential and resource that is limited apart. The door adds what a model says about its
tokens, and misbehaves on request."""

import http.client
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Simulator

# api → (the end of the credential, what the path or the model is, how it is limited)
SIMULATED = {
    "openai": [
        ("ci", "gpt-4o-mini", ["--quota", "requests=200", "--quota", "tokens=60000", "--cost", "400"]),
        ("research", "", ["--quota", "requests=60", "--quota", "tokens=30000", "--cost", "700"]),
        ("ci", "", ["--quota", "requests=60", "--quota", "tokens=40000", "--cost", "600"]),
    ],
    "github": [
        ("", "search", ["--resource", "search", "--limit", "30", "--window", "60s"]),
        ("", "", ["--resource", "core", "--limit", "1200", "--window", "1h"]),
    ],
    "partner": [("", "", ["--limit", "120"])],
    "payments": [("", "", ["--limit", "100"])],
    "mail": [("", "", ["--limit", "12"])],
    "news": [("", "", ["--limit", "600"])],
}
EXPORTER = {"openai": "openai", "github": "github", "partner": "generic", "payments": "generic",
            "mail": "generic", "news": "generic"}


def limits(limit, remaining, reset):
    return {"x-ratelimit-limit": limit, "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}


MESSAGE = {"message": "demo"}
# fault → (status, header fields, error) of its answers, one after the other
ANSWERS = {
    "credentials": [(401, {}, MESSAGE)],
    "trouble": [(500, {}, MESSAGE)],
    "overload": [(503, {"retry-after": "2"}, MESSAGE)],
    "gibberish": [(200, {"x-ratelimit-limit": "plenty", "x-ratelimit-remaining": "some"}, MESSAGE)],
    "throttled": [(429, {"retry-after": "60"}, MESSAGE)],
    "concurrency": [(429, {"stripe-rate-limited-reason": "global-concurrency"}, MESSAGE)],
    "spend": [(429, {}, {"type": "insufficient_quota", **MESSAGE})],
    "overdrawn": [(200, limits("120", "-30", "60"), MESSAGE)],
    "contradiction": [(200, limits("120", "90", "60"), MESSAGE), (200, limits("50", "10", "300"), MESSAGE)],
}


class FrontDoor:
    """`fault` is None, or what every answer is: "credentials" (401), "trouble" (500), "gibberish" (limits
    that are no numbers), "overload" (503), "throttled" (429, for a minute), "concurrency" (429, as Stripe
    says it), "spend" (429, as OpenAI says it), "overdrawn", "contradiction" (two limiters under one name),
    "gone" (the connection closes)."""

    def __init__(self, work, api, *arguments):
        self.work, self.api, self.fault, self.misbehaved = work, api, None, 0
        self.rules = [(key, what, self.simulator(f"{api}-{number}", *usual, *arguments))
                      for number, (key, what, usual) in enumerate(SIMULATED[api])]
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True)
        self.thread.start()

    def simulator(self, name, *arguments):
        return Simulator(self.work, EXPORTER[self.api], *arguments, name=f"simulate-{name}")

    def change_limit(self, limit):
        """Another plan for the last of the credentials."""
        key, what, arguments = SIMULATED[self.api][-1]
        arguments = list(arguments)
        arguments[arguments.index("--limit") + 1] = str(limit)
        changed = self.simulator(f"{self.api}-changed", *arguments)
        self.rules = [*self.rules[:-1], (key, what, changed)]

    def behind(self, credential, what):
        """The simulator that answers for a credential and a path or model."""
        return next(simulator for key, part, simulator in self.rules
                    if credential.endswith(key) and part in what)

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def handler(door):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.relay()

        def do_GET(self):
            self.relay()

        def relay(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            time.sleep(random.expovariate(1 / 0.05))
            if door.fault:
                return self.misbehave(door.fault)
            if self.path == "/v1/models":  # as at OpenAI's, the list costs a call and tells no limit
                return self.answer(200, [], b'{"object": "list", "data": []}')
            model = json.loads(body)["model"] if body else ""
            simulator = door.behind(self.headers.get("authorization", ""), model or self.path)
            connection = http.client.HTTPConnection(simulator.address, timeout=10)
            try:
                connection.request(self.command, "/", headers={"authorization": "Bearer x"})
                response = connection.getresponse()
                answer = response.read()
                if model and response.status == 200:
                    answer = with_usage(model)
                fields = [(name, value) for name, value in response.getheaders()
                          if name.lower() not in ("content-length", "transfer-encoding", "connection")]
                if door.api == "news":
                    fields.append(("cache-control", "max-age=3"))
                self.answer(response.status, fields, answer)
            finally:
                connection.close()

        def misbehave(self, fault):
            if fault == "gone":
                self.close_connection = True
                return
            door.misbehaved += 1
            status, fields, error = ANSWERS[fault][door.misbehaved % len(ANSWERS[fault])]
            self.answer(status, list(fields.items()), json.dumps({"error": error}).encode())

        def answer(self, status, fields, body):
            self.send_response_only(status)
            for name, value in [*fields, ("content-length", str(len(body)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def with_usage(model):
    """A completion as OpenAI answers it, with what it cost."""
    prompt, answer = random.randint(100, 600), random.randint(50, 300)
    return json.dumps({
        "id": "chatcmpl-demo", "object": "chat.completion", "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "…"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer,
                  "prompt_tokens_details": {"cached_tokens": prompt // 4},
                  "completion_tokens_details": {"reasoning_tokens": answer // 2}},
    }).encode()
