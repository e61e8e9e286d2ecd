"""How many series there may be, whose they are, and that nothing outlives its configuration: a real agent,
/metrics read back."""

import http.client
import http.server
import os
import threading
import unittest
import urllib.parse

from harness import Workspace, get, get_json, parse_metrics, wait_until
from serving import Agent, LocalServer

SERIES_MAX = 2000
RENAMES = 200


class NamingApi(LocalServer):
    """An API whose answers name the resource that ?r= asks for, with the status that the path ends in."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                resource = urllib.parse.parse_qs(url.query).get("r", [""])[0]
                self.send_response(int(url.path.rsplit("/", 1)[1]))
                for name, value in (("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "42"),
                                    ("X-RateLimit-Reset", "3600"), ("X-RateLimit-Resource", resource),
                                    ("Content-Length", "0")):
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(Handler, threading.Event())


class SeriesTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = NamingApi()
        self.addCleanup(self.api.stop)
        self.config = self.work.directory / "agent.yaml"
        self.state = self.work.directory / "state.json"

    def configure(self, *names, more="", rest=""):
        apis = "".join(f"  - {{name: {name}, exporter: generic, base_url: '{self.api.url}'{more}}}\n"
                       for name in names)
        self.config.write_text(f"state: {{file: '{self.state}'}}\napis:\n{apis}{rest}")

    def start(self, name="agent"):
        environment = {"CI": "key-of-ci", "WEB": "key-of-web"}
        return Agent(self.work, f"--config.file={self.config}", name=name, environment=environment)

    def asker(self, agent):
        """Asks on one connection; ask(path, key) is the status."""
        connection = http.client.HTTPConnection(agent.proxy.removeprefix("http://"), timeout=20)
        self.addCleanup(connection.close)

        def ask(path, key=None):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            response = connection.getresponse()
            response.read()
            return response.status

        return ask

    def page(self, agent):
        status, _, body = get(agent.admin + "/metrics")
        self.assertEqual(status, 200)
        return body.decode()

    def labels(self, agent, name, **wanted):
        return [labels for labels, _ in agent.sample(name)
                if all(labels.get(label) == value for label, value in wanted.items())]

    def logs_once(self, agent, event):
        """One line until its minute ends; a thread of its own writes it."""
        wait_until(lambda: event in agent.log(), 5, event)
        self.assertEqual(agent.log().count(event), 1)

    def test_a_flood_of_one_api_leaves_anothers_series_alone(self):
        self.configure("flooded", "quiet", rest=f"metrics: {{series_max: {SERIES_MAX}}}\n")
        agent = self.start()
        ask = self.asker(agent)
        for number in range(1200):
            status = 429 if number % 2 else 200
            path = f"/flooded/{status}?r=model-{number}"
            self.assertEqual(ask(path, f"key-{number % 60}"), status)
        for number in range(8):
            ask(f"/quiet/429?r=model-{number}", "key-of-its-own")
        wait_until(lambda: len(self.labels(agent, "apiquota_quota_remaining", api="quiet")) == 8, 5,
                   "all quotas of the quiet api are shown")
        throttled = self.labels(agent, "apiquota_throttles_total", api="quiet")
        self.assertEqual(len({labels["resource"] for labels in throttled}), 8)
        self.assertNotIn("other", {value for labels in throttled for value in labels.values()})
        self.assertEqual({labels["api"] for labels in self.labels(agent, "apiquota_series_dropped_total")},
                         {"flooded"})
        self.assertTrue(self.labels(agent, "apiquota_throttles_total", api="flooded", resource="other"))
        counted = sum(value for labels, value in agent.sample("apiquota_throttles_total")
                      if labels["api"] == "flooded")
        self.assertEqual(counted, 600, "what overflows is still counted")
        series = sum(1 for line in self.page(agent).splitlines() if line and not line.startswith("#"))
        self.assertLessEqual(series, SERIES_MAX)
        self.logs_once(agent, "event=series_dropped")

    def test_lines_of_throttles_are_folded(self):
        self.configure("demo")
        agent = self.start()
        ask = self.asker(agent)
        for number in range(300):
            ask(f"/demo/429?r=model-{number}", f"key-{number}")
        wait_until(lambda: sum(value for _, value in agent.sample("apiquota_throttles_total")) == 300, 5,
                   "all are counted")
        self.logs_once(agent, "event=throttle ")

    def test_reasons_that_never_happened_are_not_on_the_page(self):
        self.configure("demo", "unused")
        agent = self.start()
        self.assertEqual(self.asker(agent)("/demo/200"), 200)
        self.assertEqual(self.asker(agent)("/nowhere"), 404)
        families = ("apiquota_upstream_errors_total", "apiquota_http_rejected_total",
                    "apiquota_parse_errors_total", "apiquota_series_dropped_total")
        zeros = [(name, labels) for name, labels, value in parse_metrics(self.page(agent))
                 if name in families and value == 0]
        self.assertEqual(zeros, [])
        self.assertEqual(agent.sample("apiquota_http_rejected_total"), [({"reason": "no_route"}, 1.0)])
        unused = [line for line in self.page(agent).splitlines() if 'api="unused"' in line]
        self.assertLessEqual(len(unused), 3, unused)

    def test_reloads_that_rename_an_api_leave_nothing_behind(self):
        self.configure("api-0")
        agent = self.start()

        def use(number):
            for status in (200, 429):
                url = f"{agent.proxy}/api-{number}/{status}?r=model"
                self.assertEqual(get(url, {"Authorization": "Bearer key"})[0], status)
            # The last that is counted of a request.
            ended = lambda: agent.sample("apiquota_upstream_duration_seconds_count")
            wait_until(lambda: [value for _, value in ended()] == [2], 5, "all of both is counted")
            return sum(1 for line in self.page(agent).splitlines() if not line.startswith("#"))

        first = use(0)
        descriptors = len(os.listdir(f"/proc/{agent.pid}/fd"))
        for number in range(1, RENAMES + 1):
            # Another time to connect is another pool of connections.
            self.configure(f"api-{number}", more=f", timeouts: {{connect: {5000 + number}ms}}")
            agent.hang_up("reloaded")
            if number % 10 == 0:
                self.assertEqual(use(number), first)
        names = {labels["api"] for _, labels, _ in parse_metrics(self.page(agent)) if "api" in labels}
        self.assertEqual(names, {f"api-{RENAMES}"})
        quotas = get_json(agent.admin + "/api/v1/quotas")["quotas"]
        self.assertEqual({quota["api"] for quota in quotas}, names)
        self.assertLessEqual(len(os.listdir(f"/proc/{agent.pid}/fd")), descriptors + 4)
        agent.stop()
        self.assertNotIn('"api-1"', self.state.read_text())
        self.assertIn(f'"api-{RENAMES}"', self.state.read_text())

    def test_a_key_that_is_removed_leaves_the_page_and_the_state_file(self):
        both = ", keys: [{name: ci, value_from_env: CI}, {name: web, value_from_env: WEB}]"
        one = ", keys: [{name: web, value_from_env: WEB}]"
        self.configure("demo", more=both)
        agent = self.start()
        ask = self.asker(agent)
        for key in ("key-of-ci", "key-of-web"):
            self.assertEqual(ask("/demo/429", key), 429)

        def keys():
            return {labels["key"] for _, labels, _ in parse_metrics(self.page(agent)) if "key" in labels}

        wait_until(lambda: len(self.labels(agent, "apiquota_quota_remaining")) == 2, 5, "both are shown")
        self.assertEqual(keys(), {"ci", "web"})
        self.configure("demo", more=one)
        agent.hang_up("reloaded")
        self.assertEqual(keys(), {"web"})
        self.assertEqual(agent.sample("apiquota_throttles_total")[0][0]["key"], "web")
        self.assertNotIn('"ci"', self.state.read_text())
        self.assertIn('"web"', self.state.read_text())

    def test_a_key_and_an_api_that_were_removed_do_not_survive_a_restart(self):
        self.configure("demo", "gone", more=", keys: [{name: ci, value_from_env: CI}]")
        agent = self.start()
        ask = self.asker(agent)
        for api in ("demo", "gone"):
            ask(f"/{api}/200", "key-of-ci")
        wait_until(lambda: len(self.labels(agent, "apiquota_quota_remaining")) == 2, 5, "both are shown")
        agent.stop()
        self.assertIn('"gone"', self.state.read_text())
        self.configure("demo", more=", keys: [{name: web, value_from_env: WEB}]")
        again = self.start("again")
        self.assertEqual(again.sample("apiquota_quota_remaining"), [])
        self.assertNotIn("gone", self.page(again))
        again.stop()
        self.assertNotIn('"gone"', self.state.read_text())
        self.assertNotIn('"ci"', self.state.read_text())


if __name__ == "__main__":
    unittest.main()
