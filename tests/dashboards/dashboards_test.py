"""The committed dashboards: one test for each rule. That their metrics exist is tests/lint's."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
FILES = sorted((SOURCE_DIR / "dashboards").glob("*.json"))
DASHBOARDS = {file.name: json.loads(file.read_text()) for file in FILES}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COUNTER = re.compile(r"\b[a-z_]+_(?:total|bucket|sum|count)\b")
VARIABLES = {"$__rate_interval": "1m", "$job": ".+", "$instance": ".+", "$api": ".+"}
HIGH, CRITICAL = 0.8, 0.9


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel["panels"] if panel["type"] == "row" else []


def shown():
    """(name of the dashboard and panel, panel) of everything but rows."""
    for file, dashboard in DASHBOARDS.items():
        for panel in panels(dashboard):
            if panel["type"] != "row":
                yield f"{file}: {panel['title']}", panel


def queries():
    for name, panel in shown():
        for target in panel["targets"]:
            yield name, target["expr"]
    for file, dashboard in DASHBOARDS.items():
        for annotation in dashboard["annotations"]["list"]:
            yield f"{file}: {annotation['name']}", annotation["expr"]


class DashboardsTest(unittest.TestCase):
    def test_there_are_dashboards(self):
        self.assertIn("overview.json", DASHBOARDS)

    def test_settings(self):
        uids = [dashboard["uid"] for dashboard in DASHBOARDS.values()]
        self.assertEqual(len(uids), len(set(uids)))
        for file, dashboard in DASHBOARDS.items():
            with self.subTest(file):
                self.assertEqual(dashboard["uid"], "apiquota-" + file.removesuffix(".json"))
                self.assertIs(dashboard["editable"], False)
                self.assertNotIn("__inputs", dashboard)
                self.assertIn("apiquota", dashboard["tags"])

    def test_ids_are_unique_and_panels_do_not_overlap(self):
        for file, dashboard in DASHBOARDS.items():
            ids = [panel["id"] for panel in panels(dashboard)]
            self.assertEqual(len(ids), len(set(ids)), file)
            cells = [(x, y) for panel in panels(dashboard) for grid in [panel["gridPos"]]
                     for x in range(grid["x"], grid["x"] + grid["w"])
                     for y in range(grid["y"], grid["y"] + grid["h"])]
            self.assertEqual(len(cells), len(set(cells)), file)
            self.assertLess(max(x for x, _ in cells), 24, file)

    def test_panels_have_title_description_unit_and_targets(self):
        for name, panel in shown():
            with self.subTest(name):
                self.assertTrue(panel["title"])
                self.assertRegex(panel["description"], r"\.$")
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                refs = [target["refId"] for target in panel["targets"]]
                self.assertTrue(refs)
                self.assertEqual(len(refs), len(set(refs)))

    def test_the_datasource_is_the_readers_choice(self):
        for name, panel in shown():
            for holder in [panel, *panel["targets"]]:
                self.assertEqual(holder["datasource"], DATASOURCE, name)
        for file, dashboard in DASHBOARDS.items():
            for annotation in dashboard["annotations"]["list"]:
                self.assertEqual(annotation["datasource"], DATASOURCE, file)

    def test_variables(self):
        for file, dashboard in DASHBOARDS.items():
            with self.subTest(file):
                first, *others = dashboard["templating"]["list"]
                self.assertEqual((first["name"], first["label"], first["type"], first["query"]),
                                 ("datasource", "Data source", "datasource", "prometheus"))
                self.assertEqual([variable["name"] for variable in others][:3], ["job", "instance", "api"])
                for variable in others:
                    self.assertEqual(variable["datasource"], DATASOURCE)
                    self.assertEqual((variable["type"], variable["multi"], variable["includeAll"]),
                                     ("query", True, True))
                    self.assertEqual((variable["allValue"], variable["refresh"]), (".+", 2))
                    self.assertRegex(variable["query"]["query"], r"^label_values\(.+, \w+\)$")

    def test_every_selector_obeys_the_variables(self):
        for name, expression in queries():
            for metric, selector in re.findall(r"\b((?:apiquota|process)_\w+|up)\b(\{[^}]*\})?", expression):
                wanted = ['job=~"$job"', 'instance=~"$instance"']
                wanted += ['api=~"$api"'] if metric.startswith("apiquota_") else []
                self.assertEqual(selector, "{" + ", ".join(wanted) + "}", f"{name}: {metric}")

    def test_counters_only_under_rate_or_increase_over_the_rate_interval(self):
        for name, expression in queries():
            for match in COUNTER.finditer(re.sub(r"\{[^}]*\}", "", expression)):
                text = re.sub(r"\{[^}]*\}", "", expression)
                before, after = text[:match.start()], text[match.end():]
                self.assertRegex(before, r"\b(rate|increase)\($", f"{name}: {match.group()}")
                self.assertTrue(after.startswith("[$__rate_interval])"), f"{name}: {match.group()}")

    def test_shared_quotas_are_never_summed(self):
        for name, expression in queries():
            self.assertNotRegex(expression, r"\b(sum|avg)[^(]*\((rate\()?apiquota_quota_", name)

    def test_use_has_the_alerts_thresholds(self):
        rules = (SOURCE_DIR / "alerts/quota.rules.yaml").read_text()
        self.assertEqual(re.findall(r"used_ratio >= ([\d.]+)", rules), [str(CRITICAL), str(HIGH)])
        wanted = [("green", None), ("orange", HIGH), ("red", CRITICAL)]
        for name, panel in shown():
            if any("used_ratio" in target["expr"] for target in panel["targets"]):
                steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
                self.assertEqual([(step["color"], step["value"]) for step in steps], wanted, name)

    def test_the_provisioned_rate_interval_is_the_scrape_interval(self):
        source = (SOURCE_DIR / "dashboards/provisioning/datasources/prometheus.yaml").read_text()
        scrape = re.search(r"scrape_interval: (\w+)", (SOURCE_DIR / "alerts/prometheus.yml").read_text())[1]
        self.assertEqual(re.search(r"timeInterval: (\w+)", source)[1], scrape)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed (Debian package prometheus)")
    def test_queries_parse(self):
        rules = "groups: [{name: queries, rules: [\n"
        for number, (_, expression) in enumerate(queries()):
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            rules += f'{{record: "query:{number}", expr: {json.dumps(expression)}}},\n'
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(rules + "]}]\n")
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True,
                                  timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + rules)


if __name__ == "__main__":
    unittest.main()
