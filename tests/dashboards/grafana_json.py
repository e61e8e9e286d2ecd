"""The committed dashboards as the tests see them, and what the agent's golden page says of its metrics."""

import json
import os
import re
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
FOLDER = SOURCE_DIR / "dashboards"
NAMES = ("overview", "api", "guard", "agent")
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def load():
    """{name: dashboard}"""
    return {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in NAMES}


def panels(dashboard):
    """All but rows, those of collapsed rows included."""
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", [])


def shown(dashboards):
    """(what to call it, dashboard, panel)"""
    for name, dashboard in dashboards.items():
        for panel in panels(dashboard):
            yield f"{name}: {panel['title']}", dashboard, panel


def queries(dashboards):
    """(what to call it, dashboard, PromQL) of panels and annotations."""
    for name, dashboard, panel in shown(dashboards):
        for target in panel["targets"]:
            yield f"{name} ({target['refId']})", dashboard, target["expr"]
    for name, dashboard in dashboards.items():
        for annotation in dashboard["annotations"]["list"]:
            yield f"{name}: {annotation['name']}", dashboard, annotation["expr"]


def variables(dashboard):
    """{name: variable} of those that are queries, in their order."""
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]
            if variable["type"] == "query"}


def golden_families():
    """{metric: (type, its labels)} of the documented list."""
    families, name = {}, None
    for line in (SOURCE_DIR / "tests/golden/metrics.txt").read_text().splitlines():
        if found := re.match(r"# TYPE (\S+) (\S+)", line):
            name = found[1]
            families[name] = (found[2], set())
        elif found := re.match(r"[a-z_]+\{(.*)\} ", line):
            families[name][1].update(re.findall(r'(\w+)="', found[1]))
    return families


def family_of(metric, families):
    """The family a sample belongs to: a histogram's buckets to the histogram. None if there is none."""
    for name in (metric, re.sub(r"_(bucket|sum|count)$", "", metric)):
        if name in families:
            return name
    return None
