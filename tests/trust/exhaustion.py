"""Bars 7, 13 and 23: thousands of connections and streams, bodies larger than memory, too few descriptors.
What is counted is memory per connection, and that the agent goes on, says what is wrong, and recovers."""

import resource
import socket
import time

from crowd import Crowd, raise_open_files
from good_client import Beside, ask
from stand import Stand
from subject import SANITIZED, Apiquota, FaultUpstream, settings
from slow_and_many import BIG, Subject, beside_text, well_served
from trust_table import NOT_MEASURED, Row

AGAIN = "scripts/trust exhaustion"
ASK = b"GET /t/ok/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
STREAM = b"GET /t/drip/60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
RIVALS_MAX = 1500  # their templates allow 4,096 connections, both sides together


def tree_kib(program):
    from stand import Proxy
    return Proxy("", program, 0).rss_kib()


def held(context, bar, kind, count, request, bar_kib, act):
    """Memory for each of `count` connections that sent `request`, and what others see beside them."""
    cells, passed = {}, False
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        for subject, size in many_subjects(context, stand, upstream, count):
            for url in subject.urls:
                ask(url)
            before = tree_kib(subject.program)
            with Crowd(subject.address, size, request) as crowd:
                act(crowd, 2)
                with Beside(4, subject.urls) as beside:
                    act(crowd, 4)
                each = (tree_kib(subject.program) - before) / size
                there = crowd.open()
            cells[subject.name] = f"{there} held, {each:.1f} KiB each; {beside_text(beside.figures)}"
            context.say(f"{kind}: {subject.name}: {cells[subject.name]}")
            if subject.name == "apiquota":
                passed = (there == size and (each <= bar_kib or SANITIZED)
                          and well_served(context, beside.figures))
    return Row(bar, f"{count} {kind}", cells["apiquota"], f"<= {bar_kib} KiB each, p99 <= 50 ms",
               cells.get("nginx", NOT_MEASURED), cells.get("haproxy", NOT_MEASURED), AGAIN, passed)


def many_subjects(context, stand, upstream, count):
    agent = Apiquota(stand.work, settings(upstream.url,
                                          "  clients_max: 15000\n  client_idle_timeout: 120s\n"),
                     name="agent-many")
    yield Subject("apiquota", agent, agent.endpoint()[1], agent.admin_url), count
    agent.stop()
    for name in ("nginx", "haproxy"):
        if context.has(name):
            proxy = stand.rival(name, upstream)
            yield Subject(name, proxy.program, proxy.port), min(count, RIVALS_MAX)
            proxy.stop()


def peak_row(context, bar, kind, bar_mib, load, text):
    """The agent's highest resident memory over a load, above what it had before."""
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        # An api whose bodies are read.
        read = f"  - {{name: o, exporter: openai, base_url: '{upstream.url}'}}\n"
        agent = Apiquota(stand.work, settings(upstream.url, apis=read), name="agent-peak")
        ask(agent.proxy_url + "/t/ok/0")
        ask(agent.admin_url + "/metrics")
        before = agent.kib("VmHWM")
        outcome = load(agent)
        grown = (agent.kib("VmHWM") - before) / 1024
        ours = f"+{grown:.1f} MiB at most; {outcome}"
        context.say(f"{kind}: {ours}")
        good = agent.alive() and (grown <= bar_mib
                                  or SANITIZED) and ask(agent.proxy_url + "/t/ok/0")[0] == 200
        return Row(bar, kind, ours, text, reproduce=AGAIN, passed=good)


def bomb(agent):
    """A reply of 200 MB that is 200 kB gzipped."""
    status, seconds, body = ask(agent.proxy_url + "/o/bomb/200000000", timeout=60)
    unread = agent.metric_sum("apiquota_parse_errors_total", field="body")
    return f"status {status}, {len(body)} bytes relayed in {seconds:.1f} s, {unread:.0f} counted as unread"


def big_upload(agent, size):
    """A chunked body of `size` bytes."""
    chunk = b"100000\r\n" + b"u" * 0x100000 + b"\r\n"
    with socket.create_connection(agent.endpoint(), timeout=120) as sock:
        sock.sendall(b"POST /t/ok/0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        began = time.monotonic()
        for _ in range(size // 0x100000):
            sock.sendall(chunk)
        sock.sendall(b"0\r\n\r\n")
        status = sock.recv(4096).split(b" ")[1].decode()
    return f"status {status} after {time.monotonic() - began:.1f} s"


def crowded_memory(agent, count):
    """Heads of 60 kB that never end and answers that nobody reads, at the same time."""
    heads = b"GET /t/ok/0 HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 4000)
                                                                      for n in range(15))
    with Crowd(agent.endpoint(), count, heads) as slow, Crowd(agent.endpoint(), count, BIG, 4096) as unread:
        slow.read_for(3)
        return f"{slow.open()} heads and {unread.open()} answers held"


def few_descriptors(context, count):
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        agent = Apiquota(stand.work, settings(upstream.url), name="agent-nofile",
                         prefix=("prlimit", "--nofile=256:256"))
        ask(agent.proxy_url + "/t/ok/0")
        with Crowd(agent.endpoint(), count) as crowd:
            crowd.send_all(ASK)
            crowd.read_for(1)
            began, used = time.monotonic(), agent.cpu_seconds()
            scrapes = [ask(agent.admin_url + "/metrics", timeout=5) for _ in range(3)]
            crowd.read_for(max(0, 3 - (time.monotonic() - began)))
            share = (agent.cpu_seconds() - used) / (time.monotonic() - began)
            lines = agent.log().count("\n")
        recovered = time.monotonic()
        while ask(agent.proxy_url + "/t/ok/0", timeout=5)[0] != 200 and time.monotonic() - recovered < 30:
            time.sleep(0.05)
        recovered = time.monotonic() - recovered
        scraped = sum(status == 200 for status, _, _ in scrapes)
        said = [word for word in ("descriptor", "EMFILE", "open files") if word in agent.log()]
        ours = (
            f"/metrics {scraped} of 3 ({max(s for _, s, _ in scrapes) * 1000:.0f} ms), "
            f"{100 * share:.0f} % of a core, "
            f"again after {recovered:.2f} s, {'told in the log' if said else 'not told'} ({lines} lines), "
            f"first answers {dict(list(crowd.statuses().items())[:4])}")
        context.say(f"nofile 256: {ours}")
        good = agent.alive() and scraped == 3 and share <= 0.2 and recovered <= 2 and said and lines < 60
        return Row("23", f"nofile 256, {count} clients", ours,
                   "alive, /metrics answers, CPU <= 20 %, again <= 2 s", reproduce=AGAIN, passed=bool(good))


def run(context):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 16000:
        idle = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2)
    else:
        idle = 10000
    raise_open_files()
    count, idle, size = (100, 300, 1 << 25) if context.quick else (1000, idle, 1 << 30)
    rows = [
        few_descriptors(context, 400 if context.quick else 1000),
        peak_row(context, "13", "a 200 MB gzip bomb in a reply", 4, bomb, "<= +4 MiB"),
        peak_row(context, "13b", f"a chunked upload of {size >> 20} MiB", 4, lambda a: big_upload(a, size),
                 "<= +4 MiB"),
        held(context, "7", "open event streams", count, STREAM, 64, Crowd.read_for),
        held(context, "7b", "idle keep-alive connections", idle, ASK, 16, Crowd.read_for)
    ]
    if not context.quick:
        rows.append(
            peak_row(context, "23b", "1,000 heads of 60 kB and 1,000 answers nobody reads", 110,
                     lambda agent: crowded_memory(agent, count), "in 128 MiB"))
    return rows
