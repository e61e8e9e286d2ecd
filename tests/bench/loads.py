"""The loads: wrk's requests, 2,000 streams, and scrapes of a full agent. Each is bounded in time and returns
plain figures."""

import gzip
import http.client
import json
import re
import subprocess
import threading
import time

from subjects import ask

UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
PATH = "/v1/chat/completions"


def run_wrk(subject, connections, seconds, script=None):
    """Requests as fast as one thread of wrk can have them, over kept-alive connections; GETs, unless a script
    in Lua says otherwise."""
    url = f"http://127.0.0.1:{subject.port}{subject.prefix}{PATH}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", url]
    command[-1:-1] = ["-s", str(script)] if script else []
    before = subject.cpu_seconds()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu = subject.cpu_seconds() - before
    trouble = re.search(r"(Non-2xx.*|Socket errors.*)", output)
    if trouble:
        raise SystemExit(f"wrk at {subject.name}: {trouble.group()}")
    lines = re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", output, re.MULTILINE)
    latency = {percent: float(value) * UNITS_MS[unit] for percent, value, unit in lines}
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    return {
        "requests": requests,
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "p50_ms": latency["50"],
        "p99_ms": latency["99"],
        "cpu_us": cpu * 1e6 / requests,
    }


def run_streams(subject, options):
    """Streams that all live at once; lateness is from the upstream's send to the client's receive."""
    command = [
        options.stream_load,
        f"--port={subject.port}",
        f"--path={subject.prefix}/stream",
        f"--streams={options.streams}",
        f"--chunks={options.chunks}",
        "load",
    ]
    before = subject.cpu_seconds()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=120)
    cell = json.loads(done.stdout)
    if cell["chunks"] != cell["expected"]:
        raise SystemExit(f"{subject.name}: {cell['chunks']} of {cell['expected']} chunks came")
    cell["cpu_us"] = (subject.cpu_seconds() - before) * 1e6 / cell["chunks"]
    cell["peak_mib"] = subject.memory_mib("VmHWM")
    cell["kib_per_stream"] = (cell["peak_mib"] - subject.idle_mib) * 1024 / options.streams
    return cell


def fill_ledger(agent, first, last):
    """One request for each of many keys, so that each has its quotas."""
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10)
    for number in range(first, last):
        headers = {"Authorization": f"Bearer sk-{number:08d}"}
        connection.request("GET", agent.prefix + PATH, headers=headers)
        connection.getresponse().read()
    connection.close()


def scrape(agent):
    """One scrape as Prometheus does it, compressed."""
    began = time.monotonic()
    status, headers, body = ask(agent.admin_port, "/metrics", {"Accept-Encoding": "gzip"})
    took = time.monotonic() - began
    text = gzip.decompress(body).decode() if headers.get("content-encoding") == "gzip" else body.decode()
    if status != 200:
        raise SystemExit(f"/metrics answers {status}")
    series = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    return {"seconds": took, "series": series, "bytes": len(text), "sent_bytes": len(body)}


def run_scraped(agent, connections, seconds, scraped):
    """Requests, with or without a scrape in the middle of them."""
    scrapes = []

    def scrape_midway():
        time.sleep(seconds / 2)
        scrapes.append(scrape(agent))

    helper = threading.Thread(target=scrape_midway)
    if scraped:
        helper.start()
    cell = run_wrk(agent, connections, seconds)
    if scraped:
        helper.join()
        cell["scrape"] = scrapes[0]
    return cell


def run_micro(binary, names, seconds):
    """Google Benchmark's own figures: name → nanoseconds and counters."""
    output = subprocess.run(
        [
            str(binary),
            "--benchmark_format=json",
            f"--benchmark_min_time={seconds}",
            f"--benchmark_filter={names}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    scale = {"ns": 1, "us": 1e3, "ms": 1e6}
    known = ("allocations", "bytes", "lines", "items_per_second")
    return {
        run["name"]: {
            "cpu_ns": run["cpu_time"] * scale[run["time_unit"]],
            **{key: run[key] for key in known if key in run},
        }
        for run in json.loads(output)["benchmarks"]
    }
