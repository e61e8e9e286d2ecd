"""Bar 24b: what the upstream was asked, by outcome, is the sum of our counters: answers of every status,
throttles, resets, cut bodies, timeouts, and clients that leave before the answer, in its middle, and in the
middle of an upload."""

import collections
import concurrent.futures
import random
import socket
import struct
import time

from stand import Stand
from subject import Apiquota, FaultUpstream, settings, total, wait_until
from trust_table import Row

AGAIN = "scripts/trust accounting"
# path: (what the client sees, where it is counted: an answer's status, a failure's reason, or both)
OUTCOMES = {
    "/ok/0": ("200", "200", None), "/status/204": ("204", "204", None), "/status/401": ("401", "401", None),
    "/status/500": ("500", "500", None), "/throttle/5": ("429", "429", None), "/slow/30":
    ("200", "200", None), "/close/0": ("502", None, "closed_early"), "/reset/0":
    ("502", None, "closed_early"), "/bytes/20": ("502", None, "closed_early"), "/bad/0":
    ("502", None, "bad_response"), "/hang/0": ("504", None, "first_byte_timeout"), "/cut/50":
    ("cut", "200", "truncated"), "/cutreset/50": ("cut", "200", "truncated"),
}


def whole(data):
    head, blank, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1]) for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return blank and (not lengths or len(body) >= lengths[0])


def ask_and_stay(agent, path):
    """What the client sees: a status, or "cut"."""
    with socket.create_connection(agent.endpoint(), timeout=20) as sock:
        sock.sendall(f"GET /t{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        data = b""
        try:
            while piece := sock.recv(65536):
                data += piece
        except ConnectionError:
            return "cut"
        return data.split(b" ", 2)[1].decode() if whole(data) else "cut"


def leave(sock, how):
    """The client is gone: by a reset, or by an orderly close."""
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def leave_waiting(agent, how):
    """Gone while the upstream thinks."""
    sock = socket.create_connection(agent.endpoint(), timeout=20)
    sock.sendall(b"GET /t/later/1500 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(0.3)
    leave(sock, how)


def leave_reading(agent, how):
    """Gone when the answer has begun."""
    sock = socket.create_connection(agent.endpoint(), timeout=20)
    sock.sendall(b"GET /t/big/30000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    sock.recv(1000)
    leave(sock, how)


def leave_uploading(agent, how):
    """Gone in the middle of an upload."""
    sock = socket.create_connection(agent.endpoint(), timeout=20)
    sock.sendall(b"POST /t/ok/0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 20000)
    time.sleep(0.3)
    leave(sock, how)


class Counters:
    """Our counters and the upstream's, as of now; differences by `-`."""

    def __init__(self, agent, upstream):
        samples = agent.metrics()
        self.begun = upstream.counts().get("_begun", 0)
        self.answered = collections.Counter()
        self.failed = collections.Counter()
        self.told = collections.Counter()
        for name, labels, value in samples:
            if name == "apiquota_upstream_requests_total":
                self.answered[labels["code"]] += int(value)
            elif name == "apiquota_upstream_errors_total":
                self.failed[labels["reason"]] += int(value)
            elif name == "apiquota_proxy_requests_total":
                self.told[labels["code"]] += int(value)
        self.throttles = int(total(samples, "apiquota_throttles_total"))

    def since(self, before):
        self.begun -= before.begun
        self.throttles -= before.throttles
        for name in ("answered", "failed", "told"):
            getattr(self, name).subtract(getattr(before, name))
            setattr(self, name, +getattr(self, name))
        return self


def by_outcome(context, agent, upstream, each):
    """Every outcome `each` times, in a shuffled order, 16 at a time."""
    paths = [path for path in OUTCOMES for _ in range(each)]
    random.Random(1).shuffle(paths)
    before = Counters(agent, upstream)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        seen = list(zip(paths, pool.map(lambda path: ask_and_stay(agent, path), paths)))
    wrong = [f"{path}: the client saw {what}" for path, what in seen if what != OUTCOMES[path][0]]
    answered, failed = collections.Counter(), collections.Counter()
    for path in paths:
        _, status, reason = OUTCOMES[path]
        if status:
            answered[status] += 1
        if reason:
            failed[reason] += 1
    throttles = paths.count("/throttle/5")

    def all_counted():
        """What an answer says is counted behind it."""
        now = Counters(agent, upstream).since(before)
        sums = (sum(now.answered.values()), sum(now.failed.values()), now.throttles)
        enough = (sum(answered.values()), sum(failed.values()), throttles)
        return now if all(have >= least for have, least in zip(sums, enough)) else None

    counted = wait_until(all_counted, 5, "all are counted")
    for name, should in (("answered", answered), ("failed", failed)):
        have = getattr(counted, name)
        if name == "failed":  # a bad answer may have a closer reason, by whatever name
            other = sum(value for reason, value in have.items() if reason not in should)
            have = +collections.Counter({r: v for r, v in have.items() if r in should})
            have["bad_response"] += other
        if have != should:
            wrong.append(f"{name}: {dict(have)}, should be {dict(should)}")
    if counted.begun != len(paths):
        wrong.append(f"the upstream was asked {counted.begun} times, not {len(paths)}")
    if counted.throttles != throttles:
        wrong.append(f"{counted.throttles} throttles, not {throttles}")
    context.say(f"accounting: {len(paths)} requests of {len(OUTCOMES)} outcomes: {wrong[:4]}")
    return Row("24b", f"{len(paths)} requests of {len(OUTCOMES)} outcomes", f"{len(wrong)} differences" +
               (f": {wrong[0]}" if wrong else ""), "upstream's count = ours, for each", reproduce=AGAIN,
               passed=not wrong)


def by_leaving(context, agent, upstream, each):
    """Clients that leave: each exchange that the upstream saw is in a counter."""
    wrong, totals = [], []
    for kind in (leave_waiting, leave_reading, leave_uploading):
        before = Counters(agent, upstream)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda number: kind(agent, "reset" if number % 2 else "closed"), range(each)))
        time.sleep(2.5)  # for answers that would still come
        counted = Counters(agent, upstream).since(before)
        answered, failed = sum(counted.answered.values()), sum(counted.failed.values())
        totals.append(
            f"{kind.__doc__.rstrip('.').lower()}: {counted.begun} asked, {answered} answered + "
            f"{failed} failed"
        )
        # One that was left in the middle of its answer may be counted as answered, as left, or as both.
        least = max(answered, failed) if kind is leave_reading else answered + failed
        if not (least <= counted.begun <= answered + failed):
            wrong.append(f"{totals[-1]} {dict(counted.failed)}")
    context.say(f"accounting of those that leave: {totals}")
    return Row("24c", f"{each} clients leaving at each of 3 moments", "; ".join(totals),
               "each is in a counter", reproduce=AGAIN, passed=not wrong)


def run(context):
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        agent = Apiquota(stand.work, settings(upstream.url, "  first_byte_timeout: 3s\n"),
                         name="agent-accounts")
        return [
            by_outcome(context, agent, upstream, 6 if context.quick else 100),
            by_leaving(context, agent, upstream, 16 if context.quick else 200)
        ]
