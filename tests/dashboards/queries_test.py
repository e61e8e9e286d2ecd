"""What the dashboards ask Prometheus: selectors, rates, sums, names. Every metric of the agent is asked for
somewhere, or left out for a reason."""

import json
import re
import shutil
import subprocess
import tempfile
import unittest

from grafana_json import SOURCE_DIR, family_of, golden_families, load, queries, shown, variables

DASHBOARDS = load()
FAMILIES = golden_families()
QUERIES = list(queries(DASHBOARDS))
# What Prometheus itself says of a target.
OF_THE_SCRAPE = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}
METRIC = re.compile(r"\b((?:apiquota|process|scrape)_\w+|up|ALERTS\w*)\b(?:\{([^}]*)\})?")
# The unit splits panels that are repeated; elsewhere all units are shown.
EVERYWHERE = ("job", "instance", "api", "key", "resource", "quota")
UNDER_RATE = re.compile(r"\b(rate\(\[\$__rate_interval\]|increase\(\[\$__(rate_interval|range)\])")
# A peak is one observation of a window that closed: shares of them may be taken over all. What an agent
# saved, no other did.
SUMMED_QUOTA = re.compile(
    r"\b(sum|avg) ?(by \([^)]*\) )?\(((rate|increase)\()?apiquota_quota_(?!window_peak|saved)")
OF_ALERTS = re.compile(r'^alertname=~"Api\.\+", (alertstate="firing", )?api=~"\$api\|"$')
STAND_INS = {"$__rate_interval": "1m", "$__range": "1h", "$job": ".+", "$instance": ".+", "$api": ".+",
             "$key": ".+", "$resource": ".*", "$quota": ".+", "$unit": ".+"}

# metric → why nothing asks for it
UNUSED = {
    "apiquota_quota_used": "remaining and used_ratio say it, and tables have the limit",
    "apiquota_unread_limit_headers": "tells of an exporter's age, not of a quota: docs/metrics.md",
    "process_threads": "fixed by the configuration; for debugging",
    "process_virtual_memory_bytes": "says little beside resident memory; for debugging",
}


def without_selectors(expression):
    return re.sub(r"\{[^}]*\}", "", expression)


class QueriesTest(unittest.TestCase):
    def test_every_metric_exists(self):
        for name, _, expression in QUERIES:
            for metric, _ in METRIC.findall(expression):
                if not metric.startswith("ALERTS") and metric not in OF_THE_SCRAPE:
                    self.assertIsNotNone(family_of(metric, FAMILIES), f"{name}: {metric}")

    def test_every_selector_obeys_the_variables(self):
        for name, dashboard, expression in QUERIES:
            known = variables(dashboard)
            for metric, selector in METRIC.findall(expression):
                if metric.startswith("ALERTS"):
                    continue  # alerts keep the labels of their subject; few have a job or an instance
                _, labels = FAMILIES.get(family_of(metric, FAMILIES), ("gauge", set()))
                wanted = [variable for variable in EVERYWHERE
                          if variable in known and variable in labels | {"job", "instance"}]
                self.assertEqual(re.findall(r'(\w+)=~"\$\1"', selector)[:len(wanted)], wanted,
                                 f"{name}: {metric}{{{selector}}}")

    def test_alerts_are_ours_and_of_the_chosen_apis(self):
        for name, _, expression in QUERIES:
            for metric, selector in METRIC.findall(expression):
                if metric.startswith("ALERTS"):
                    self.assertRegex(selector, OF_ALERTS, name)
        for rules in SOURCE_DIR.glob("alerts/*.rules.yaml"):
            for alert in re.findall(r"- alert: (\w+)", rules.read_text()):
                self.assertRegex(alert, r"^Api")

    def test_label_names_exist(self):
        """Labels in `by` and legends are labels of a metric of the query."""
        for name, _, expression in QUERIES:
            if "ALERTS" in expression:
                continue
            known = {"job", "instance", "le"}
            for metric, _ in METRIC.findall(expression):
                known |= FAMILIES.get(family_of(metric, FAMILIES), ("", set()))[1]
            for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
                self.assertLessEqual(set(re.split(r",\s*", labels)), known, name)

    def test_legends_name_labels_that_the_query_keeps(self):
        for name, _, panel in shown(DASHBOARDS):
            for target in panel["targets"]:
                kept = re.findall(r"\bby \(([^)]*)\)", target["expr"])
                kept = set(re.split(r",\s*", kept[0])) if kept else {"job", "instance"}
                named = re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
                self.assertLessEqual(set(named), kept, name)

    def test_counters_only_under_rate_or_increase(self):
        """Over the rate interval; an increase may also be over the chosen time."""
        counters = {name for name, (kind, _) in FAMILIES.items() if kind == "counter"}
        counters |= {name + suffix for name, (kind, _) in FAMILIES.items() if kind == "histogram"
                     for suffix in ("_bucket", "_sum", "_count")}
        for name, _, expression in QUERIES:
            text = without_selectors(expression)
            for match in METRIC.finditer(text):
                if match[1] in counters:
                    around = text[:match.start()][-9:] + text[match.end():][:20]
                    self.assertRegex(around, UNDER_RATE, f"{name}: {match[1]}")

    def test_shared_quotas_are_never_summed(self):
        """Agents that watch one credential report the same thing: min by and max by, never sum."""
        for name, _, expression in QUERIES:
            self.assertNotRegex(expression, SUMMED_QUOTA, name)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed (Debian package prometheus)")
    def test_queries_parse(self):
        rules = "groups: [{name: queries, rules: [\n"
        for number, (_, _, expression) in enumerate(QUERIES):
            for variable, value in STAND_INS.items():
                expression = expression.replace(variable, value)
            self.assertNotIn("$", expression)
            rules += f'{{record: "query:{number}", expr: {json.dumps(expression)}}},\n'
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(rules + "]}]\n")
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + rules)


class CoverageTest(unittest.TestCase):
    def test_every_metric_of_the_agent_is_used_or_left_out_for_a_reason(self):
        files = [*SOURCE_DIR.glob("dashboards/*.json"), *SOURCE_DIR.glob("alerts/*.rules.yaml")]
        used = set()
        for file in files:
            names = re.findall(r"\b(?:apiquota|process)_\w+", file.read_text())
            used |= {family_of(metric, FAMILIES) for metric in names}
        unused = set(FAMILIES) - used
        self.assertLessEqual(unused, set(UNUSED), "in no dashboard and no alert: show it, or say why not")
        self.assertLessEqual(set(UNUSED), set(FAMILIES), "no longer a metric of the agent")
        self.assertFalse(set(UNUSED) & used, "used after all: strike it from the list")


if __name__ == "__main__":
    unittest.main()
