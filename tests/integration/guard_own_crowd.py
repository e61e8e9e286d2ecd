"""A million addresses before a limit that is counted by address: what they take of memory and of series, and
what another client notices of them. guard_own_limits_test.py runs it short, scripts/bench guard whole.

python3 guard_own_crowd.py HOST PORT FIRST COUNT SAME      asks for COUNT addresses, or as often for SAME ones
"""

import ipaddress
import json
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from guard_own_flask import Step, ask, limiting_agent
from guarding import percentile
from harness import get, parse_metrics

PIPELINED = 100
FIRST = int(ipaddress.ip_address("20.0.0.0"))
LIMITED = [
    "guard:",
    "  limits: [{name: each, by: [address], limit: 100000, window: 10m}]",
]


def pipelined(host, port, first, count, same):
    """{status: how many}: requests of `count` addresses from `first` on, as a trusted proxy sends them."""
    found = {}
    with socket.create_connection((host, port), timeout=60) as sock:
        for start in range(0, count, PIPELINED):
            numbers = range(start, min(start + PIPELINED, count))
            addresses = [ipaddress.ip_address(FIRST + first + (n % same if same else n)) for n in numbers]
            block = "".join(
                f"GET /demo/x HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n\r\n"
                for address in addresses
            )
            sender = threading.Thread(target=sock.sendall, args=(block.encode(),))
            sender.start()
            text, answered = b"", 0
            while answered < len(numbers):
                piece = sock.recv(1 << 18)
                if not piece:
                    return {**found, "ended": 1}
                text += piece
                answered = text.count(b"HTTP/1.1 ")
            while not whole(text[text.rindex(b"HTTP/1.1 ") :]):
                text += sock.recv(1 << 16)
            sender.join()
            for status in re.findall(rb"HTTP/1.1 (\d+)", text):
                found[int(status)] = found.get(int(status), 0) + 1
    return found


def whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def memory_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024


def series(agent):
    """Every series but those of the process itself."""
    status, _, body = get(agent.admin + "/metrics")
    assert status == 200
    return {(name, *sorted(labels.items())) for name, labels, _ in parse_metrics(body.decode())}


class Probe:
    """Another client, with an address of its own: one request each 5 ms, on kept connections."""

    def __init__(self, url):
        self.url, self.times, self.stopping = url, [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        host, port = self.url.removeprefix("http://").split(":")
        request = b"GET /demo/x HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
        with socket.create_connection((host, int(port)), timeout=30) as sock:
            while not self.stopping.wait(0.005):
                began = time.monotonic()
                sock.sendall(request)
                got = b""
                while b"\r\n\r\n" not in got:
                    got += sock.recv(65536)
                self.times.append(time.monotonic() - began)

    def stop(self):
        self.stopping.set()
        self.thread.join()
        return {
            "p50_ms": 1000 * percentile(self.times, 0.5),
            "p99_ms": 1000 * percentile(self.times, 0.99),
            "longest_ms": 1000 * max(self.times),
            "asked": len(self.times),
        }


def send_crowd(agent, first, count, same=0, connections=4):
    """From programs of their own, so that the probe has this one for itself."""
    host, port = agent.proxy.removeprefix("http://").split(":")
    share = count // connections
    programs = [
        subprocess.Popen(
            [sys.executable, "-B", __file__, host, port, str(first + number * share), str(share), str(same)],
            stdout=subprocess.PIPE,
        )
        for number in range(connections)
    ]
    found = {}
    for program in programs:
        said, _ = program.communicate(timeout=600)
        for status, count_of in json.loads(said).items():
            found[status] = found.get(status, 0) + count_of
    return found


def read_pages(agent, seconds, lasting):
    """What walks over all that is held, again and again; into `seconds`: the longest that each page took."""
    end = time.monotonic() + lasting
    while time.monotonic() < end:
        for page in ("/metrics", "/api/v1/guard"):
            began = time.monotonic()
            status, _, body = get(agent.admin + page, timeout=60)
            assert status == 200, (page, status, body[:200])
            seconds[page] = max(seconds.get(page, 0), time.monotonic() - began)


def crowd(work, upstream, addresses, loops=4, settings=LIMITED):
    """`upstream` answers without a body. Figures of memory in MiB, of another client in milliseconds."""
    agent = limiting_agent(work, upstream, settings, loops=loops, name="crowd")
    one = ask(agent.proxy + "/demo", Step(0, "/x"), "9.9.9.9").status
    send_crowd(agent, 9_000_000, 8000, same=100)  # buffers and threads have their size
    time.sleep(0.5)
    series_before, before = series(agent), memory_mib(agent.pid)

    def probed(load):
        probe, began = Probe(agent.proxy), time.monotonic()
        statuses = load()
        return {**probe.stop(), "statuses": statuses, "seconds": time.monotonic() - began}

    figures = {"first": one, "addresses": addresses, "mib_before": before}
    figures["alone"] = probed(lambda: time.sleep(3))
    lasting = min(5, max(0.5, addresses / 200_000))
    figures["pages_few"] = probed(lambda: read_pages(agent, {}, lasting))
    # As many requests of so few addresses that the table stays small; each is served.
    figures["few"] = probed(lambda: send_crowd(agent, 5_000_000, addresses, same=max(100, addresses // 80)))
    figures["mib_few"] = memory_mib(agent.pid)
    figures["many"] = probed(lambda: send_crowd(agent, 0, addresses))
    figures["mib_many"] = memory_mib(agent.pid)
    figures["again"] = probed(lambda: send_crowd(agent, addresses, addresses))
    figures["mib_again"] = memory_mib(agent.pid)
    figures["pages_s"] = {}
    figures["pages"] = probed(lambda: read_pages(agent, figures["pages_s"], lasting))
    figures["new_series"] = sorted(name[0] for name in series(agent) - series_before)
    agent.stop()
    return figures


if __name__ == "__main__":
    HOST, PORT, *NUMBERS = sys.argv[1:]
    print(json.dumps(pipelined(HOST, int(PORT), *map(int, NUMBERS))))
