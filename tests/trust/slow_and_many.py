"""Bars 5 and 6: clients that drip their heads, drip their bodies or hardly read, a thousand of each.
Everybody else is answered meanwhile, and the slow ones are cut. The same crowds at nginx and HAProxy, with
their own defaults."""

import re
import resource
import statistics
import time
from pathlib import Path

from crowd import Crowd, raise_open_files
from good_client import Beside
from stand import Stand
from subject import Apiquota, FaultUpstream, settings
from trust_table import NOT_MEASURED, Row

AGAIN = "scripts/trust slow_and_many"
HEAD = b"GET /t/ok/0 HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /t/ok/0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
BIG = b"GET /t/big/4000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
P99_MS = 50


def measured_s(context):
    return 2 if context.quick else 6


class Subject:
    """One proxy under a crowd; the agent also shows /metrics."""

    def __init__(self, name, program, port, admin_url=None):
        self.name, self.program, self.admin_url = name, program, admin_url
        self.kernel_mib = None
        self.address = ("127.0.0.1", port)
        self.urls = [f"http://127.0.0.1:{port}/t/ok/0"] + ([admin_url + "/metrics"] if admin_url else [])


def subjects(context, stand, upstream):
    """apiquota first, then the rivals that are here. The short form waits for shorter deadlines."""
    short = "  head_timeout: 4s\n" if context.quick else ""
    agent = Apiquota(stand.work, settings(upstream.url, short), name="agent-slow")
    yield Subject("apiquota", agent, agent.endpoint()[1], agent.admin_url)
    agent.stop()
    for name in ("nginx", "haproxy"):
        if context.has(name):
            proxy = stand.rival(name, upstream)
            yield Subject(name, proxy.program, proxy.port)
            proxy.stop()


def cut_text(ended, count, waited):
    if not ended:
        return f"none cut in {waited:.0f} s"
    cut = f"cut after {statistics.median(ended):.1f} s, the last after {max(ended):.1f} s"
    return cut if len(ended) == count else f"{len(ended)} of {count} {cut}"


def beside_text(figures):
    return "; ".join(f"{'/metrics' if url.endswith('/metrics') else 'others'} p99 {f['p99_ms']} ms"
                     + (f", {f['failed']} of {f['asked']} failed {f['errors']}" if f["failed"] else "")
                     for url, f in figures.items())


def well_served(context, figures):
    """In the short form only that all were answered: a loaded machine says nothing about times."""
    return all(f["failed"] == 0 and (context.quick or f["p99_ms"] <= P99_MS) for f in figures.values())


def tcp_mib():
    """Of the kernel's memory, in buffers of TCP, all programs together."""
    pages = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)[1]
    return int(pages) * resource.getpagesize() // 2**20


def under(crowd, subject, act, measured, wait):
    """What the others saw while `act(seconds)` keeps the crowd busy, and who was cut within `wait`."""
    if crowd.receive_buffer:
        before = tcp_mib()
        act(8)  # filling everybody's buffers keeps the upstream busy, which is not what is measured
        subject.kernel_mib = tcp_mib() - before
    with Beside(measured, subject.urls) as beside:
        act(measured)
    act(max(0, crowd.began + wait - time.monotonic()))
    return beside.figures, list(crowd.ended.values())


def phase(context, kind, count, first_bytes, limit, wait, receive_buffer=None):
    """One line: `kind` (what the crowd does), at every subject."""
    cells = {}
    passed = False
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        for subject in subjects(context, stand, upstream):
            with Crowd(subject.address, count, first_bytes, receive_buffer) as crowd:
                act = crowd.sip if receive_buffer else lambda seconds: crowd.drip(b"a", 1, seconds)
                figures, ended = under(crowd, subject, act, measured_s(context), wait)
            there = len(crowd.received)
            cells[subject.name] = f"{beside_text(figures)}; {cut_text(ended, there, wait)}"
            if subject.kernel_mib is not None:
                cells[subject.name] += f"; the kernel holds {subject.kernel_mib} MiB"
            if there < count:
                cells[subject.name] += f" ({crowd.refused} refused)"
            if subject.name == "apiquota":
                in_time = len(ended) == there and max(ended, default=0) <= limit + 1
                passed = well_served(context, figures) and in_time and subject.program.process.poll() is None
            context.say(f"{kind}: {subject.name}: {cells[subject.name]}")
    return cells, passed


def line(bar, kind, count, bar_text, measured):
    cells, passed = measured
    return Row(bar, f"{count} {kind}", cells["apiquota"], bar_text, cells.get("nginx", NOT_MEASURED),
               cells.get("haproxy", NOT_MEASURED), AGAIN, passed)


def admin_side(context, count):
    """Dripping heads at the port that serves /metrics: whoever scrapes must not notice."""
    with Stand(context) as stand:
        agent = Apiquota(stand.work, settings(FaultUpstream(stand.work).url), name="agent-admin")
        subject = Subject("apiquota", agent, agent.endpoint()[1], agent.admin_url)
        with Crowd(agent.endpoint("admin"), count,
                   b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") as crowd:
            with Beside(measured_s(context), subject.urls) as beside:
                crowd.drip(b"a", 1, measured_s(context))
        text = beside_text(beside.figures) + (f" ({crowd.refused} refused)" if crowd.refused else "")
        context.say(f"heads at the admin side: {text}")
        return Row("5b", f"{count} dripping heads at the admin side", text, f"p99 <= {P99_MS} ms, 0 failed",
                   reproduce=AGAIN, passed=well_served(context, beside.figures))


def run(context):
    raise_open_files()
    count = 200 if context.quick else 1000
    bar = f"p99 <= {P99_MS} ms, cut in "
    wait = 10 if context.quick else 12
    rows = [
        line("5", "dripping request heads", count, bar + "10 s",
             phase(context, "heads", count, HEAD, wait - 2, wait)),
        admin_side(context, count)
    ]
    if context.quick:
        return rows
    return rows + [
        line("6", "request bodies at 1 byte/s", count, bar + "30 s",
             phase(context, "bodies", count, BODY, 30, 36)),
        line("6b", "readers at 1 byte/s", count, bar + "30 s",
             phase(context, "readers", count, BIG, 30, 36, receive_buffer=4096)),
    ]
