"""What the integration tests share: programs started on free ports in a temporary directory and ended by
their own process id, waiting with a deadline, small HTTP helpers. Standard library only.

    with Workspace() as work:
        agent = Agent(work, apis=["demo=github@http://127.0.0.1:8080"])
        status, headers, body = get(agent.proxy_url + "/demo/user")
"""

import functools
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("APIQUOTA_BIN", str(SOURCE_DIR / "build" / "apiquota"))
# Under a sanitizer freed memory stays in quarantine, or has shadows: bounds on memory say nothing there.
SANITIZED = any(mark in Path(BINARY).read_bytes() for mark in (b"__asan_init", b"__tsan_init"))
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def skip(reason):
    print(f"SKIPPED: {reason}", flush=True)
    sys.exit(SKIPPED)


def require_program(name, package):
    """The program's path; the test is skipped where Debian's `package` is not installed."""
    path = shutil.which(name)
    if not path:
        skip(f"{name} is not installed (Debian package {package})")
    return path


@functools.cache
def python_with_flask_limiter():
    """The first Python that has it; the test is skipped where none does."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", "import flask_limiter"], capture_output=True).returncode == 0:
                return python
        except FileNotFoundError:
            pass
    return skip("Flask-Limiter is not installed (Debian package python3-flask-limiter)")


broken = []  # of what a helper's thread or handler died; whoever waits for it hears of nothing else


def breaks(error):
    """A test whose helper broke fails by that, when it leaves its Workspace."""
    broken.append("".join(traceback.format_exception(error)))


def thread_breaks(told):
    if told.exc_type is not SystemExit:
        breaks(told.exc_value)


threading.excepthook = thread_breaks


def free_port():
    """A port that nobody listens on, below those the kernel gives to outgoing connections: one of those could
    take it before it is used."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def wait_until(condition, seconds, what):
    """The first truthy value of condition(); AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def get(url, headers=None, method="GET", body=None, timeout=10):
    """(status, headers with lower-case names, body): one request, one connection, no redirects."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def get_json(url):
    status, _, body = get(url)
    assert status == 200, f"{url} answered {status}: {body[:200]!r}"
    return json.loads(body)


def answers(url):
    """Whether a GET of `url` is answered with 200."""
    try:
        return get(url, timeout=2)[0] == 200
    except OSError:
        return False


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def parse_metrics(text):
    """[(name, {label: value}, number)] of a text exposition."""
    samples = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, f"not a sample: {line!r}"
            samples.append((match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))
    return samples


class Workspace:
    """A temporary directory and the programs started in it; leaving it ends them all, newest first, and shows
    their output if the test failed. Where a helper broke, it has failed."""

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="apiquota-test-"))
        self.programs = []
        return self

    def __exit__(self, error_type, *_):
        for program in reversed(self.programs):
            program.stop()
            if error_type is not None:
                print(f"--- {program.name}\n{program.output()[-4000:]}", file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)
        causes, broken[:] = broken[:], []
        if causes:
            raise AssertionError(f"{len(causes)} times a helper of this test broke, first by\n{causes[0]}")


class Program:
    """One child process; stdout and stderr go to one file each in the workspace."""

    def __init__(self, work, name, arguments, environment=None):
        self.name = name
        self.out = work.directory / f"{name}.out"
        self.err = work.directory / f"{name}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=work.directory, env={**os.environ, **(environment or {})})
        work.programs.append(self)

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def wait_for(self, condition, seconds, what):
        def alive_and_condition():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.output()}")
            return condition()
        return wait_until(alive_and_condition, seconds, what)

    def stop(self, seconds=5):
        """SIGTERM, then SIGKILL after `seconds`; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


class Agent(Program):
    """`apiquota serve` on free ports, ready."""

    def __init__(self, work, apis=(), arguments=(), name="agent", environment=None):
        self.admin_url = f"http://127.0.0.1:{free_port()}"
        self.proxy_url = f"http://127.0.0.1:{free_port()}"
        command = [BINARY, "serve",
                   f"--web.listen-address={self.admin_url.removeprefix('http://')}",
                   f"--proxy.listen-address={self.proxy_url.removeprefix('http://')}"]
        for api in apis:
            command += ["--api", api]
        home = {"HOME": str(work.directory), "XDG_STATE_HOME": str(work.directory)}
        super().__init__(work, name, [*command, *arguments], {**home, **(environment or {})})
        self.wait_for(lambda: answers(self.admin_url + "/-/ready"), 10, "the agent is ready")

    def metrics(self):
        status, _, body = get(self.admin_url + "/metrics")
        assert status == 200, f"/metrics answered {status}"
        return parse_metrics(body.decode())

    def metric_sum(self, name, **labels):
        """The sum of the samples of `name` whose labels include `labels`."""
        return sum(value for sample, have, value in self.metrics()
                   if sample == name and labels.items() <= have.items())

    def quotas(self):
        return get_json(self.admin_url + "/api/v1/quotas")


# What a simulated OpenAI says of the tokens that a reply cost: in it, or in the last event of a stream.
OPENAI_USAGE = (b'{"usage":{"prompt_tokens":16,"prompt_tokens_details":{"cached_tokens":4},'
                b'"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":2}}}')


class Simulator(Program):
    """`apiquota simulate` on a free port."""

    def __init__(self, work, exporter, *arguments, name="simulate"):
        super().__init__(work, name, [BINARY, "simulate", "--exporter", exporter, "--listen", "127.0.0.1:0",
                                      *arguments])
        line = self.wait_for(lambda: re.match(r"listening on (\S+:\d+)\n", self.out.read_text()), 10,
                             "the simulator listens")
        self.address = line[1]
        self.url = f"http://{self.address}"

    def stats(self):
        return get_json(self.url + "/_simulate/stats")
