"""Real Prometheus and Alertmanager watch a real agent in front of a simulated API; the shipped rules,
unmodified, warn at 80 %, page at 90 % and resolve. Scrape and notification intervals are shortened, nothing
else is."""

import json
import re
import shutil
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import (SOURCE_DIR, Agent, Program, Simulator, Workspace, answers, free_port, get, get_json,
                     require_program, wait_until)

LIMIT = 200
THROTTLED = 20
WINDOW_SECONDS = 200  # the last minute of it is silent
SECRET = "sk-test-5e1f0c"
ALERTS = SOURCE_DIR / "alerts"


class Receiver:
    """The webhook receiver: [(path, {alertname: alert})] of what arrived."""

    def __init__(self):
        self.received = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                alerts = {alert["labels"]["alertname"]: alert for alert in body["alerts"]}
                receiver.received.append((self.path, alerts))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def first(self, path, alertname, status):
        """The alert of this name and status in the first notification at `path` that has one."""
        for where, alerts in self.received:
            if where == path and alertname in alerts and alerts[alertname]["status"] == status:
                return alerts[alertname]
        return None

    def count(self, path, alertname, status):
        return sum(where == path and alertname in alerts and alerts[alertname]["status"] == status
                   for where, alerts in self.received)


def rewrite(source, target, changes):
    """Copies a configuration file with `changes` (pattern → replacement); each must apply."""
    text = source.read_text()
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        assert count, f"{source.name} has no {pattern}"
    target.write_text(text)


class AlertingTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        self.simulator = Simulator(self.work, "generic", f"--limit={LIMIT}", f"--window={WINDOW_SECONDS}s")
        self.agent = Agent(self.work, apis=[f"demo=generic@{self.simulator.url}"])
        self.start_alertmanager()
        self.start_prometheus()
        self.used = 0

    def start_alertmanager(self):
        self.alertmanager_url = f"http://127.0.0.1:{free_port()}"
        # Repeated every few seconds, so that a warning that is no longer muted would be heard.
        rewrite(ALERTS / "alertmanager.yml", self.work.directory / "alertmanager.yml",
                {r"http://127\.0\.0\.1:9099": self.receiver.url, r"group_wait: \w+": "group_wait: 1s",
                 r"group_interval: \w+": "group_interval: 2s",
                 r"repeat_interval: \w+": "repeat_interval: 4s"})
        self.alertmanager = Program(self.work, "alertmanager", [
            ALERTMANAGER, "--config.file=alertmanager.yml", "--storage.path=alertmanager", "--log.level=warn",
            "--cluster.listen-address=",
            "--web.listen-address=" + self.alertmanager_url.removeprefix("http://")])
        ready = self.alertmanager_url + "/-/ready"
        self.alertmanager.wait_for(lambda: answers(ready), 30, "Alertmanager is ready")

    def start_prometheus(self):
        for rules in ALERTS.glob("*.rules.yaml"):
            shutil.copy(rules, self.work.directory)
        self.prometheus_url = f"http://127.0.0.1:{free_port()}"
        rewrite(ALERTS / "prometheus.yml", self.work.directory / "prometheus.yml",
                {r"_interval: 15s": "_interval: 1s",
                 r"127\.0\.0\.1:9093": self.alertmanager_url.removeprefix("http://"),
                 r"127\.0\.0\.1:9429": self.agent.admin_url.removeprefix("http://")})
        self.prometheus = Program(self.work, "prometheus", [
            PROMETHEUS, "--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", "--log.level=warn",
            "--web.listen-address=" + self.prometheus_url.removeprefix("http://")])
        self.prometheus.wait_for(lambda: answers(self.prometheus_url + "/-/ready"), 30, "Prometheus is ready")
        self.prometheus.wait_for(lambda: self.query('up{job="apiquota"}') == [1], 20, "the agent is scraped")

    def query(self, expression):
        """The values of an instant query."""
        result = get_json(f"{self.prometheus_url}/api/v1/query?query=" + urllib.parse.quote(expression))
        return [float(sample["value"][1]) for sample in result["data"]["result"]]

    def spend(self, until, status=200):
        """Requests through the proxy until `until` have been sent, each answered with `status`."""
        headers = {"authorization": f"Bearer {SECRET}"}
        while self.used < until:
            self.used += 1
            got, _, _ = get(self.agent.proxy_url + "/demo/v1/items", headers)
            self.assertEqual(got, status)

    def test_warning_then_critical_with_the_warning_muted_then_resolved(self):
        self.spend(LIMIT * 83 // 100)
        pending = 'time() - ALERTS_FOR_STATE{alertname="ApiQuotaHigh"}'
        wait_until(lambda: any(age > 20 for age in self.query(pending)), 60, "80 % have been used for 20 s")
        self.spend(LIMIT * 92 // 100)  # each alert waits for a minute, so the warning is 20 s ahead
        warning = self.notified("/queue", "ApiQuotaHigh", "firing", 90)
        self.check_alert(warning, "warning", "92% of the requests quota", "16 of 200 requests are left")
        self.assertIsNone(self.receiver.first("/page", "ApiQuotaCritical", "firing"))

        critical = self.notified("/page", "ApiQuotaCritical", "firing", 60)
        self.check_alert(critical, "critical", "92% of the requests quota", "16 of 200 requests are left")
        self.check_the_warning_is_muted()

        self.spend(LIMIT)
        self.spend(LIMIT + THROTTLED, status=429)
        self.check_counts_equal_the_upstreams()

        self.notified("/page", "ApiQuotaCritical", "resolved", WINDOW_SECONDS)
        self.check_that_only_pages_woke_somebody()

    def notified(self, path, alertname, status, seconds):
        return wait_until(lambda: self.receiver.first(path, alertname, status), seconds,
                          f"{path} hears that {alertname} is {status}; so far {self.receiver.received}")

    def check_alert(self, alert, severity, *sentences):
        labels = dict(alert["labels"])
        self.assertRegex(labels.pop("key"), r"^hmac:[0-9a-f]{8}$")
        del labels["alertname"]
        wanted = {"severity": severity, "api": "demo", "quota": "requests", "unit": "requests"}
        self.assertEqual(labels, wanted)
        for sentence in sentences:
            self.assertIn(sentence, alert["annotations"]["description"])
        self.assertRegex(alert["annotations"]["description"], r"it resets in (\d+m )?\d+s\.$")
        self.assertNotIn(SECRET, json.dumps(alert))

    def check_the_warning_is_muted(self):
        alerts = {alert["labels"]["alertname"]: alert
                  for alert in get_json(self.alertmanager_url + "/api/v2/alerts")}
        high, critical = alerts["ApiQuotaHigh"], alerts["ApiQuotaCritical"]
        self.assertEqual((high["status"]["state"], critical["status"]["state"]), ("suppressed", "active"))
        self.assertEqual(high["status"]["inhibitedBy"], [critical["fingerprint"]])
        # What was under way may still arrive; then the page is repeated and the warning is not.
        self.wait_for_more_pages(1)
        warnings = self.receiver.count("/queue", "ApiQuotaHigh", "firing")
        self.wait_for_more_pages(2)
        self.assertEqual(self.receiver.count("/queue", "ApiQuotaHigh", "firing"), warnings)

    def wait_for_more_pages(self, number):
        def pages():
            return self.receiver.count("/page", "ApiQuotaCritical", "firing")
        wanted = pages() + number
        wait_until(lambda: pages() >= wanted, 30, "the page is repeated")

    def check_counts_equal_the_upstreams(self):
        stats = self.simulator.stats()
        self.assertEqual((stats["requests"], stats["completed"]), (self.used, self.used))
        self.assertEqual(stats["throttled"], THROTTLED)

        def total(name, **labels):
            return self.agent.metric_sum(f"apiquota_{name}", api="demo", **labels)
        wait_until(lambda: total("throttles_total") == THROTTLED, 5, "all throttles are counted")
        self.assertEqual(total("upstream_requests_total"), stats["requests"])
        self.assertEqual(total("upstream_requests_total", code="429"), THROTTLED)
        self.assertEqual(total("proxy_requests_total"), stats["requests"])
        self.assertEqual(total("quota_remaining"), stats["quotas"][0]["remaining"])
        self.assertEqual(total("quota_limit"), LIMIT)
        self.assertEqual(total("quota_consumed_total"), LIMIT - 1)  # the first sight is the baseline
        counted = 'sum(apiquota_upstream_requests_total{api="demo"})'
        wait_until(lambda: self.query(counted) == [stats["requests"]], 10, "Prometheus has the same count")
        status, _, page = get(self.agent.admin_url + "/metrics")
        self.assertEqual(status, 200)
        self.assertNotIn(SECRET.encode(), page)

    def check_that_only_pages_woke_somebody(self):
        severities = {"/page": set(), "/queue": set()}
        names = set()
        for path, alerts in self.receiver.received:
            names |= set(alerts)
            severities[path] |= {alert["labels"]["severity"] for alert in alerts.values()}
        self.assertEqual(severities, {"/page": {"critical"}, "/queue": {"warning"}})
        # The throttles came late in the window: whether these get their minute is a matter of seconds.
        late = {"ApiQuotaExhausted", "ApiQuotaFewLeft", "ApiThrottleSpike"}
        self.assertEqual(names - late, {"ApiQuotaHigh", "ApiQuotaCritical"})


if __name__ == "__main__":
    PROMETHEUS = require_program("prometheus", "prometheus")
    ALERTMANAGER = require_program("prometheus-alertmanager", "prometheus-alertmanager")
    unittest.main()
