"""What the tests of `apiquota serve` share: the agent on free ports, and an API behind it."""

import http.server
import os
import re
import signal
import sys
import threading
import unittest

from harness import BINARY, Program, Workspace, breaks, get, get_json, parse_metrics, wait_until

LISTEN = ["--web.listen-address=127.0.0.1:0", "--proxy.listen-address=127.0.0.1:0"]


class ThreadingServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # beyond the five that are usual a connection waits for its second SYN: a second

    def handle_error(self, request, client_address):
        error = sys.exception()
        if not isinstance(error, ConnectionError):  # the agent has left
            breaks(error)


class LocalServer:
    """An HTTP server on a free port, in a thread of its own; `release` lets go whom its handler made wait."""

    def __init__(self, handler, release):
        self.release = release
        self.server = ThreadingServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Upstream(LocalServer):
    """An API on a free port that remembers what it was asked and announces 60 requests, 42 left."""

    def __init__(self):
        seen = self.seen = []
        release = threading.Event()
        self.arrived = threading.Event()
        arrived = self.arrived

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                if self.path.startswith("/slow"):
                    arrived.set()
                    release.wait(20)
                body = b"hello\n"
                self.send_response(200)
                for name, value in (("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "42"),
                                    ("X-RateLimit-Reset", "3600"), ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # the agent was told to end at once

            def log_message(self, *_):
                pass

        super().__init__(Handler, release)


class Agent(Program):
    """The agent on ports of the system's choice, which its log names; `under`: a command that starts it."""

    def __init__(self, work, *arguments, name="agent", environment=None, listen=LISTEN, under=()):
        super().__init__(work, name, [*under, BINARY, "serve", *listen, *arguments],
                         {"HOME": str(work.directory), "XDG_STATE_HOME": str(work.directory),
                          "STATE_DIRECTORY": "", **(environment or {})})
        self.wait_for(lambda: "event=ready" in self.log(), 10, "the agent is ready")
        self.admin = "http://" + self.address("admin")
        self.proxy = "http://" + self.address("proxy")

    def log(self):
        return self.err.read_text()

    def address(self, surface):
        return re.search(rf"event=listening surface={surface} address=(\S+)", self.log())[1]

    def sample(self, name):
        status, _, body = get(self.admin + "/metrics")
        assert status == 200
        return [(labels, value) for have, labels, value in parse_metrics(body.decode()) if have == name]

    def quotas(self):
        """Once there are any: an answer is looked at when it has been sent."""
        return wait_until(lambda: get_json(self.admin + "/api/v1/quotas")["quotas"], 5, "a quota is known")

    def settle(self):
        """Of an agent with one loop: what has been answered has been looked at, too. That comes behind the
        sending, and before the next request is read."""
        get(self.proxy + "/nowhere")

    def hang_up(self, event):
        """SIGHUP, and wait for one more line of this event."""
        before = self.log().count(f"event={event} ")
        os.kill(self.pid, signal.SIGHUP)
        self.wait_for(lambda: self.log().count(f"event={event} ") > before, 10, event)


class ServingTest(unittest.TestCase):
    """A workspace for files and programs, and an API to stand in front of."""

    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.upstream = Upstream()
        self.addCleanup(self.upstream.stop)

    def write(self, name, text):
        path = self.work.directory / name
        path.write_text(text)
        return path
