"""What Grafana does between a dashboard's JSON and Prometheus: variables' values, their place in queries, the
intervals. As the Prometheus data source of Grafana 10 to 12 does it, for what these dashboards use.

A `Choice` is {variable: value}; a value is a list of strings, or ALL.
"""

import http.client
import json
import re
import urllib.parse

from grafana_json import variables

ALL = object()
STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600]
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
REFERENCE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


class Prometheus:
    """Its HTTP API over one kept connection. Raises AssertionError with Prometheus's own words."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)

    def ask(self, path, **parameters):
        self.connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(self.connection.getresponse().read())
        assert answer["status"] == "success", f"{answer['error']} in {parameters}"
        assert not answer.get("warnings") and not answer.get("infos"), f"{answer} in {parameters}"
        return answer["data"]

    def close(self):
        self.connection.close()


class Page:
    """A dashboard opened over a span of time, on a Prometheus that scrapes every `scrape` seconds."""

    def __init__(self, dashboard, prometheus, start, end, scrape):
        self.dashboard, self.prometheus = dashboard, prometheus
        self.start, self.end, self.scrape = start, end, scrape
        self.variables = variables(dashboard)

    def values(self, name, choice):
        """What a variable offers, the variables before it being chosen."""
        query = self.interpolate(self.variables[name]["query"]["query"], choice, 800)
        selector, label = LABEL_VALUES.fullmatch(query).groups()
        return self.prometheus.ask(f"label/{label}/values", **{
            "match[]": selector, "start": self.start, "end": self.end})

    def first_choice(self, **fixed):
        """All where there is an All, else the first value; `fixed` wins."""
        choice = {}
        for name, variable in self.variables.items():
            if name in fixed:
                choice[name] = fixed[name]
            elif variable["includeAll"]:
                choice[name] = ALL
            else:
                choice[name] = self.values(name, choice)[:1]
        return choice

    def run(self, panel, target, choice):
        """[(labels, [value, …])]: the series of one query of a panel."""
        points = panel["gridPos"]["w"] * 60
        expression = self.interpolate(target["expr"], choice, points)
        assert "$" not in expression, f"unresolved: {expression}"
        if target["instant"]:
            data = self.prometheus.ask("query", query=expression, time=self.end)
            return [(sample["metric"], [sample["value"][1]]) for sample in data["result"]]
        step = self.step(points)
        data = self.prometheus.ask("query_range", query=expression, start=self.start // step * step,
                                   end=self.end // step * step, step=step)
        return [(series["metric"], [value for _, value in series["values"]]) for series in data["result"]]

    def step(self, points):
        wanted = max((self.end - self.start) / points, self.scrape)
        return next((step for step in STEPS if step >= wanted), 3600)

    def interpolate(self, text, choice, points):
        builtins = {
            "__rate_interval": f"{max(self.step(points) + self.scrape, 4 * self.scrape)}s",
            "__interval": f"{self.step(points)}s",
            "__range": f"{self.end - self.start}s",
        }

        def replacement(match):
            name = match[1] or match[2]
            if name in builtins:
                return builtins[name]
            return self.formatted(name, choice[name]) if name in choice else match[0]

        return REFERENCE.sub(replacement, text)

    def formatted(self, name, value):
        variable = self.variables[name]
        if value is ALL:
            return variable["allValue"]
        if variable["multi"] or variable["includeAll"]:
            escaped = [re.sub(r"[\\^$*+?.()|{}\[\]/]", r"\\\\\g<0>", each) for each in value]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        return value[0].replace("\\", "\\\\").replace('"', '\\"')


def legends(target, series):
    """The legend of each series; an empty label is no label to Prometheus, and leaves its place empty."""
    def legend(labels):
        return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), target["legendFormat"])

    return [legend(labels) for labels, _ in series]
