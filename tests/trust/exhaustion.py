"""Bars 7 and 23: thousands of connections and streams, too few descriptors, little memory. What is counted
is memory per connection, and that the agent goes on, says what is wrong, and recovers."""

import time

from crowd import Crowd, raise_open_files
from good_client import Beside, ask
from stand import Proxy, Stand
from subject import SANITIZED, Apiquota, FaultUpstream, settings
from slow_and_many import BIG, Subject, beside_text, well_served
from trust_table import NOT_MEASURED, Row

AGAIN = "scripts/trust exhaustion"
ASK = b"GET /t/ok/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
STREAM = b"GET /t/drip/60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
RIVALS_MAX = 1500  # their templates allow 4,096 connections, both sides together


def tree_kib(program):
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


def crowded_memory(context, count):
    """Half of `count` clients send heads of 60 kB that never end, the others never read their answers."""
    heads = b"GET /t/ok/0 HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 4000)
                                                                      for n in range(15))
    with Stand(context) as stand:
        agent = Apiquota(stand.work, settings(FaultUpstream(stand.work).url), name="agent-crowded")
        half = count // 2
        with Crowd(agent.endpoint(), half, heads) as slow, Crowd(agent.endpoint(), half, BIG, 4096) as unread:
            slow.read_for(3)
            held_now = f"{slow.open()} heads and {unread.open()} answers held"
        peak = agent.kib("VmHWM") / 1024
        served = ask(agent.proxy_url + "/t/ok/0")[0]
        ours = f"at most {peak:.0f} MiB with {held_now}, then {served}"
        context.say(f"crowded memory: {ours}")
        return Row("23b", f"{half} heads of 60 kB and {half} answers nobody reads", ours, "<= 128 MiB",
                   reproduce=AGAIN, passed=served == 200 and (peak <= 128 or SANITIZED))


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
        idle = context.quick or share <= 0.2
        good = agent.alive() and scraped == 3 and idle and recovered <= (10 if context.quick else
                                                                         2) and said and lines < 60
        return Row("23", f"nofile 256, {count} clients", ours,
                   "alive, /metrics answers, CPU <= 20 %, again <= 2 s", reproduce=AGAIN, passed=bool(good))


def run(context):
    idle = min(10000, raise_open_files() // 2)
    count, idle = (100, 300) if context.quick else (1000, idle)
    rows = [
        few_descriptors(context, 400 if context.quick else 1000),
        held(context, "7", "open event streams", count, STREAM, 64, Crowd.read_for),
        held(context, "7b", "idle keep-alive connections", idle, ASK, 16, Crowd.read_for)
    ]
    return rows if context.quick else [*rows, crowded_memory(context, count)]
