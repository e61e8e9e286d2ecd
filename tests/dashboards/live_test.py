"""Every query of every dashboard, as Grafana would ask it, against a real Prometheus that scrapes real agents
under load: first healthy, then under faults. A panel may be empty while all is well only if it is listed with
a reason, and the faults must fill it."""

import http.client
import os
import signal
import socket
import time
import unittest

from demo import World
from grafana import ALL, Page, Prometheus, legends
from grafana_json import load, panels
from harness import Workspace, require_program, wait_until

SCRAPE = 1
SERIES_MAX = 50  # more lines than that are no graph

# dashboard: panel → why it may be empty while all is well
EMPTY_WHEN_WELL = {
    "overview: Firing alerts, newest first": "nothing fires",
    "overview: Requests without an answer": "every request is answered",
    "overview: Throttles by API and scope": "nothing is throttled",
    "api: Requests without an answer": "every request is answered",
    "api: Throttles by scope": "nothing is throttled",
    "api: Asked to wait": "nothing is throttled",
    "api: Overdrawn": "no quota is overdrawn",
    "api: Refused for want of money": "everything is paid",
    "api: Refused, too many at once": "calls come one after the other",
    "api: Refused, provider overloaded": "APIs have room",
    "guard: Further attempts by outcome": "every request is answered",
    "guard: Cooldowns, the longest first": "nothing is throttled",
    "guard: Refused by own limits": "callers keep to their limits",
    "guard: Breaker openings": "APIs answer",
    "agent: Two limiters under one name": "each limiter has a name of its own",
    "agent: Refused and failed": "clients are well-behaved and APIs answer",
    "agent: Unread signals by field": "every signal is read",
    "agent: Series dropped by API": "no cap is reached",
    "agent: Credentials refused": "every key is accepted",
}


class LiveTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.world = World(self.work, scrape=SCRAPE, alert_after="1s", partner_window="6s",
                           guarded_window="5s")
        self.addCleanup(self.world.stop)
        self.world.haste = 2
        self.prometheus = Prometheus(self.world.prometheus_url)
        self.addCleanup(self.prometheus.close)
        self.began = int(time.time())

    def test_every_panel_is_filled(self):
        self.wait_for_data()
        well = self.filled_panels()
        self.check_single_values()
        self.assertLessEqual(self.all_panels() - well, set(EMPTY_WHEN_WELL), "empty, and not listed")

        self.break_things()
        filled = well | self.filled_panels()
        self.assertFalse(self.all_panels() - filled, "empty, whatever happens")
        self.check_annotations()
        self.assertLessEqual(set(EMPTY_WHEN_WELL), self.all_panels(), "listed, and no such panel")

    def wait_for_data(self):
        """Until a window of the partner's has closed, GitHub's forecast has its readings, somebody waited."""
        self.until("apiquota_quota_exhaustion_timestamp_seconds", "a forecast")
        self.until("apiquota_quota_window_peak_used_ratio_count > 1", "two windows have closed")
        self.until("apiquota_poll_success == 1", "APIs are polled")
        self.until("rate(apiquota_delay_seconds_count[5s] offset 3s) > 0", "the guard holds requests back")

    def until(self, expression, what):
        wait_until(lambda: self.prometheus.ask("query", query=expression)["result"], 40, what)

    def pages(self):
        now = int(time.time())
        for name, dashboard in load().items():
            yield name, Page(dashboard, self.prometheus, self.began, now, SCRAPE)

    def choices(self, page):
        """All, for each API in turn where only one can be shown."""
        if page.variables["api"]["includeAll"]:
            yield page.first_choice()
        else:
            for api in page.values("api", page.first_choice(api=[])):
                yield page.first_choice(api=[api])

    def all_panels(self):
        return {f"{name}: {panel['title']}"
                for name, dashboard in load().items() for panel in panels(dashboard)}

    def filled_panels(self):
        """Panels with a number in at least one query, for All."""
        filled = set()
        for name, page in self.pages():
            for choice in self.choices(page):
                for panel in panels(page.dashboard):
                    if any([self.run_target(page, panel, target, choice) for target in panel["targets"]]):
                        filled.add(f"{name}: {panel['title']}")
        return filled

    def run_target(self, page, panel, target, choice):
        """Whether there is a number; asserts what must hold of any answer."""
        series = page.run(panel, target, choice)
        where = f"{panel['title']} ({target['refId']}): {target['expr']}"
        if panel["type"] == "timeseries":
            named = legends(target, series)
            self.assertNotIn("", [name.strip() for name in named], f"a legend is empty: {where}")
            self.assertEqual(len(named), len(set(named)), f"legends are not distinct: {named} {where}")
        if panel["type"] == "stat":
            self.assertLessEqual(len(series), 1, where)
        self.assertLessEqual(len(series), SERIES_MAX, where)
        return any(value not in ("NaN", "+Inf", "-Inf") for _, values in series for value in values)

    def check_single_values(self):
        """Every variable offers something, and every panel takes each single value of it."""
        for _, page in self.pages():
            everything = next(self.choices(page))
            for variable in page.variables:
                offered = page.values(variable, everything)
                self.assertTrue(offered, f"{page.dashboard['title']}: ${variable} offers nothing")
                for value in offered[:3]:
                    choice = page.first_choice(**{**everything, variable: [value]})
                    for panel in panels(page.dashboard):
                        for target in panel["targets"]:
                            self.run_target(page, panel, target, choice)
            self.assertIs(everything["job"], ALL)

    def check_annotations(self):
        """Throttles, limit changes and restarts have marks by now."""
        marks = set()
        for _, page in self.pages():
            for annotation in page.dashboard["annotations"]["list"]:
                data = {"expr": annotation["expr"], "instant": False}
                if page.run({"gridPos": {"w": 12}}, data, page.first_choice()):
                    marks.add(annotation["name"])
        self.assertLessEqual({"Throttles", "Limit changes", "Agent restarts"}, marks)

    def break_things(self):
        self.break_agent()
        self.world.payments.fault, self.world.openai.fault = "concurrency", "spend"
        self.world.mail.fault = self.world.news.fault = "trouble"
        for fault in ("credentials", "gibberish", "trouble", "overload", "contradiction", "overdrawn"):
            self.world.partner.fault = fault
            time.sleep(2.5)
        self.world.partner.fault = self.world.payments.fault = None
        self.world.github.change_limit(900)
        self.world.openai.fault = "gone"
        self.world.mail.fault = "throttled"
        self.too_many_posts()
        self.many_keys()
        self.refused_requests()
        time.sleep(4)

    def break_agent(self):
        """A bad configuration for one agent; an end and a new beginning for the other."""
        path = self.work.directory / "agent-a.yaml"
        path.write_text(path.read_text() + "nonsense: 1\n")
        os.kill(self.world.agents["a"].pid, signal.SIGHUP)
        self.world.restart_agent("b")

    def too_many_posts(self):
        """More than the operator's own limit lets through."""
        for _ in range(4):
            for _ in range(4):
                connection = http.client.HTTPConnection(self.world.proxies["a"], timeout=10)
                connection.request("POST", "/mail/send", headers={"authorization": "Bearer mail-token"})
                connection.getresponse().read()
                connection.close()
            time.sleep(SCRAPE)

    def many_keys(self):
        """More credentials than an api may have."""
        for _ in range(4):
            for number in range(12):
                connection = http.client.HTTPConnection(self.world.proxies["a"], timeout=10)
                connection.request("GET", "/partner/items", headers={"authorization": f"Bearer key-{number}"})
                connection.getresponse().read()
                connection.close()
            time.sleep(SCRAPE)

    def refused_requests(self):
        host, port = self.world.proxies["a"].split(":")
        for _ in range(4):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(b"GET /partner/ HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n")
                connection.recv(4096)
            time.sleep(SCRAPE)


if __name__ == "__main__":
    require_program("prometheus", "prometheus")
    unittest.main()
