"""An API whose answers a test writes: what stands in `answer` when a request comes is what it says, once the
event `until` is set, if there is one."""

import email.utils
import http.server
import threading
import time

from serving import LocalServer


class ScriptedApi(LocalServer):
    def __init__(self):
        self.answer = {}
        self.asked = []
        self.body = b""  # of the last request
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = outer.answer
                outer.asked.append(self.path)
                if until := answer.get("until"):
                    until.wait(20)
                body = answer.get("body", b"{}")
                self.send_response_only(answer.get("status", 200))
                ahead = answer.get("date_ahead", 0)
                if ahead is not None:
                    self.send_header("Date", email.utils.formatdate(time.time() + ahead, usegmt=True))
                if kind := answer.get("type", "application/json"):
                    self.send_header("Content-Type", kind)
                headers = answer.get("headers", {})
                for name, value in headers.items() if isinstance(headers, dict) else headers:
                    self.send_header(name, str(value))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # the agent's client has left, or the agent

            do_POST = do_GET

            def log_message(self, *_):
                pass

        super().__init__(Handler, threading.Event())

    def says(self, headers=None, **answer):
        self.answer = {"headers": headers or {}, **answer}
