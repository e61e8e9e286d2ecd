#!/usr/bin/env python3
"""apiquota beside nginx and HAProxy, in paired rounds: each round puts the same load on every proxy for the
same time, in alternating order, and only ratios within a round are compared. Everything is on: metrics,
header and body reading, the ledger. The load stays on the loopback and is bounded in time."""

import argparse
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

from loads import PATH, fill_ledger, run_micro, run_scraped, run_streams, run_wrk, scrape
from report import RIVAL, machine, print_bars, print_machine, print_micro, print_rounds
from subjects import Upstreams, ask, completion_body, make_certificate, start_subject

PARTS = ["requests", "streams", "scrape", "micro"]
SUBJECTS = ["direct", "nginx", "haproxy", "apiquota"]
OURS = "apiquota"


def check_answers(subjects):
    """All of them must do the same work: the same body, the same limit headers."""
    for subject in subjects:
        status, headers, body = ask(subject.port, subject.prefix + PATH)
        limits = sorted(name for name in headers if name.startswith("x-ratelimit-"))
        if (status, body.decode(), len(limits)) != (200, completion_body(), 5):
            said = f"{status} with {len(limits)} limit headers: {body[:200]}"
            raise SystemExit(f"{subject.name} answers {said}")


def check_counted(agent, sent):
    """The agent's own count and reading: nothing was switched off to be fast."""
    page = ask(agent.admin_port, "/metrics")[2].decode()
    samples = re.findall(r"^apiquota_upstream_requests_total\{.*\} (\S+)$", page, re.MULTILINE)
    counted = sum(map(float, samples))
    reading = re.search(r'^apiquota_quota_remaining\{.*quota="tokens".*\} (\S+)$', page, re.MULTILINE)
    if counted < sent or reading is None or float(reading.group(1)) != 1999744:
        raise SystemExit(f"apiquota counted {counted:.0f} of {sent} requests; its reading: {reading}")


def in_turn(subjects, number):
    return subjects if number % 2 == 0 else subjects[::-1]


def run_requests(options, folder, upstreams, tls):
    """All connection counts against the plain or the TLS upstream, every proxy up all the time."""
    results, subjects = [], []
    kind = "TLS 1.3" if tls else "plain"
    port = upstreams.tls_port if tls else upstreams.plain_port
    names = [name for name in options.subjects if not (tls and name == "direct")]
    try:
        for name in names:
            subjects.append(start_subject(name, port, tls, options, folder))
        check_answers(subjects)
        for connections in options.connections:
            for subject in subjects:
                run_wrk(subject, connections, 1)  # warm: connections open, buffers grown
            rounds = []
            for number in range(options.rounds):
                turn = in_turn(subjects, number)
                one = {subject.name: run_wrk(subject, connections, options.seconds) for subject in turn}
                rounds.append({name: one[name] for name in names})
            for subject in subjects:
                if subject.name == OURS:
                    check_counted(subject, sum(one[OURS]["requests"] for one in rounds))
            summary = print_rounds(
                f"{kind} upstream, {connections} connections, {options.seconds} s each, "
                f"{options.workers} worker(s)",
                rounds,
                ("rps", "requests/s", 0),
                [("cpu_us", "CPU µs/request", 1), ("p50_ms", "p50 ms", 3), ("p99_ms", "p99 ms", 2)],
            )
            memory = {subject.name: subject.memory_mib() for subject in subjects}
            results.append(
                {
                    "upstream": kind,
                    "connections": connections,
                    "rounds": rounds,
                    "median": summary,
                    "resident_mib": memory,
                }
            )
    finally:
        for subject in subjects:
            subject.stop()
    return results


def stream_once(name, port, tls, options, folder):
    subject = start_subject(name, port, tls, options, folder)
    try:
        subject.idle_mib = subject.memory_mib()
        return run_streams(subject, options)
    finally:
        subject.stop()


def run_stream_rounds(options, folder, upstreams, tls):
    """Each proxy afresh for each round, so that its peak of memory is the streams'."""
    kind = "TLS 1.3" if tls else "plain"
    port = upstreams.tls_port if tls else upstreams.stream_port
    names = [name for name in options.subjects if not (tls and name == "direct")]
    rounds = []
    for number in range(options.rounds):
        turn = in_turn(names, number)
        one = {name: stream_once(name, port, tls, options, folder) for name in turn}
        rounds.append({name: one[name] for name in names})
    summary = print_rounds(
        f"{options.streams:,} streams of {options.chunks} chunks, {kind} upstream",
        rounds,
        ("p99_ms", "chunk p99 ms", 2),
        [
            ("p50_ms", "p50 ms", 3),
            ("max_ms", "longest ms", 1),
            ("peak_mib", "peak memory MiB", 1),
            ("kib_per_stream", "KiB/stream", 1),
            ("cpu_us", "CPU µs/chunk", 1),
        ],
    )
    return {"upstream": kind, "streams": options.streams, "rounds": rounds, "median": summary}


def run_scrapes(options, folder, upstreams):
    """The data path's p99 with and without a scrape of 10,000 series; then one of 100,000."""
    agent = start_subject(OURS, upstreams.plain_port, False, options, folder, keys_max=10_000)
    seconds = max(4, options.seconds)
    try:
        fill_ledger(agent, 0, 370)
        run_wrk(agent, 32, 1)
        rounds = []
        for number in range(options.rounds):
            turn = in_turn(["quiet", "scraped"], number)
            rounds.append({how: run_scraped(agent, 32, seconds, how == "scraped") for how in turn})
        ratios = [one["scraped"]["p99_ms"] / one["quiet"]["p99_ms"] for one in rounds]
        small = rounds[-1]["scraped"]["scrape"]
        print(f"\n### Scrapes: {small['series']:,} series in the middle of {seconds} s at 32 connections\n")
        for one, ratio in zip(rounds, ratios, strict=True):
            took = one["scraped"]["scrape"]["seconds"] * 1e3
            quiet, scraped = one["quiet"]["p99_ms"], one["scraped"]["p99_ms"]
            print(f"- p99 {quiet:.2f} ms → {scraped:.2f} ms ({ratio:.2f}), the scrape took {took:.0f} ms")
        before = agent.memory_mib()
        fill_ledger(agent, 370, 3_700)
        full = agent.memory_mib()
        large = [scrape(agent) for _ in range(3)]
        after = agent.memory_mib()
    finally:
        agent.stop()
    took = statistics.median(one["seconds"] for one in large)
    print(
        f"- {large[0]['series']:,} series: {took * 1e3:.0f} ms, {large[0]['bytes'] / 1e6:.1f} MB, gzip "
        f"{large[0]['sent_bytes'] / 1e6:.2f} MB; resident {before:.0f} MiB → {full:.0f} → {after:.0f} MiB"
    )
    return {"rounds": rounds, "x_p99_ms": statistics.median(ratios), "large": large, "resident_mib": after}


def bars(report):
    verdicts = []
    for result in report.get("requests", []):
        ours = result["median"][OURS]
        where = f"{result['upstream']}, {result['connections']} connections"
        if result["connections"] == 1:
            verdicts.append((f"p50, {where}", ours["x_p50_ms"], 1.15, True))
        else:
            verdicts.append((f"requests/s, {where}", ours["x_rps"], 0.9, False))
        verdicts.append((f"CPU per request, {where}", ours["x_cpu_us"], 1.1, True))
    for result in report.get("streams", []):
        ours = result["median"][OURS]
        where = f"{result['streams']:,} {result['upstream']} streams"
        verdicts.append((f"peak memory, {where}", ours["x_peak_mib"], 1.0, True))
        verdicts.append((f"chunk p99, {where}", ours["x_p99_ms"], 1.1, True))
    if "scrape" in report:
        verdicts.append(("p99 with a scrape of 10,000 series", report["scrape"]["x_p99_ms"], 1.1, True))
    return verdicts


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 short rounds of less: under two minutes")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="paired rounds (default 5)")
    parser.add_argument("--seconds", type=int, help="of requests per proxy and round (default 2)")
    parser.add_argument("--connections", help="of the client (default 1,32,256)")
    parser.add_argument("--streams", type=int, help="at once (default 2000)")
    parser.add_argument("--workers", type=int, default=1, help="loops or threads of each proxy (default 1)")
    parser.add_argument("--subjects", help=f"of {','.join(SUBJECTS)}; nginx and apiquota take part always")
    parser.add_argument("--plain", action="store_true", help="only the plain upstream")
    parser.add_argument("--tls", action="store_true", help="only the TLS upstream")
    parser.add_argument("--json", type=Path, help="also write the machine and every round to this file")
    for hidden in ("--agent", "--stream-load", "--micro-bench"):
        parser.add_argument(hidden, required=True, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    quick = options.quick
    options.rounds = options.rounds or (3 if quick else 5)
    options.seconds = options.seconds or (1 if quick else 2)
    options.streams = options.streams or (500 if quick else 2000)
    options.chunks = 10 if quick else 25
    options.connections = options.connections or ("32" if quick else "1,32,256")
    options.connections = [int(count) for count in options.connections.split(",")]
    asked = (options.subjects or ("nginx,apiquota" if quick else ",".join(SUBJECTS))).split(",")
    options.subjects = [name for name in SUBJECTS if name in {*asked, RIVAL, OURS}]
    options.only = options.only.split(",")
    options.upstreams = [False, True] if options.plain == options.tls else [options.tls]
    if not set(asked) <= set(SUBJECTS) or not set(options.only) <= set(PARTS):
        parser.error(f"--subjects are of {SUBJECTS}, --only is of {PARTS}")
    if not (1 <= options.rounds <= 50 and 1 <= options.seconds <= 60 and 1 <= options.streams <= 4000):
        parser.error("rounds are 1 to 50, seconds 1 to 60, streams 1 to 4000")
    return options


def run_parts(options, folder, report):
    upstreams = Upstreams(folder, options.stream_load, [f"--chunks={options.chunks}"])
    try:
        if "requests" in options.only:
            runs = [run_requests(options, folder, upstreams, tls) for tls in options.upstreams]
            report["requests"] = [result for results in runs for result in results]
        if "streams" in options.only:
            report["streams"] = [
                run_stream_rounds(options, folder, upstreams, tls) for tls in options.upstreams
            ]
        if "scrape" in options.only:
            report["scrape"] = run_scrapes(options, folder, upstreams)
    finally:
        upstreams.stop()


def main():
    options = parse_arguments()
    report = {"machine": machine(options.agent)}
    print_machine(report["machine"])
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers drop to another user
        make_certificate(folder)
        run_parts(options, folder, report)
    if "micro" in options.only:
        report["micro"] = run_micro(options.micro_bench, ".", 0.05 if options.quick else 0.5)
        print_micro(report["micro"])
    if verdicts := bars(report):
        print_bars(verdicts)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
