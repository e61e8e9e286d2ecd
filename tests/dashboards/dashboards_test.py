"""The committed dashboards: a test for each rule, most of them those of Grafana's dashboard-linter. What they
ask Prometheus is for queries_test."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from grafana_json import DATASOURCE, FOLDER, NAMES, SOURCE_DIR, load, panels, shown, variables

DASHBOARDS = load()
UNITS = {"short", "locale", "percentunit", "s", "bytes", "cpm", "reqpm", "dateTimeFromNow", "string"}
USED = "apiquota_quota_used_ratio"


def threshold(name):
    """A threshold of the alerts."""
    rules = (SOURCE_DIR / "alerts/thresholds.rules.yaml").read_text()
    return float(re.search(rf"- record: apiquota:threshold:{name}\n\s+expr: ([\d.]+) ", rules)[1])


def properties(panel, name):
    """The values that overrides of single fields give to a property."""
    return [entry["value"] for override in panel["fieldConfig"]["overrides"]
            for entry in override["properties"] if entry["id"] == name]


def steps(panel):
    """Every list of threshold steps in a panel, as [value, …] without the base."""
    found = [panel["fieldConfig"]["defaults"]["thresholds"], *properties(panel, "thresholds")]
    return [[step["value"] for step in each["steps"][1:]] for each in found]


class DashboardsTest(unittest.TestCase):
    def test_settings(self):
        for name, dashboard in DASHBOARDS.items():
            with self.subTest(name):
                self.assertEqual(dashboard["uid"], f"apiquota-{name}")
                self.assertIs(dashboard["editable"], False)
                self.assertNotIn("__inputs", dashboard)
                self.assertEqual((dashboard["tags"], dashboard["timezone"], dashboard["refresh"]),
                                 (["apiquota"], "browser", "30s"))
                self.assertEqual(dashboard["schemaVersion"], 38)  # what the oldest Grafana we name reads

    def test_ids_are_unique_and_panels_do_not_overlap(self):
        for name, dashboard in DASHBOARDS.items():
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)), name)
            cells = [(x, y) for panel in dashboard["panels"] for grid in [panel["gridPos"]]
                     for x in range(grid["x"], grid["x"] + grid["w"])
                     for y in range(grid["y"], grid["y"] + grid["h"])]
            self.assertEqual(len(cells), len(set(cells)), name)
            self.assertLess(max(x for x, _ in cells), 24, name)

    def test_titles_are_unique(self):
        for name, dashboard in DASHBOARDS.items():
            titles = [panel["title"] for panel in panels(dashboard)]
            self.assertEqual(len(titles), len(set(titles)), name)

    def test_panels_have_title_description_unit_and_targets(self):
        for name, _, panel in shown(DASHBOARDS):
            with self.subTest(name):
                self.assertTrue(panel["title"])
                self.assertRegex(panel["description"], r"^[A-Z].{40,}\.$")
                units = [panel["fieldConfig"]["defaults"]["unit"], *properties(panel, "unit")]
                self.assertLessEqual(set(units), UNITS)
                refs = [target["refId"] for target in panel["targets"]]
                self.assertEqual(refs, [chr(ord("A") + index) for index in range(len(refs))])

    def test_a_panel_that_can_be_empty_says_why(self):
        for name, _, panel in shown(DASHBOARDS):
            always = panel["type"] == "stat" and "or vector(0)" in panel["targets"][0]["expr"]
            self_metrics = all(re.search(r"process_|scrape_|log_dropped|\bup\b", target["expr"])
                               for target in panel["targets"])
            if not always and not self_metrics:
                self.assertTrue(panel["fieldConfig"]["defaults"].get("noValue"), name)

    def test_the_datasource_is_the_readers_choice(self):
        for name, dashboard, panel in shown(DASHBOARDS):
            for holder in [panel, *panel["targets"], *dashboard["annotations"]["list"]]:
                self.assertEqual(holder["datasource"], DATASOURCE, name)

    def test_variables(self):
        for name, dashboard in DASHBOARDS.items():
            with self.subTest(name):
                first = dashboard["templating"]["list"][0]
                self.assertEqual((first["name"], first["label"], first["type"], first["query"]),
                                 ("datasource", "Data source", "datasource", "prometheus"))
                found = variables(dashboard)
                self.assertEqual(list(found)[:3], ["job", "instance", "api"])
                for each in found.values():
                    self.assertEqual((each["datasource"], each["refresh"]), (DATASOURCE, 2))
                    self.assertRegex(each["query"]["query"], r"^label_values\(.+, \w+\)$")
                for needed, label in (("job", "Job"), ("instance", "Instance")):
                    have = [found[needed][key] for key in ("label", "multi", "includeAll", "allValue")]
                    self.assertEqual(have, [label, True, True, ".+"])

    def test_no_variable_is_unused(self):
        for name, dashboard in DASHBOARDS.items():
            text = "".join(target["expr"] for panel in panels(dashboard) for target in panel["targets"])
            for variable in variables(dashboard):
                self.assertIn(f"${variable}", text, name)

    def test_links_lead_to_dashboards_and_variables_that_exist(self):
        for name, dashboard, panel in shown(DASHBOARDS):
            links = [link["url"] for link in dashboard["links"]]
            links += [link["url"] for entry in properties(panel, "links") for link in entry]
            for url in links:
                target, _, query = re.fullmatch(r"/d/apiquota-(\w+)(\?)(.*)", url).groups()
                self.assertIn(target, NAMES, name)
                for variable in re.findall(r"\$\{(\w+):queryparam\}", query):
                    self.assertIn(f'"name": "{variable}"', (FOLDER / f"{target}.json").read_text(), name)
                for variable, field in re.findall(r"var-(\w+)=\$\{__data\.fields\.(\w+)\}", query):
                    self.assertIn(variable, variables(DASHBOARDS[target]), name)
                    self.assertTrue(any(field in query["expr"] for query in panel["targets"]), name)

    def test_tables_sort_and_hide_what_has_no_column(self):
        for name, _, panel in shown(DASHBOARDS):
            if panel["type"] == "table":
                kinds = [step["id"] for step in panel["transformations"]]
                self.assertEqual(kinds, ["merge", "sortBy", "filterFieldsByName", "organize"], name)
                self.assertIs(panel["transformations"][1]["options"]["sort"][0]["desc"], True, name)

    def test_use_has_the_alerts_thresholds(self):
        wanted = [threshold("used_warning_ratio"), threshold("used_critical_ratio")]
        for name, _, panel in shown(DASHBOARDS):
            if any(USED in target["expr"] for target in panel["targets"]):
                self.assertIn(wanted, steps(panel), name)

    def test_an_overdrawn_quota_does_not_leave_the_picture(self):
        for name, _, panel in shown(DASHBOARDS):
            if panel["type"] == "timeseries" and any(USED in target["expr"] for target in panel["targets"]):
                self.assertNotIn("max", panel["fieldConfig"]["defaults"], name)

    def test_shares_have_the_alerts_thresholds(self):
        for title, name in (("Throttled share", "throttle_ratio"),
                            ("Short windows that went too far", "short_windows_ratio"),
                            ("Fullest queue", "queue_ratio"),
                            ("Repeated share", "retry_ratio"),
                            ("Blind share", "blind_ratio"),
                            ("Own limits, used", "limit_used_ratio")):
            found = [panel for _, _, panel in shown(DASHBOARDS) if panel["title"] == title]
            self.assertTrue(found)
            for panel in found:
                self.assertEqual(steps(panel), [[threshold(name)]], title)
        cooldowns = next(panel for _, _, panel in shown(DASHBOARDS)
                         if panel["title"].startswith("Cooldowns, "))
        self.assertIn([threshold("cooldown_seconds")], steps(cooldowns))

    def test_the_provisioned_rate_interval_is_the_scrape_interval(self):
        source = (FOLDER / "provisioning/datasources/prometheus.yaml").read_text()
        scrape = re.search(r"scrape_interval: (\w+)", (SOURCE_DIR / "alerts/prometheus.yml").read_text())[1]
        self.assertEqual(re.search(r"timeInterval: (\w+)", source)[1], scrape)

    def test_the_provisioned_folder_is_where_the_readme_mounts_the_dashboards(self):
        provider = (FOLDER / "provisioning/dashboards/apiquota.yaml").read_text()
        path = re.search(r"path: (\S+)", provider)[1]
        readme = (FOLDER / "README.md").read_text()
        for name in NAMES:
            self.assertIn(f"{path}/{name}.json", readme)


class RegenerationTest(unittest.TestCase):
    """`npm run build` would change nothing."""

    def test_committed_json_is_what_the_sources_say(self):
        compiler = FOLDER / "node_modules/.bin/tsc"
        if not (shutil.which("node") and compiler.exists()):
            print("SKIPPED: regeneration needs node and `npm ci` in dashboards/", flush=True)
            self.skipTest("no node, or no node_modules in dashboards/")
        with tempfile.TemporaryDirectory(dir=FOLDER, prefix="out-") as folder:
            run(["node", compiler, "-p", FOLDER, "--outDir", folder])
            run(["node", f"{folder}/main.js", folder])
            for name in NAMES:
                committed = (FOLDER / f"{name}.json").read_text()
                self.assertEqual(committed, Path(folder, f"{name}.json").read_text(),
                                 f"{name}.json is not what dashboards/src says: npm run build")


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "NO_COLOR": "1"}, check=False)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    unittest.main()
