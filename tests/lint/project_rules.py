"""Rules about everything beside the C++: names that must exist elsewhere, recordings, links, and what a
public tree must not hold."""

import json
import posixpath
import re
from pathlib import PurePosixPath

from tree import Finding

GOLDEN_METRICS = "tests/golden/metrics.txt"
METRIC = re.compile(r"(?<![\w:/.-])apiquota_[a-z0-9_]+(?![\w*(]|\.\w|:)")
HISTOGRAM_SUFFIXES = ("_bucket", "_sum", "_count")


def golden_metrics(tree):
    """Every sample name the golden page allows, histograms with their suffixes, and families it counts by."""
    names = set(re.findall(r'family="(\w+)"', tree.text(GOLDEN_METRICS)))
    for kind, name in re.findall(r"^# TYPE (\S+) (\S+)$", tree.text(GOLDEN_METRICS), re.MULTILINE):
        names.add(kind)
        if name == "histogram":
            names.update(kind + suffix for suffix in HISTOGRAM_SUFFIXES)
    return names


def check_metric_names(tree):
    """What documents, alerts and dashboards name is in the golden /metrics, so a rename can't strand them."""
    if GOLDEN_METRICS not in tree.files:
        yield Finding(GOLDEN_METRICS, 1, "is missing: it is the list of the agent's metrics")
        return
    known = golden_metrics(tree)
    for path, text in tree.under(
        "README.md",
        "ARCHITECTURE.md",
        "docs/",
        "alerts/",
        "dashboards/",
        "tests/alerts/",
        suffixes={".md", ".yaml", ".yml", ".json", ".ts", ".tmpl"},
    ):
        for number, line in enumerate(text.splitlines(), 1):
            for name in METRIC.findall(line):
                if name not in known:
                    yield Finding(path, number, f"{name} is not in {GOLDEN_METRICS}")


def check_recordings(tree):
    """Each exporter has recordings, each with its expectation, one of them a throttle."""
    for path, _ in tree.under("exporters/", suffixes={".yaml"}):
        name = PurePosixPath(path).stem
        folder = f"tests/providers/{name}/"
        recordings = [recording for recording, _ in tree.under(folder, suffixes={".http"})]
        throttles = 0
        for recording in recordings:
            expected = recording.removesuffix(".http") + ".json"
            if expected not in tree.files:
                yield Finding(recording, 1, f"has no expectation beside it ({expected})")
                continue
            try:
                throttles += json.loads(tree.text(expected)).get("throttle") is not None
            except ValueError as error:
                yield Finding(expected, 1, f"is not JSON: {error}")
        if not recordings:
            yield Finding(path, 1, f"has no recording in {folder}")
        elif throttles == 0:
            yield Finding(path, 1, f"none of its recordings in {folder} is a throttle")


def check_alerts_documented(tree):
    """Each alert has its entry in a runbook, under a heading of its own name."""
    headings = set()
    for path, text in tree.under("alerts/runbook", suffixes={".md"}):
        headings |= set(re.findall(r"^#+ `?(\w+)`?\s*$", text, re.MULTILINE))
    for path, text in tree.under("alerts/", suffixes={".yaml", ".yml"}):
        if not path.endswith(".rules.yaml"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r"\s*- alert: (\w+)", line)
            if match and match.group(1) not in headings:
                yield Finding(path, number, f"{match.group(1)} has no heading in alerts/runbook*.md")


MACHINE_TRACES = [
    (re.compile(r"(?<![\w.$}/-])/(work|root|home/\w+|Users/\w+)/"), "a path of somebody's machine"),
    (
        re.compile(
            r"registry\.npmjs\.org|deb\.debian\.org|security\.debian\.org|(files\.)?pythonhosted\.org"
            r"|pypi\.org|crates\.io|nodesource\.com|proxy\.golang\.org"
        ),
        "a registry's host",
    ),
    (
        re.compile(r'"resolved":\s*"'),
        "a resolved address in a lock file (omit-lockfile-registry-resolved)",
    ),
]


def check_machine_traces(tree):
    for path, text in tree.files.items():
        if path.startswith("tests/lint/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in MACHINE_TRACES:
                if pattern.search(line):
                    yield Finding(path, number, f"{what}; the tree must not depend on it")


def anchors(markdown):
    """The fragments GitHub gives a document's headings."""
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", markdown, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(
            " ", "-"
        )
        repeated = sum(1 for anchor in found if re.fullmatch(re.escape(plain) + r"(-\d+)?", anchor))
        found.add(f"{plain}-{repeated}" if repeated else plain)
    return found


def check_links(tree):
    folders = {str(parent) for path in tree.files for parent in PurePosixPath(path).parents}
    for path, text in tree.under("", suffixes={".md"}):
        prose = re.sub(r"```.*?```", lambda block: re.sub(r"[^\n]", "", block.group()), text, flags=re.DOTALL)
        for number, line in enumerate(prose.splitlines(), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, fragment = target.partition("#")
                linked = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
                if linked not in tree.files and linked not in folders:
                    yield Finding(path, number, f"{target} leads nowhere")
                elif fragment and linked.endswith(".md") and fragment not in anchors(tree.text(linked)):
                    yield Finding(path, number, f"{target}: no such heading there")


SEMANTICS = "docs/quota-semantics.md"
SOURCES = (
    *("agent/", "alerts/", "cmake/", "dashboards/src/", "exporters/", "scripts/", "tests/", "CMakeLists.txt"),
    *("docs/", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "ARCHITECTURE.md"),
)
NO_DOCUMENT = [
    (re.compile(r"\b(DESIGN|GUARD|DATA_PLANE)\b|\b(TRUST|STYLE)\.md\b"), "is no document of this tree"),
    (re.compile(r"\b[Tt]he plan (says|writes|asks|wants)\b"), "what plan? Say the reason itself"),
    (re.compile(r"§(?<!RFC \d{4} §)(?<!RFC \d{3} §)"), "of what? Only an RFC's sections are cited so"),
]
DOCUMENT = re.compile(r"(?<![\w/:.-])(?:[\w./-]+\.md\b|docs/[\w./-]*\w)")
SEMANTICS_RULES = re.compile(re.escape(SEMANTICS) + r" rules? (\d+(?:(?:, | and | to )\d+)*)")


def check_references(tree):
    """A document that a source names is in the tree (by the end of its path), and so is a rule it cites."""
    known = {str(parent) for path in tree.files for parent in PurePosixPath(path).parents}
    for path in tree.files:
        parts = path.split("/")
        known.update("/".join(parts[at:]) for at in range(len(parts)))
    rules = set(re.findall(r"^## (\d+)\. ", tree.text(SEMANTICS), re.MULTILINE))
    for path, text in tree.under(*SOURCES):
        if path.startswith(("tests/lint/", "tests/providers/")):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in NO_DOCUMENT:
                for match in pattern.finditer(line):
                    yield Finding(path, number, f"`{match.group()}`: {what}")
            for name in DOCUMENT.findall(line):
                if posixpath.normpath(name).lstrip("./") not in known:
                    yield Finding(path, number, f"{name} is not in the tree")
            for cited in SEMANTICS_RULES.findall(line):
                for rule in re.findall(r"\d+", cited):
                    if rule not in rules:
                        yield Finding(path, number, f"{SEMANTICS} has no rule {rule}")


RULES = [
    check_metric_names,
    check_recordings,
    check_alerts_documented,
    check_machine_traces,
    check_links,
    check_references,
]
