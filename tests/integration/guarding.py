"""What the tests and the measurements of the guard (scripts/bench guard) share: an agent that guards, APIs
that enforce and count, clients that call as fast as they are answered. Standard library only.

    judge = Judge(work, "github", "--quota", "requests=60/60s")
    agent = GuardedAgent(work, [Api("demo", "github", judge.url)])
    greedy = Greedy(agent.proxy + "/demo/items", threads=8)
"""

import collections
import http.client
import json
import math
import os
import socket
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from harness import SOURCE_DIR, Program, Simulator, get_json, wait_until
from serving import Agent

# The mode that everything here runs in; "none" leaves the guard out, to see what it is there for.
MODE = os.environ.get("APIQUOTA_TEST_GUARD", "on")


@dataclass
class Api:
    name: str
    exporter: str
    url: str
    settings: list = field(default_factory=list)  # further lines of YAML, as they stand below `- name:`


class GuardedAgent(Agent):
    """`apiquota serve` with a guard before every api; `guard` is YAML in place of the mode alone, `proxy`
    goes on a list of the proxy's settings, `settings` are further lines."""

    def __init__(self, work, apis, guard=None, loops=4, proxy="", settings="", arguments=(), **rest):
        lines = [] if MODE == "none" else [f"guard: {guard or MODE}"]
        of_proxy = ", ".join(filter(None, [f"loops: {loops}", "client_idle_timeout: 10m", proxy]))
        lines += [f"proxy: {{{of_proxy}}}", settings, "apis:"]
        for api in apis:
            lines.append(f"  - name: {api.name}")
            lines += [f"    exporter: {api.exporter}", f'    base_url: "{api.url}"']
            lines += ["    " + line for line in api.settings if MODE != "none" or "guard:" not in line]
        self.config = work.directory / f"{rest.get('name', 'agent')}.yaml"
        self.config.write_text("\n".join(lines) + "\n")
        super().__init__(work, f"--config.file={self.config}", *arguments, **rest)

    def total(self, name, **labels):
        return sum(value for have, value in self.sample(name) if labels.items() <= have.items())

    def guard(self):
        """What it holds and why, as the page says it."""
        return get_json(self.admin + "/api/v1/guard")

    def held(self):
        """Whatever is in flight, reserved, or waits; 0 at rest."""
        names = ("apiquota_inflight_requests", "apiquota_reserved", "apiquota_queue_depth")
        return {name: total for name in names if (total := self.total(name)) != 0}

    def rests(self, seconds=10):
        """Until nothing is held any more, which it returns; AssertionError that says what is. What is read
        once may be before the agent has taken notice of who has left."""
        try:
            wait_until(lambda: not self.held(), seconds, "nothing is held")
        except AssertionError:
            raise AssertionError(f"still held after {seconds} s: {self.held()}") from None
        return {}


class Judge(Simulator):
    """`apiquota simulate`: enforces, and knows what it enforced."""

    def truth(self):
        return get_json(self.url + "/_simulate/truth")


class FlaskApi(Program):
    """A real Flask application under real Flask-Limiter (limited_flask.py), which counts what it did."""

    def __init__(self, work, python, strategy, limit, name="flask"):
        script = SOURCE_DIR / "tests" / "integration" / "limited_flask.py"
        super().__init__(work, name, [python, "-W", "ignore", script, strategy, limit])
        port = self.wait_for(lambda: self.out.read_text().strip(), 30, "Flask listens")
        self.url = f"http://127.0.0.1:{port}"

    def counted(self):
        return get_json(self.url + "/counted")


@dataclass
class Call:
    start: float
    end: float
    status: int  # 0: no answer
    ours: bool  # the agent answered, not the API
    delay: str = ""  # the field apiquota-delay
    body: bytes = b""

    @property
    def seconds(self):
        return self.end - self.start


def is_ours(fields):
    """Whether the agent itself refused: it says so in Proxy-Status (RFC 9209), and relays never do."""
    return "error=" in fields.get("proxy-status", "")


class Greedy:
    """Threads that call `url` as fast as they are answered, each on a connection of its own, until stop()."""

    def __init__(self, url, threads=8, method="GET", body=None, headers=None, timeout=120):
        self.parts = urllib.parse.urlsplit(url)
        self.method, self.body, self.headers, self.timeout = method, body, headers or {}, timeout
        self.calls, self.lock = [], threading.Lock()
        self.stopping = threading.Event()
        self.connections = {}
        self.started = time.monotonic()
        self.threads = [
            threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        serial = 0
        while not self.stopping.is_set():
            body = self.body(number, serial) if callable(self.body) else self.body
            call = self.call(number, body)
            serial += 1
            if not self.stopping.is_set():
                with self.lock:
                    self.calls.append(call)
            if call.status == 0:
                self.stopping.wait(0.05)

    def connection(self, number):
        have = self.connections.get(number)
        if have is None:
            have = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=self.timeout)
            self.connections[number] = have
        return have

    def call(self, number, body):
        start = time.monotonic()
        connection = self.connection(number)
        try:
            connection.request(self.method, self.parts.path, body=body, headers=self.headers)
            answer = connection.getresponse()
            got = answer.read()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Call(
                start,
                time.monotonic(),
                answer.status,
                is_ours(fields),
                fields.get("apiquota-delay", ""),
                got if answer.status >= 400 else b"",
            )
        except (OSError, http.client.HTTPException, AttributeError):
            self.connections.pop(number, None)
            connection.close()
            return Call(start, time.monotonic(), 0, False)

    def stop(self):
        """Who still waits for an answer leaves."""
        self.stopping.set()
        for connection in list(self.connections.values()):
            if connection.sock is not None:
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self.threads:
            thread.join(10)

    def statuses(self):
        with self.lock:
            return collections.Counter(call.status for call in self.calls)

    def refused_by_us(self):
        with self.lock:
            return sum(call.ours for call in self.calls)


def percentile(values, share):
    """The nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def jain(values):
    """Jain's index of fairness: 1 where all have the same."""
    values = list(values)
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 0.0


def could_have_had(kind, limit, window, seconds, phase=0.0):
    """What an all-knowing client has in `seconds` from its first call on. `phase`: how far into an aligned
    window that call is."""
    if kind == "bucket":
        return limit + limit / window * seconds
    if kind == "aligned":
        return limit * math.ceil((phase + seconds) / window)
    return limit * math.ceil(
        seconds / window
    )  # windows that begin with a call, logs: L at once, W later again


def seconds_into(window):
    return time.time() % window


def chat_body(number, serial, words=40, most=200):
    """A chat completion's request, its size by its number, so that calls cost differently."""
    size = words + (number * 7 + serial * 13) % words
    message = {"role": "user", "content": "word " * size}
    return json.dumps({"model": "gpt-4o-mini", "max_tokens": most, "messages": [message]})
