"""Alert rules: valid, tested and documented. That the metrics they name exist is tests/lint's."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
ALERTS = SOURCE_DIR / "alerts"
RULES = sorted(ALERTS.glob("*.rules.yaml"))
UNIT_TESTS = sorted((SOURCE_DIR / "tests/alerts").glob("*.test.yaml"))
RUNBOOKS = sorted(ALERTS.glob("runbook*.md"))
LINES_MAX = 300


def read(files):
    return "\n".join(file.read_text() for file in files)


def alert_rules():
    """[(name, text)] of the alerts, as the files here are written; a name may come twice, by severity."""
    parts = re.split(r"^ *- alert: (.+)$", read(RULES), flags=re.M)
    return [(name, text.split("\n  - name: ")[0]) for name, text in zip(parts[1::2], parts[2::2])]


def run_tool(*command):
    done = subprocess.run(command, cwd=ALERTS, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class RulesTest(unittest.TestCase):
    def test_promtool_accepts_the_rules(self):
        run_tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))

    def test_promtool_accepts_the_prometheus_configuration_which_loads_them_all(self):
        said = run_tool("promtool", "check", "config", "prometheus.yml")
        self.assertIn(f"{len(RULES)} rule files", said)

    def test_unit_tests_pass(self):
        run_tool("promtool", "test", "rules", *map(str, UNIT_TESTS))

    def test_ranges_span_more_than_two_scrapes(self):
        # Ranges are open to the left since Prometheus 3: one that holds a single scrape has no rate.
        seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
        scrape = re.search(r"scrape_interval: (\d+)s", (ALERTS / "prometheus.yml").read_text())[1]
        ranges = re.findall(r"\[(\d+)([smhd])[\]:]", read(RULES))
        self.assertGreater(len(ranges), 10)
        for number, unit in ranges:
            self.assertGreaterEqual(int(number) * seconds[unit], 4 * int(scrape), f"[{number}{unit}]")

    def test_shared_quotas_are_never_summed_over_replicas(self):
        for expression in re.findall(r"expr: (.+\n(?: {10}.*\n)*)", read(RULES)):
            if "apiquota_quota_" in expression:
                self.assertNotRegex(expression, r"\bsum\b")

    def test_files_can_be_read_in_one_sitting(self):
        for file in [*ALERTS.iterdir(), *UNIT_TESTS]:
            self.assertLessEqual(len(file.read_text().splitlines()), LINES_MAX, file.name)


class EveryAlertTest(unittest.TestCase):
    def test_says_what_it_must(self):
        for name, text in alert_rules():
            for part in (r"severity: (critical|warning|info)$", r"summary: .+\.$", r"description: \S",
                         rf"runbook_url: alerts/runbook[-\w]*\.md#{name.lower()}$", r"dashboard_url: /d/\S+"):
                if "annotations: *" in text and "severity" not in part:
                    continue  # the same as those of the alert before it, which has the same name
                self.assertRegex(text, re.compile(rf"^ *{part}", re.M), f"{name} lacks {part}")

    def test_its_identity_and_its_summary_hold_no_number(self):
        for name, text in alert_rules():
            self.assertNotIn("{{", re.search(r"labels:\n((?: {10}.*\n)+)", text)[1], name)
            for summary in re.findall(r"summary: (.+)", text):
                self.assertNotRegex(summary, r"\{\{|\d", name)

    def test_has_its_entry_in_the_runbook_that_it_names(self):
        names = []
        for runbook in RUNBOOKS:
            entries = dict(zip(*[iter(re.split(r"^## (\S+)$", runbook.read_text(), flags=re.M)[1:])] * 2))
            names += entries
            for name, entry in entries.items():
                for part in ("**Means:**", "**Costs:**", "**Look"):
                    self.assertIn(part, entry, f"{name} in {runbook.name}")
                self.assertIn(f"runbook_url: alerts/{runbook.name}#{name.lower()}\n", read(RULES))
        self.assertEqual(sorted(names), sorted({name for name, _ in alert_rules()}))

    def test_links_between_the_runbooks_lead_somewhere(self):
        for runbook in RUNBOOKS:
            for file, name in re.findall(r"\]\((runbook[-\w]*\.md)?#(\w+)\)", runbook.read_text()):
                text = (ALERTS / (file or runbook.name)).read_text()
                headings = [heading.lower() for heading in re.findall(r"^## (\S+)$", text, flags=re.M)]
                self.assertIn(name, headings, runbook.name)

    def test_has_a_test_that_fires_word_for_word_and_one_that_stays_silent(self):
        tests = read(UNIT_TESTS)
        for name, text in alert_rules():
            severity = re.search(r"severity: (\w+)", text)[1]
            fires = (rf"alertname: {name}\n +exp_alerts:\n"
                     rf"(?: {{10}}.*\n)*? +- exp_labels: {{severity: {severity}")
            self.assertRegex(tests, fires, f"{name} never fires as {severity}")
            self.assertIn(f"alertname: {name}, exp_alerts: []}}", tests, f"{name} is never silent")

    def test_is_silent_in_each_test_before_it_fires(self):
        for file in UNIT_TESTS:
            for case in file.read_text().split("\n  - name: ")[1:]:
                for name in set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", case)):
                    first = re.search(rf"alertname: {name}(, exp_alerts: \[\])?", case)
                    self.assertTrue(first[1], f"{file.name}: {name} in: {case.splitlines()[0]}")

    def test_leads_to_a_dashboard_that_exists(self):
        dashboards = [json.loads(file.read_text()) for file in (SOURCE_DIR / "dashboards").glob("*.json")]
        uids = [dashboard.get("uid") for dashboard in dashboards]
        for uid in set(re.findall(r"dashboard_url: /d/([\w-]+)", read(RULES))):
            self.assertIn(uid, uids)


class ThresholdsTest(unittest.TestCase):
    def test_each_is_used_and_none_is_missing(self):
        names = set(re.findall(r"record: (apiquota:threshold:\w+)", read(RULES)))
        used = set(re.findall(r"(?<!record: )(apiquota:threshold:\w+)", read(RULES)))
        self.assertEqual(names, used)

    def test_one_api_may_have_its_own(self):
        tuned = (ALERTS / "thresholds.rules.yaml").read_text().replace(
            "expr: 0.8 * apiquota:api\n",
            'expr: 0.97 * apiquota:api{api="own"} or 0.99 * apiquota:api{team="night"}'
            " or 0.8 * apiquota:api\n", 1)
        series = "".join(
            f"""
              - series: apiquota_quota_used_ratio{{instance="a",api="{api}",key="ci",quota="q",unit="u"}}
                values: 0.98x5""" for api in ("own", "theirs", "other"))
        case = f"""
          rule_files: [thresholds.yaml, {ALERTS}/quota.rules.yaml]
          group_eval_order: [apiquota-thresholds, apiquota-quota]
          evaluation_interval: 1m
          tests:
          - interval: 1m
            input_series:
              - series: 'apiquota_api_info{{instance="a",api="theirs",exporter="generic",team="night"}}'
                values: 1x5{series}
            promql_expr_test:
              - expr: count by (api) (ALERTS{{alertname="ApiQuotaHigh",alertstate="firing"}})
                eval_time: 3m
                exp_samples: [{{labels: '{{api="own"}}', value: 1}}, {{labels: '{{api="other"}}', value: 1}}]
        """
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "thresholds.yaml").write_text(tuned)
            (Path(folder) / "test.yaml").write_text(case)
            run_tool("promtool", "test", "rules", f"{folder}/test.yaml")


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("SKIPPED: promtool is not installed (Debian package prometheus)")
        sys.exit(77)
    unittest.main()
