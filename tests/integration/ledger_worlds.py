"""Small APIs with a truth of their own, for ledger_truth_test.py: how each counts, how it says so, and how
wrong its clock is. Standard library only."""

import collections
import email.utils
import math
import threading
import time


class World:
    """An API with a fixed window; `serve` answers one request, `fault` names what is wrong with it."""

    exporter = "generic"

    def __init__(self, name, dice):
        self.name, self.dice, self.lock = name, dice, threading.Lock()
        self.limit = dice.choice([5, 20, 100, 5000])
        self.window = dice.choice([8, 12, 30])
        self.phase = dice.random() * self.window
        self.clock = dice.choice([0, 0, 0, 1, -1, 3600, -3600, 40_000, -40_000, None])  # None: no Date
        self.form = dice.choice(["epoch", "delta", "draft3", "draft7", "draft8", "none", "http-date"])
        self.amounts = dice.choice(["remaining", "used", "both"])
        self.used, self.began, self.past, self.said = 0, -1, None, []
        self.delayed = 0.0  # seconds by which the machine held its answers up

    def window_began(self, now):
        return math.floor((now - self.phase) / self.window) * self.window + self.phase

    def take(self, now, units):
        began = self.window_began(now)
        if began != self.began:
            self.began, self.used = began, 0
        allowed = self.used < self.limit
        self.used = min(self.limit, self.used + units)
        return allowed

    def left(self, _now):
        return self.limit - self.used

    def end(self, _now):
        return self.began + self.window

    def headers(self, now):
        left, until = self.left(now), self.end(now) - now
        ahead = self.clock or 0
        if self.form == "draft7":
            return [("RateLimit", f"limit={self.limit}, remaining={left}, reset={math.ceil(until)}")]
        if self.form == "draft8":
            return [("RateLimit", f'"d";r={left};t={math.ceil(until)}'),
                    ("RateLimit-Policy", f'"d";q={self.limit}')]
        prefix = "RateLimit-" if self.form == "draft3" else "X-RateLimit-"
        said = [(prefix + "Limit", self.limit)]
        if self.amounts != "used" or self.form == "draft3":
            said.append((prefix + "Remaining", left))
        if self.amounts != "remaining":
            said.append((prefix + "Used", self.limit - left))
        if self.form == "epoch":
            said.append((prefix + "Reset", math.ceil(now + until + ahead)))
        if self.form == "http-date":
            at = math.ceil(now + until + ahead)
            said.append((prefix + "Reset", email.utils.formatdate(at, usegmt=True)))
        if self.form in ("delta", "draft3"):
            said.append((prefix + "Reset", math.ceil(until)))
        return said

    def serve(self, fault, units):
        with self.lock:
            now = time.time()
            allowed = self.take(now, units)
            fault = None if fault == "cached" and not self.past else fault
            date = None if self.clock is None else now + self.clock
            said = self.headers(now)
            if fault == "date" and date and len(self.said) > 3:  # by then answers agree
                date += self.dice.choice([-1, 1]) * self.dice.randrange(600, 40_000)
            elif fault == "silent":
                said = []
            elif fault == "sentinel":
                said = [(name, 0 if "eset" in name else -1) for name, _ in said]
            elif fault == "twice":
                said = said + said
            elif fault == "cached" and self.past:
                then, said = self.past
                said, date = said + [("Age", math.ceil(now - then))], then + (self.clock or 0)
            if fault in (None, "slow", "twice", "date"):
                self.said.append((now, self.left(now), self.end(now)))
                if fault in (None, "twice"):
                    self.past = (now, said)
            return allowed, date, said


class Moving(World):
    """Flask-Limiter's moving window: its end is the newest call's, and only calls that were let in count."""

    def __init__(self, name, dice):
        super().__init__(name, dice)
        self.form = dice.choice(["epoch", "delta", "draft3"])
        self.calls = collections.deque()

    def take(self, now, units):
        while self.calls and self.calls[0] <= now - self.window:
            self.calls.popleft()
        allowed = len(self.calls) < self.limit
        for _ in range(min(units, self.limit - len(self.calls))):
            self.calls.append(now)
        return allowed

    def left(self, now):
        return self.limit - len(self.calls)

    def end(self, now):
        return (self.calls[-1] if self.calls else now) + self.window


class Bucket(World):
    """OpenAI's: refilled continuously, said in whole units, its reset the time until it is full."""

    exporter = "openai"

    def __init__(self, name, dice):
        super().__init__(name, dice)
        self.level, self.at, self.taken = self.limit, 0, 0

    def take(self, now, units):
        self.level = min(self.limit, self.level + (now - self.at) * self.limit / self.window)
        self.at = now
        if self.level < units:
            return False
        self.level -= units
        self.taken += units
        return True

    def left(self, _now):
        return math.floor(self.level)

    def end(self, now):
        return now + (self.limit - self.level) * self.window / self.limit

    def headers(self, now):
        return [("x-ratelimit-limit-requests", self.limit),
                ("x-ratelimit-remaining-requests", self.left(now)),
                ("x-ratelimit-reset-requests", f"{math.ceil((self.end(now) - now) * 1000)}ms")]
