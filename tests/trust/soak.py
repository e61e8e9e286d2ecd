"""Bar 24: half an hour (--minutes) of a thousand requests a second with faults among them, reloads and
scrapes: memory has no slope, descriptors and threads are as many at the end as at the beginning."""

import collections
import random
import threading
import time

from accounting import OUTCOMES, ask_and_stay, leave_reading, leave_uploading, leave_waiting
from good_client import ask
from raw_http import Client
from stand import Stand
from subject import SANITIZED, Apiquota, FaultUpstream, settings
from trust_table import Row

AGAIN = "scripts/trust soak --minutes {}"
RATE, THREADS = 1000, 16
FAULT_SHARE = 0.05
SLOPE_MIB_H = 0.5
ASK = b"GET /t/ok/0 HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: key-%d\r\n\r\n"


class Load:
    """THREADS clients that share RATE; most ask again and again, some meet a fault or are one."""

    def __init__(self, agent):
        self.agent = agent
        self.stopped = threading.Event()
        self.done = collections.Counter()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.client, args=(number, )) for number in range(THREADS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def client(self, number):
        luck = random.Random(number)
        due = time.monotonic()
        connection = None
        while not self.stopped.is_set():
            due += THREADS / RATE
            self.stopped.wait(max(0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1)  # what a slow moment cost is not made up for
            try:
                if luck.random() < FAULT_SHARE:
                    connection = connection and connection.sock.close(
                    )  # it would be idle for too long meanwhile
                    kind = self.fault(luck)
                else:
                    connection = connection or Client(self.agent.proxy_url)
                    connection.send(ASK % luck.randrange(500))
                    kind = "ok" if connection.response().status == 200 else "wrong"
            except Exception as error:  # noqa: BLE001
                connection, kind = None, f"lost: {type(error).__name__} {error}"
            with self.lock:
                self.done[kind] += 1

    def fault(self, luck):
        if luck.random() < 0.1:
            luck.choice((leave_waiting, leave_reading, leave_uploading))(self.agent, "reset")
            return "left"
        path = luck.choice([path for path in OUTCOMES if path != "/hang/0" or luck.random() < 0.1])
        seen = ask_and_stay(self.agent, path)
        return "fault" if seen == OUTCOMES[path][0] else f"wrong after {path}: {seen}"


def slope(samples):
    """(per hour, its standard error) of [(seconds, value)] by least squares."""
    n = len(samples)
    mean_x, mean_y = sum(x for x, _ in samples) / n, sum(y for _, y in samples) / n
    spread = sum((x - mean_x)**2 for x, _ in samples)
    per_second = sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread
    left = sum((y - mean_y - per_second * (x - mean_x))**2 for x, y in samples)
    return 3600 * per_second, 3600 * (left / max(1, n - 2) / spread)**0.5


def by_fifths(samples):
    """The mean of each fifth of the run: a leak goes on, a warming-up does not."""
    values = [value for _, value in samples]
    parts = [values[len(values) * i // 5:len(values) * (i + 1) // 5] for i in range(5)]
    return ", ".join(f"{sum(part) / len(part):.1f}" for part in parts if part)


def at_rest(agent):
    """Descriptors and threads when nobody asks."""
    time.sleep(4)  # idle connections are closed after 2 s
    return agent.descriptors(), agent.threads()


def run(context):
    minutes = 0.2 if context.quick else context.minutes
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        timeouts = "  first_byte_timeout: 3s\n  client_idle_timeout: 2s\n  pool_idle_timeout: 2s\n"
        agent = Apiquota(stand.work, settings(upstream.url, timeouts, rest="state: {file: state.json}\n"),
                         name="agent-soak")
        with Load(agent):  # everything has been met once
            time.sleep(3 if context.quick else 30)
            ask(agent.admin_url + "/metrics")
        before = at_rest(agent)
        samples, began = [], time.monotonic()
        with Load(agent) as load:
            while time.monotonic() - began < 60 * minutes and agent.alive():
                time.sleep(1 if context.quick else 5)
                samples.append((time.monotonic() - began, agent.kib() / 1024))
                ask(agent.admin_url + "/metrics")
                if len(samples) % 6 == 0:
                    agent.hang_up()
        seconds = time.monotonic() - began
        after = at_rest(agent)
    per_hour, error = slope(samples[len(samples) // 2:])
    asked = sum(load.done.values())
    bad = {kind: count for kind, count in load.done.items() if kind not in ("ok", "fault", "left")}
    ours = (
        f"{asked} requests in {seconds / 60:.1f} min ({asked / seconds:.0f}/s), RSS {by_fifths(samples)} "
        f"MiB, slope {per_hour:+.2f} ± {2 * error:.2f} MiB/h, descriptors and threads "
        f"{before} then {after}, {sum(bad.values())} wrong")
    context.say(f"soak: {ours} {dict(list(bad.items())[:5])}")
    flat = after[1] == before[1] and abs(after[0] - before[0]) <= 2
    steady = context.quick or SANITIZED or per_hour - 2 * error <= SLOPE_MIB_H
    return [
        Row("24", f"{minutes:g} minutes with faults", ours,
            f"slope <= {SLOPE_MIB_H} MiB/h, descriptors, threads flat",
            reproduce=AGAIN.format(f"{minutes:g}"), passed=not bad and flat and steady)
    ]
