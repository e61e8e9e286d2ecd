"""Bar 22 and the faults of upstreams: a reset at every byte of an answer and of a request, names that fail
or hang. Nothing is ever sent twice, nothing cut looks whole, nobody else waits."""

import socket
import time

from fault_upstream import SHORT, SHORT_BODY
from good_client import Beside, ask
from slow_and_many import beside_text, well_served
from stand import Stand
from subject import Apiquota, FaultUpstream, Faults, settings
from trust_table import Row

AGAIN = "scripts/trust upstream_faults"
HEAD_SIZE = SHORT.index(b"\r\n\r\n") + 4
REQUESTS = {"GET": b"", "POST": b'{"a":1}'}


def exchange(agent, method, path, timeout=10):
    """(bytes until the end, how it ended): "reset", "closed" or "hung"."""
    body = REQUESTS[method]
    data = b""
    with socket.create_connection(agent.endpoint(), timeout=timeout) as sock:
        sock.sendall(b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                     % (method.encode(), path.encode(), len(body), body))
        try:
            while piece := sock.recv(65536):
                data += piece
        except ConnectionError:
            return data, "reset"
        except TimeoutError:
            return data, "hung"
    return data, "closed"


def looks_whole(data):
    """The status, if `data` is a response that a client takes for complete; else None."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return None
    lengths = [
        int(line.split(b":")[1]) for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return int(head.split(b" ")[1]) if lengths and len(body) == lengths[0] else None


def wrong_answer(size, data, end):
    """Why this can't be what a client gets when the answer ended after `size` bytes; None if all is well."""
    status = looks_whole(data)
    if end == "hung":
        return f"{size}: hung"
    if size >= len(SHORT):
        return None if status == 200 and data.endswith(
            SHORT_BODY) else f"{size}: {data[:40]!r} for a whole answer"
    if size < HEAD_SIZE:
        return None if status == 502 else f"{size}: {status} for half a head ({data[:40]!r})"
    return f"{size}: a cut answer looks whole ({status})" if status is not None else None


def cut_answers(context, agent, upstream, step):
    wrong, asked = [], 0
    before = upstream.counts()
    for method in REQUESTS:
        for size in range(0, len(SHORT) + 1, step):
            wrong += filter(None, [wrong_answer(size, *exchange(agent, method, f"/t/bytes/{size}"))])
            asked += 1
    again = upstream.counts()["_begun"] - before.get("_begun", 0) - asked
    told = agent.metric_sum("apiquota_upstream_errors_total")
    should = len(REQUESTS) * len(range(0, len(SHORT), step))
    ours = f"{asked} cuts: {len(wrong)} wrong, {again} sent again, {told:.0f} of {should} counted"
    context.say(f"answers reset at every byte: {ours} {wrong[:3]}")
    return Row("22", "an answer reset at every byte", ours, "0 wrong, 0 sent again, each counted",
               reproduce=AGAIN, passed=not wrong and again == 0 and told == should)


def cut_requests(context, agent, upstream, step):
    wrong, asked = [], 0
    exchange(agent, "GET", "/t/close/0")  # no pooled connection is left
    before = upstream.counts()["_connections"]
    for method in REQUESTS:
        for size in range(1, 260, step):
            upstream.reset_after(size)
            data, end = exchange(agent, method, "/t/ok/0")
            asked += 1
            if end == "hung" or looks_whole(data) not in (200, 502):
                wrong.append(f"{size}: {end} {data[:40]!r}")
            if looks_whole(data) == 200:
                break  # the request is shorter than this
        time.sleep(0.05)  # a pool that was let down lets a connection rest before its next request
        exchange(agent, method, "/t/close/0")
    # One connection for each plan, one for each request, and one for asking.
    again = upstream.counts()["_connections"] - before - 2 * asked - 1
    ours = f"{asked} cuts: {len(wrong)} wrong, {again} sent again"
    context.say(f"requests reset at every byte: {ours} {wrong[:3]}")
    return Row("22b", "a request reset at every byte", ours, "0 wrong, 0 sent again", reproduce=AGAIN,
               passed=not wrong and again == 0)


def names(context, seconds):
    """Apis whose names fail, then some whose names hang, beside one whose name is a number. Each phase has
    names of its own: what was found once is remembered for a while."""
    with Stand(context) as stand:
        upstream, faults = FaultUpstream(stand.work), Faults(stand.work)
        apis = "".join(f"  - {{name: {n}, exporter: generic, base_url: 'http://{n}.test:{upstream.port}'}}\n"
                       for n in ("one", "two", "hang-a", "hang-b", "hang-c", "five"))
        agent = Apiquota(stand.work, settings(upstream.url, apis=apis), name="agent-names",
                         environment=faults.environment)
        faults.set(names=Faults.NAMES_FAIL)
        failing = [ask(f"{agent.proxy_url}/{n}/ok/0")[:2] for n in ("one", "two")]
        faults.set(names=Faults.NAMES_HANG)
        waiting = [start(agent, f"/{n}/ok/0") for n in ("hang-a", "hang-b", "hang-c") for _ in range(20)]
        time.sleep(0.2)
        other, other_s, _ = ask(f"{agent.proxy_url}/five/ok/0")
        with Beside(seconds, [agent.proxy_url + "/t/ok/0", agent.admin_url + "/metrics"]) as beside:
            began = time.monotonic()
            hanging = [answer(sock, 15) for sock in waiting]
            hung_s = time.monotonic() - began
        threads = agent.threads()
        faults.set(names=Faults.NAMES_WORK)
        recovered = [
            ask(f"{agent.proxy_url}/{n}/ok/0")[0] for n in ("one", "two", "hang-a", "hang-b", "hang-c")
        ]
        ours = (f"failing: {sorted({s for s, _ in failing})} in {max(t for _, t in failing):.2f} s; hanging: "
                f"{sorted(set(hanging))} in {hung_s:.1f} s, {threads} threads; another name {other} "
                f"in {other_s:.2f} s; {beside_text(beside.figures)}; then {recovered}")
        context.say(f"names: {ours}")
        good = (other == 200 and other_s <= (4 if context.quick else 1) and {s
                                                   for s, _ in failing} == {502}
                and set(hanging) <= {502, 504} and recovered == [200] * 5
                and well_served(context, beside.figures))
        return Row("21b", "names that fail, and names that hang", ours,
                   "502/504 in <= 10 s, others served, then 200", reproduce=AGAIN, passed=good
                   and hung_s <= 10)


def start(agent, path):
    sock = socket.create_connection(agent.endpoint(), timeout=15)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return sock


def answer(sock, seconds):
    """The status that came; 0 if none did within `seconds`."""
    with sock:
        sock.settimeout(seconds)
        try:
            return int(sock.recv(4096).split(b" ")[1])
        except (OSError, IndexError):
            return 0


def run(context):
    step = 7 if context.quick else 1
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        agent = Apiquota(stand.work, settings(upstream.url, "  loops: 1\n"))  # one pool of connections
        rows = [cut_answers(context, agent, upstream, step), cut_requests(context, agent, upstream, step)]
        assert agent.alive(), agent.log()[-2000:]
    return [*rows, names(context, 3 if context.quick else 8)]
