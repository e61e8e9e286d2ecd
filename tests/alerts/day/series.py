"""Series of a simulated fleet, one sample a minute: quotas as the agents' ledgers show them, and counters.

Half of the requests go through each of two replicas; a quota may be watched by both. Values of None are what
Prometheus sees of a series that is not exposed.
"""

import math
import random

MINUTES = 2 * 24 * 60  # yesterday, from which baselines come, and the day that is judged
DAY = 24 * 60
REPLICAS = ("a", "b")
PEAK_BOUNDS = (0.5, 0.8, 0.9, 0.95, 0.99)


def diurnal(minute, low=0.15):
    """Between `low` at four in the morning and 1 at four in the afternoon."""
    return low + (1 - low) * (0.5 - 0.5 * math.cos(2 * math.pi * (minute / DAY - 1 / 6)))


def text(labels):
    return ",".join(f'{name}="{value}"' for name, value in labels.items() if value != "")


def number(value):
    return f"{value:.10g}" if isinstance(value, float) and not value.is_integer() else str(int(value))


def notation(values):
    """promtool's: runs are shortened, and a series that ends or pauses goes stale at once."""
    words, before = [], None
    for value in values:
        word = number(value) if value is not None else "stale" if before not in (None, "_", "stale") else "_"
        if words and words[-1][0] == word and word != "stale":
            words[-1][1] += 1
        else:
            words.append([word, 1])
        before = word
    return " ".join(word if count == 1 else f"{word}x{count - 1}" for word, count in words)


class Fleet:
    """All series by name and labels, with the moments at which a replica restarts or can't be scraped."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.series = {}
        self.restarts = {replica: set() for replica in REPLICAS}
        self.down = {replica: set() for replica in REPLICAS}

    def add(self, name, labels, values):
        self.series[f"{name}{{{text(labels)}}}"] = values

    def exposed(self, replica, labels, name, values):
        """A gauge of one replica: absent while it is down."""
        down = self.down[replica]
        labels = {"job": "apiquota", "instance": replica, **labels}
        self.add(name, labels, [None if i in down else value for i, value in enumerate(values)])

    def counted(self, replica, labels, name, increments, born=0):
        """A counter of one replica: begins again at 0 when the replica restarts; first seen at `born`."""
        total, values = 0, []
        for minute, increment in enumerate(increments):
            total = increment if minute in self.restarts[replica] else total + increment
            values.append(total if minute >= born else None)
        self.exposed(replica, labels, name, values)

    def noisy(self, value, spread=0.1):
        return value * (1 + self.random.uniform(-spread, spread))


class Quota:
    """One quota of a credential: its demand a minute, and what both replicas show of it."""

    def __init__(self, fleet, labels, limit, demand, kind="fixed", window=None, reset=True, changes=(),
                 replicas=("a",)):
        """`limit` a number or a function of the minute; `window` in minutes; `changes`: minutes in which
        the limit changed; `replicas`: who watches it."""
        self.fleet, self.labels, self.replicas = fleet, labels, replicas
        self.kind, self.window, self.reset = kind, window, reset
        self.limits = [limit(i) if callable(limit) else limit for i in range(MINUTES)]
        self.demand, self.changes = demand, set(changes)
        self.consumed = [0.0] * MINUTES
        self.refused = [0.0] * MINUTES
        self.used, self.reset_at, self.exhausted = [], [], [0] * MINUTES
        self.run()

    def run(self):
        used = 0.0
        for i in range(MINUTES):
            if self.kind == "fixed" and i % self.window == 0:
                if i and self.used[-1] is not None and self.used[-1] >= self.limits[i - 1]:
                    self.exhausted[i] = 1
                used = 0.0
            if self.kind == "sliding":
                used = sum(self.consumed[max(0, i - self.window + 1):i])
            self.consumed[i] = max(0.0, min(self.demand[i], self.limits[i] - used))
            self.refused[i] = self.demand[i] - self.consumed[i]
            used += self.consumed[i]
            self.used.append(used)
            self.reset_at.append((i // self.window + 1) * self.window * 60 if self.kind == "fixed" else None)

    def first_empty(self, since):
        """The first minute from `since` on in which nothing is left."""
        return next((i for i in range(since, MINUTES) if self.used[i] >= self.limits[i] - 1e-9), None)

    def forecast(self, i):
        """As the agent's: over a quarter of the window, from six readings on, and before the reset."""
        if self.kind != "fixed" or i < 6:
            return None
        span = min(i, max(3, self.window // 4), 360, i % self.window + 1)
        rate = sum(self.consumed[i - span + 1:i + 1]) / span if span >= 3 else 0
        if rate <= 0:
            return None
        at = i * 60 + (self.limits[i] - self.used[i]) / rate * 60
        return at if at < self.reset_at[i] else None

    def expose(self):
        window = self.window * 60 if self.window else None
        for replica in self.replicas:
            lag = REPLICAS.index(replica)  # the other's calls are seen with the next one of one's own
            used = [self.used[max(0, i - lag)] if self.kind != "fixed" or i % self.window else self.used[i]
                    for i in range(MINUTES)]
            gauges = {
                "limit": self.limits,
                "used": used,
                "remaining": [limit - have for limit, have in zip(self.limits, used)],
                "used_ratio": [have / limit for limit, have in zip(self.limits, used)],
                "observed_timestamp_seconds": [i * 60 for i in range(MINUTES)],
                "window_seconds": [window] * MINUTES,
                "reset_timestamp_seconds": self.reset_at if self.reset else [None] * MINUTES,
                "exhaustion_timestamp_seconds": [self.forecast(i) for i in range(MINUTES)],
            }
            for name, values in gauges.items():
                if any(value is not None for value in values):
                    self.fleet.exposed(replica, self.labels, f"apiquota_quota_{name}", values)
            self.fleet.exposed(replica, {**self.labels, "exporter": "generic", "kind": self.kind},
                               "apiquota_quota_info", [1] * MINUTES)
            changed = [int(i in self.changes) for i in range(MINUTES)]
            for name, increments in (("consumed", self.consumed), ("windows_exhausted", self.exhausted),
                                     ("limit_changes", changed)):
                self.fleet.counted(replica, self.labels, f"apiquota_quota_{name}_total", increments)


class ShortQuota:
    """A bucket that refills within a minute: known by the peaks of its windows, and by what is refused."""

    def __init__(self, fleet, labels, limit, demand):
        self.fleet, self.labels, self.limit, self.demand = fleet, labels, limit, demand
        self.refused = [max(0.0, want - limit) for want in demand]

    def first_empty(self, since):
        return next((i for i in range(since, MINUTES) if self.demand[i] >= self.limit), None)

    def expose(self):
        peaks = [min(1.0, want / self.limit) for want in self.demand]
        name = "apiquota_quota_window_peak_used_ratio"
        # At any moment some of the last minute has flown back.
        used = [peak * self.limit * self.fleet.random.uniform(0.2, 0.6) for peak in peaks]
        for replica in REPLICAS:
            for gauge, values in (("limit", [self.limit] * MINUTES),
                                  ("remaining", [self.limit - have for have in used]),
                                  ("used_ratio", [have / self.limit for have in used]),
                                  ("window_seconds", [60] * MINUTES),
                                  ("observed_timestamp_seconds", [i * 60 for i in range(MINUTES)]),
                                  ("reset_timestamp_seconds", [i * 60 + 60 * have / self.limit
                                                               for i, have in enumerate(used)])):
                self.fleet.exposed(replica, self.labels, f"apiquota_quota_{gauge}", values)
            for bound in PEAK_BOUNDS:
                self.fleet.counted(replica, {**self.labels, "le": bound}, f"{name}_bucket",
                                   [int(peak <= bound) for peak in peaks])
            self.fleet.counted(replica, {**self.labels, "le": "+Inf"}, f"{name}_bucket", [1] * MINUTES)
            self.fleet.counted(replica, self.labels, f"{name}_count", [1] * MINUTES)
            self.fleet.counted(replica, self.labels, "apiquota_quota_windows_exhausted_total",
                               [int(peak >= 1) for peak in peaks])
            self.fleet.counted(replica, self.labels, "apiquota_quota_consumed_total",
                               [min(want, self.limit) for want in self.demand])
