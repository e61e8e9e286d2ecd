"""From rounds to what a person reads: tables, ratios within a round, and the bars."""

import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
from pathlib import Path

RIVAL = "nginx"


def medians(rounds):
    """name → median of each figure; `x_…` is the median of its ratios to nginx of the same round."""
    table = {}
    for name in rounds[0]:
        figures = [key for key, value in rounds[0][name].items() if isinstance(value, int | float)]
        row = {key: statistics.median(one[name][key] for one in rounds) for key in figures}
        for key in figures:
            if all(one[RIVAL][key] > 0 for one in rounds):
                row[f"x_{key}"] = statistics.median(one[name][key] / one[RIVAL][key] for one in rounds)
        table[name] = row
    return table


def print_row(head, cells):
    print(f"| {head} | " + " | ".join(cells) + " |", flush=True)


def print_rounds(title, rounds, figure, lines):
    """`figure` of every round with its ratio to nginx, then the medians of the others."""
    summary = medians(rounds)
    names = list(rounds[0])
    unit, digits = figure[1], figure[2]
    print(f"\n### {title}\n")
    print_row(f"round, {unit}", [f"{name} (ratio)" for name in names])
    print("|---" * (len(names) + 1) + "|")
    for number, one in enumerate(rounds, 1):
        values = [(one[name][figure[0]], one[RIVAL][figure[0]]) for name in names]
        print_row(number, [f"{value:,.{digits}f} ({value / rival:.2f})" for value, rival in values])
    for key, label, places in [(figure[0], "**median**", digits), *lines]:
        rows = [summary[name] for name in names]
        ratios = [f" ({row[f'x_{key}']:.2f})" if f"x_{key}" in row else "" for row in rows]
        print_row(
            label, [f"{row[key]:,.{places}f}{ratio}" for row, ratio in zip(rows, ratios, strict=True)]
        )
    return summary


def print_bars(verdicts):
    print("\n### Bars (medians of ratios to nginx in the same round)\n")
    print_row("what", ["measured", "bar", ""])
    print("|---|---|---|---|")
    for what, measured, bar, lower_is_better in verdicts:
        met = measured <= bar if lower_is_better else measured >= bar
        sign = "≤" if lower_is_better else "≥"
        print_row(what, [f"{measured:.2f}", f"{sign} {bar}", "met" if met else "**not met**"])


def version_of(command, pattern):
    path = shutil.which(command[0])
    if path is None:
        return None
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, said.stdout + said.stderr)
    return found.group(1) if found else None


def machine(agent):
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0],
        "versions": {
            "apiquota": version_of([str(agent), "--version"], r"apiquota (\S.*)"),
            "nginx": version_of(["nginx", "-v"], r"nginx/(\S+)"),
            "haproxy": version_of(["haproxy", "-v"], r"version (\S+)"),
            "wrk": version_of(["wrk", "-v"], r"wrk (\S+)"),
            "openssl": version_of(["openssl", "version"], r"OpenSSL (\S+)"),
        },
    }


def print_machine(facts):
    print("machine: {cpu}, {cores} cores, Linux {kernel}, load {load:.1f} at the start".format(**facts))
    print("versions: " + ", ".join(f"{name} {version}" for name, version in facts["versions"].items()))


def print_micro(figures):
    print("\n### Micro-benchmarks (CPU time)\n")
    print_row("benchmark", ["µs", "allocations", "bytes"])
    print("|---|---|---|---|")
    for name, row in figures.items():
        allocations = f"{row['allocations']:.1f}" if "allocations" in row else ""
        size = f"{row['bytes']:,.0f}" if "bytes" in row else ""
        print_row(name, [f"{row['cpu_ns'] / 1e3:,.2f}", allocations, size])
