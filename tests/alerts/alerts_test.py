"""Alert rules: valid, tested, documented, and about metrics that exist."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
ALERTS = SOURCE_DIR / "alerts"
RULES = sorted(ALERTS.glob("*.rules.yaml"))
UNIT_TESTS = sorted((SOURCE_DIR / "tests/alerts").glob("*.test.yaml"))


def read(files):
    return "\n".join(file.read_text() for file in files)


def blocks(text, key):
    """{name: text} of the list items that start with `- <key>: name`, as the files here are written."""
    parts = re.split(rf"^ *- {key}: (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class AlertsTest(unittest.TestCase):
    def run_tool(self, *command):
        done = subprocess.run(command, cwd=ALERTS, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_promtool_accepts_the_rules(self):
        self.run_tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))

    def test_promtool_accepts_the_prometheus_configuration(self):
        self.run_tool("promtool", "check", "config", "prometheus.yml")

    def test_unit_tests_pass(self):
        self.run_tool("promtool", "test", "rules", *map(str, UNIT_TESTS))

    def test_amtool_accepts_the_alertmanager_configuration(self):
        self.run_tool("amtool", "check-config", "alertmanager.yml")

    def test_severity_chooses_the_receiver(self):
        for severity, receiver in (("critical", "page"), ("warning", "queue")):
            self.run_tool("amtool", "config", "routes", "test", "--config.file=alertmanager.yml",
                          f"--verify.receivers={receiver}", f"severity={severity}", "api=github")

    def test_every_alert_says_what_it_must(self):
        runbook = re.findall(r"^## (\S+)$", (ALERTS / "runbook.md").read_text(), flags=re.M)
        alerts = blocks(read(RULES), "alert")
        self.assertEqual(sorted(runbook), sorted(alerts), "alerts/runbook.md has one heading for each alert")
        for name, text in alerts.items():
            for part in (r"severity: (critical|warning|info)$", r"summary: .+\.$", r"description: \S",
                         rf"runbook_url: \S*alerts/runbook\.md#{name.lower()}$", r"dashboard_url: /d/\S+",
                         r"for: 1m$"):
                self.assertRegex(text, re.compile(rf"^ *{part}", re.M), f"{name} lacks {part}")

    def test_every_alert_has_a_test_that_fires_and_one_that_stays_silent(self):
        tests = read(UNIT_TESTS)
        for name in blocks(read(RULES), "alert"):
            fires = rf"alertname: {name}\n +exp_alerts:\n +- exp_labels:"
            self.assertRegex(tests, fires, f"{name} never fires")
            self.assertIn(f"alertname: {name}, exp_alerts: []}}", tests, f"{name} is never silent")

    def test_dashboards_named_by_alerts_exist(self):
        uids = [json.loads(file.read_text())["uid"] for file in (SOURCE_DIR / "dashboards").glob("*.json")]
        for uid in set(re.findall(r"dashboard_url: /d/([\w-]+)", read(RULES))):
            self.assertIn(uid, uids)


if __name__ == "__main__":
    for tool, package in (("promtool", "prometheus"), ("amtool", "prometheus-alertmanager")):
        if not shutil.which(tool):
            print(f"SKIPPED: {tool} is not installed (Debian package {package})")
            sys.exit(77)
    unittest.main()
