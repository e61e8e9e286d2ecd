"""A well-behaved client that measures, as a program of its own so that nobody else's work is in its figures.

    good_client.py SECONDS EVERY_MS URL…      each URL in turn on a new connection; prints one line of JSON:
                                       {url: {"asked", "failed", "p50_ms", "p99_ms", "max_ms", "errors"}}

    with Beside(seconds, urls) as beside:     the same from Python, while the block runs: beside.figures
"""

import json
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path


def ask(url, timeout=15, headers=""):
    """(status or None, seconds, body or the error): one GET on a connection of its own, read to its end."""
    parts = urllib.parse.urlsplit(url)
    began = time.monotonic()
    data = b""
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as sock:
            sock.sendall(
                f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}Connection: close\r\n\r\n".
                encode())
            while piece := sock.recv(262144):
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), time.monotonic() - began, body
    except (OSError, IndexError, ValueError) as error:
        return None, time.monotonic() - began, f"{type(error).__name__}: {error}".encode()


def quantile(values, share):
    """The value below which `share` of them lie; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def measure(seconds, every, urls):
    took, errors = {url: [] for url in urls}, {url: [] for url in urls}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for url in urls:
            status, spent, body = ask(url)
            took[url].append(spent)
            if status != 200:
                errors[url].append(f"{status} {body[:80]!r}")
        time.sleep(every)
    return {
        url: {
            "asked": len(took[url]), "failed": len(errors[url]), "p50_ms":
            round(1000 * quantile(took[url], 0.5), 2), "p99_ms": round(1000 * quantile(took[url], 0.99), 2),
            "max_ms": round(1000 * max(took[url]), 2), "errors": sorted(set(errors[url]))[:3]
        }
        for url in urls
    }


class Beside:

    def __init__(self, seconds, urls, every=0.02):
        self.command = [sys.executable, Path(__file__), seconds, 1000 * every, *urls]
        self.limit = seconds + 60

    def __enter__(self):
        self.process = subprocess.Popen(list(map(str, self.command)), stdout=subprocess.PIPE)
        return self

    def __exit__(self, error_type, *_):
        if error_type is not None:
            self.process.kill()
        try:
            out, _ = self.process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
        self.figures = json.loads(out) if out else {}


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]), float(sys.argv[2]) / 1000, sys.argv[3:])))
