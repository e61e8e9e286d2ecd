#!/usr/bin/env python3
"""Requests per second of apiquota beside nginx and HAProxy, in paired rounds: each round puts the same load
on every proxy for the same time, in alternating order, and only ratios within a round are compared. The load
stays on the loopback and is bounded in time."""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from subjects import ask, completion_body, make_certificate, start_subject, start_upstream

RIVAL = "nginx"
UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def run_wrk(port, path, connections, seconds):
    output = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "10s",
            "--latency",
            f"http://127.0.0.1:{port}{path}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    trouble = re.search(r"(Non-2xx.*|Socket errors.*)", output)
    if trouble:
        raise SystemExit(f"wrk at port {port}: {trouble.group()}")
    lines = re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", output, re.MULTILINE)
    latency = {percent: float(value) * UNITS_MS[unit] for percent, value, unit in lines}
    return {
        "requests": int(re.search(r"(\d+) requests in", output).group(1)),
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "p50_ms": latency["50"],
        "p99_ms": latency["99"],
    }


def measure(subject, connections, seconds):
    before = subject.cpu_seconds()
    cell = run_wrk(subject.port, subject.path, connections, seconds)
    cell["cpu_us"] = (subject.cpu_seconds() - before) * 1e6 / cell["requests"]
    return cell


def check_answers(subjects):
    """All of them must do the same work: the same body, the same limit headers."""
    for subject in subjects:
        status, headers, body = ask(subject.port, subject.path)
        limits = sorted(name for name in headers if name.startswith("x-ratelimit-"))
        if (status, body, len(limits)) != (200, completion_body(), 5):
            said = f"{subject.name} answers {status} with {len(limits)} limit headers: {body[:200]}"
            raise SystemExit(f"{said}\n{subject.log.read_text()[-2000:]}")


def check_counted(agent, sent):
    """The agent's own count and reading: nothing was switched off to be fast."""
    page = ask(agent.admin_port, "/metrics")[2]
    samples = re.findall(r"^apiquota_upstream_requests_total\{.*\} (\S+)$", page, re.MULTILINE)
    counted = sum(map(float, samples))
    reading = re.search(r'^apiquota_quota_remaining\{.*quota="tokens".*\} (\S+)$', page, re.MULTILINE)
    if counted < sent or reading is None or float(reading.group(1)) != 1999744:
        raise SystemExit(f"apiquota counted {counted:.0f} of {sent} requests; its reading: {reading}")


def run_rounds(subjects, options, connections):
    for subject in subjects:
        run_wrk(subject.port, subject.path, connections, 1)  # warm: connections open, buffers grown
    rounds = []
    for number in range(options.rounds):
        order = subjects if number % 2 == 0 else subjects[::-1]
        rounds.append({subject.name: measure(subject, connections, options.seconds) for subject in order})
    return rounds


def medians(rounds, names):
    table = {}
    for name in names:
        row = {
            key: statistics.median(one[name][key] for one in rounds)
            for key in ("rps", "cpu_us", "p50_ms", "p99_ms")
        }
        row["ratio"] = statistics.median(one[name]["rps"] / one[RIVAL]["rps"] for one in rounds)
        table[name] = row
    return table


def print_row(head, cells):
    print(f"| {head} | " + " | ".join(cells) + " |", flush=True)


def print_rounds(title, rounds, names, summary):
    rows = [summary[name] for name in names]
    print(f"\n{title}\n")
    print_row("round", [f"{name} req/s (ratio)" for name in names])
    print("|---" * (len(names) + 1) + "|")
    for number, one in enumerate(rounds, 1):
        print_row(number, [f"{one[n]['rps']:,.0f} ({one[n]['rps'] / one[RIVAL]['rps']:.2f})" for n in names])
    print_row("**median**", [f"{row['rps']:,.0f} (**{row['ratio']:.2f}**)" for row in rows])
    print_row("CPU µs/request", [f"{row['cpu_us']:.1f}" for row in rows])
    print_row("p50 / p99 ms", [f"{row['p50_ms']:.2f} / {row['p99_ms']:.2f}" for row in rows])
    print_row("resident MiB", [f"{row['resident_mib']:.0f}" for row in rows])


def run_upstream_kind(tls, options, folder, ports):
    """All connection counts against the plain or the TLS upstream."""
    results, subjects = [], []
    try:
        for name in options.subjects:
            subjects.append(start_subject(name, tls, ports, options.workers, folder, options.agent))
            subjects[-1].path = "/bench/v1/chat/completions"
        check_answers(subjects)
        for connections in options.connections:
            rounds = run_rounds(subjects, options, connections)
            summary = medians(rounds, options.subjects)
            for subject in subjects:
                summary[subject.name]["resident_mib"] = subject.resident_mib()
                if subject.name == "apiquota":
                    check_counted(subject, sum(one["apiquota"]["requests"] for one in rounds))
            kind = "TLS 1.3" if tls else "plain"
            title = (
                f"{kind} upstream, {connections} connections, {options.rounds} rounds of "
                f"{options.seconds} s, {options.workers} worker(s) each"
            )
            print_rounds(title, rounds, options.subjects, summary)
            results.append(
                {"upstream": kind, "connections": connections, "rounds": rounds, "median": summary}
            )
    finally:
        for subject in subjects:
            subject.stop()
    return results


def machine():
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "time": now,
    }


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="of load per proxy and round (default 2)")
    parser.add_argument("--connections", default="32", help="of the client; several as 1,32,256 (default 32)")
    parser.add_argument("--workers", type=int, default=1, help="loops or threads of each proxy (default 1)")
    parser.add_argument("--subjects", default="nginx,haproxy,apiquota", help="who takes part, with nginx")
    parser.add_argument("--plain", action="store_true", help="only the plain upstream")
    parser.add_argument("--tls", action="store_true", help="only the TLS upstream")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--agent", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.connections = [int(count) for count in options.connections.split(",")]
    options.subjects = options.subjects.split(",")
    options.upstreams = [False, True] if options.plain == options.tls else [options.tls]
    if RIVAL not in options.subjects or not set(options.subjects) <= {"nginx", "haproxy", "apiquota"}:
        parser.error("--subjects are nginx (always), haproxy, apiquota")
    if not (1 <= options.rounds <= 50 and 1 <= options.seconds <= 60):
        parser.error("rounds are 1 to 50, seconds 1 to 60")
    return options


def main():
    options = parse_arguments()
    report = {"machine": machine(), "results": []}
    print("machine: {cpu}, {cores} cores, Linux {kernel}".format(**report["machine"]))
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers drop to another user
        make_certificate(folder)
        upstream, ports = start_upstream(folder)
        try:
            for tls in options.upstreams:
                report["results"] += run_upstream_kind(tls, options, folder, ports)
        finally:
            upstream.stop()
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
