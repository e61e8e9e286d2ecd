"""A day in the life: two days of a fleet, with known incidents on the second, go through the rules as
shipped. Each incident must be told before it does harm, and nothing else. Prints the lead times."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE_DIR / "tests/alerts/day"))

from series import DAY, MINUTES, notation  # noqa: E402
from story import Story  # noqa: E402

# Rules that need nothing of each other run side by side. {files: groups in the order of their needs}
HALVES = {
    ("quota", "forecast"): ("quota", "usual", "forecast"),
    ("throttles", "traffic", "poll", "readings", "agent"): (
        "throttles", "throttles-usual", "short-windows", "traffic", "traffic-usual", "poll", "readings",
        "agent"),
}
STEP = 3  # minutes from one evaluation to the next
FIRING = re.compile(r'time: (\w+),\n +exp: nil\n +got: (.*)')
LABEL = re.compile(r'(\w+)="([^"]*)"')


def minutes(text):
    """Of promtool's durations: 1d2h3m."""
    units = {"d": DAY, "h": 60, "m": 1, "s": 0}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))


def firing(folder, name, files, groups, series):
    """[(minute, labels)] of every alert that fires at every step, as promtool says what it got."""
    rules = [f"{SOURCE_DIR}/alerts/{file}.rules.yaml" for file in ("thresholds", *files)]
    order = [f"apiquota-{group}" for group in ("thresholds", *groups)]
    case = [f"rule_files: [{', '.join(rules)}]", f"group_eval_order: [{', '.join(order)}]",
            f"evaluation_interval: {STEP}m", "tests:", "- interval: 1m", "  input_series:"]
    for labels, values in series.items():
        case += [f"  - series: '{labels}'", f"    values: {notation(values)}"]
    case += ["  promql_expr_test:"]
    for minute in range(0, MINUTES, STEP):
        case += ["""  - {expr: 'ALERTS{alertstate="firing"}', exp_samples: [], eval_time: %dm}""" % minute]
    path = Path(folder) / f"{name}.test.yaml"
    path.write_text("\n".join(case) + "\n")
    command = ["promtool", "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    said = done.stdout + done.stderr
    assert "FAILED" in said and "error" not in said.lower(), said[:2000]
    return [(minutes(time), dict(LABEL.findall(alert)))
            for time, alerts in FIRING.findall(said) for alert in re.findall(r"\{(.*?)\} ", alerts)]


class DayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.story = Story()
        series = cls.story.fleet.series
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
            runs = [pool.submit(firing, folder, files[0], files, groups, series)
                    for files, groups in HALVES.items()]
            fired = [alert for run in runs for alert in run.result()]
            cls.fired = sorted(fired, key=lambda alert: alert[0])

    def explained_by(self, minute, labels):
        for incident in self.story.incidents:
            if (incident.began <= minute <= incident.over
                    and labels["alertname"] in (*incident.told, *incident.also)
                    and incident.labels.items() <= labels.items()):
                return incident
        return None

    def test_every_incident_is_told_in_time_and_nothing_else_is(self):
        strangers, yesterday = {}, set()
        for minute, labels in self.fired:
            incident = self.explained_by(minute, labels)
            if incident is not None:
                if incident.first is None and labels["alertname"] in incident.told:
                    incident.first = minute
            elif minute < DAY:
                yesterday.add(f"{labels['alertname']} {labels.get('api')}")
            else:
                strangers.setdefault(tuple(sorted(labels.items())), minute)
        self.report(strangers, yesterday)
        late = [i.name for i in self.story.incidents if i.first is None or i.first >= i.deadline]
        self.assertEqual(late, [], "told too late or not at all")
        self.assertEqual(len(strangers), 0, "false alarms")

    def report(self, strangers, yesterday):
        incidents = self.story.incidents
        print(f"\n{'incident':38} {'alert':23} {'began':>5} {'told':>5} {'harm':>5}  lead")
        for incident in incidents:
            lead = ("none" if incident.first is None
                    else f"{incident.deadline - incident.first} min before {incident.harm}")
            times = [hour(minute) for minute in (incident.began, incident.first, incident.deadline)]
            columns = " ".join(f"{time:>5}" for time in times)
            print(f"{incident.name:38} {incident.told[0]:23} {columns}  {lead}")
        print(f"{len(incidents)} incidents, {len(strangers)} false alarms in {DAY // 60} hours "
              f"({len(self.story.fleet.series)} series)")
        # Not judged: on its first day an anomaly has no past to be compared with.
        print("on the day before, when nothing was known yet:", ", ".join(sorted(yesterday)) or "nothing")
        for labels, minute in strangers.items():
            print("false alarm:", hour(minute), dict(labels))


def hour(minute):
    return "-" if minute is None else f"{minute // 60 % 24:02}:{minute % 60:02}"


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("SKIPPED: promtool is not installed (Debian package prometheus)")
        sys.exit(77)
    unittest.main()
