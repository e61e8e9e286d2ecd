"""The access log: off unless asked for; then a line for each request of an api, whatever became of it, in
either format, and in none of them a credential, a query or an id."""

import json
import re
import unittest
import urllib.error
import urllib.request

from harness import BINARY, Program, Workspace, free_port, wait_until
from scripted_api import ScriptedApi
from serving import Agent

SECRET = "s3cr3t-of-the-client"
SAYS = {"X-RateLimit-Limit": 60, "X-RateLimit-Remaining": 42, "X-RateLimit-Reset": 3600}


class AccessLogTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)
        self.api.says(SAYS, body=b"hello")

    def serve(self, guard="off", *flags):
        config = self.work.directory / "agent.yaml"
        config.write_text(f"guard: {guard}\napis:\n  - name: t\n    exporter: generic\n"
                          f"    base_url: \"{self.api.url}\"\n")
        self.agent = Agent(self.work, f"--config.file={config}", *flags)

    def ask(self, path, method="GET", body=None):
        request = urllib.request.Request(f"{self.agent.proxy}/t{path}", method=method, data=body,
                                         headers={"Authorization": f"Bearer {SECRET}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answer.read()  # one that leaves before has another line
                return answer.status
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code

    def lines(self, count):
        found = []

        def complete():
            found[:] = [line for line in self.agent.log().splitlines() if "access" in line]
            return len(found) >= count

        wait_until(complete, 10, f"{count} lines of the access log")
        self.assertEqual(len(found), count, found)
        return found

    def fields(self, count):
        return [dict(re.findall(r'(\w+)="?([^" ]*)"?', line)) for line in self.lines(count)]

    def test_nothing_is_logged_unless_asked_for(self):
        self.serve("on")
        self.assertEqual(self.ask("/v1/models"), 200)
        self.agent.stop()
        self.assertNotIn("event=access", self.agent.log())

    def test_a_request_that_nobody_guards_has_its_line(self):
        self.serve("off", "--log.access")
        self.assertEqual(self.ask(f"/users/4711?token={SECRET}"), 200)
        line = self.fields(1)[0]
        self.assertNotIn(SECRET, self.agent.log())
        self.assertEqual({name: line[name] for name in ("level", "event", "api", "method", "route", "status",
                                                        "upstream_status", "bytes", "attempts", "limit",
                                                        "remaining")},
                         {"level": "info", "event": "access", "api": "t", "method": "GET",
                          "route": "/users/*", "status": "200", "upstream_status": "200", "bytes": "5",
                          "attempts": "1", "limit": "60", "remaining": "42"})
        self.assertTrue(line["key"].startswith("hmac:"), line)
        self.assertGreaterEqual(float(line["duration"]), float(line["first_byte"]))
        self.assertNotIn("decision", line)

    def test_what_the_guard_decided_and_how_its_limits_stand(self):
        self.serve("{mode: on, limits: [{name: two, limit: 2, window: 1m}], "
                   "cache: {post: [{path: /e, ttl: 1m}]}}", "--log.access")
        self.assertEqual(self.ask("/a"), 200)
        self.assertEqual(self.ask("/e", "POST", b"{}"), 200)
        self.assertEqual(self.ask("/e", "POST", b"{}"), 200)
        self.assertEqual(self.ask("/b"), 429)
        lines = {(line["route"], line["attempts"]): line for line in self.fields(4)}  # two loops write them
        asked_for = [("/a", "1"), ("/e", "1"), ("/e", "0"), ("/b", "0")]
        first, asked, hit, refused = [lines[route_and_attempts] for route_and_attempts in asked_for]
        self.assertEqual([first[name] for name in ("decision", "wait", "quota", "limit", "remaining")],
                         ["allow", "0", "two", "2", "1"])
        self.assertEqual((asked["cache"], asked["remaining"]), ("miss", "0"))
        self.assertEqual((hit["cache"], hit["status"], hit["bytes"]), ("hit", "200", "5"))
        self.assertNotIn("upstream_status", hit)
        self.assertEqual((refused["status"], refused["decision"], refused["rule"]),
                         ("429", "reject", "limit"))
        self.assertLessEqual(float(refused["reset"]), 60)

    def test_in_json_a_line_is_an_object(self):
        port = free_port()
        self.agent = Program(self.work, "agent", [
            BINARY, "serve", "--log.access", "--log.format=json", "--web.listen-address=127.0.0.1:0",
            f"--proxy.listen-address=127.0.0.1:{port}", f"--api=t=generic@{self.api.url}"],
            {"XDG_STATE_HOME": str(self.work.directory), "STATE_DIRECTORY": ""})
        self.agent.proxy = f"http://127.0.0.1:{port}"
        self.agent.log = self.agent.err.read_text
        self.agent.wait_for(lambda: '"event":"ready"' in self.agent.log(), 10, "the agent is ready")
        self.api.says(status=503, body=b"")
        self.assertEqual(self.ask("/v1/models"), 503)
        line = json.loads(self.lines(1)[0])
        self.assertEqual((line["event"], line["status"], line["bytes"], line["route"]),
                         ("access", "503", "0", "/v1/models"))


if __name__ == "__main__":
    unittest.main()
