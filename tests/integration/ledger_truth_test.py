"""Many small APIs behind one real agent, each with a truth of its own: how it counts, how it says so, how
wrong its clock is, and what it does now and then (an answer that is slow, says nothing, comes out of a cache,
has a wrong Date or sentinels for its numbers). After every round of requests what /api/v1/quotas shows of
each is held against what that API knows; half-way the agent is started again. APIQUOTA_TRUTH_SEED and
APIQUOTA_TRUTH_WORLDS choose other worlds, and how many."""

import collections
import concurrent.futures
import email.utils
import http.server
import math
import os
import random
import threading
import time
import unittest

from harness import Workspace, get, get_json
from serving import Agent, LocalServer

SEED = int(os.environ.get("APIQUOTA_TRUTH_SEED", "1"))
WORLDS = int(os.environ.get("APIQUOTA_TRUTH_WORLDS", "120"))
ROUNDS = int(os.environ.get("APIQUOTA_TRUTH_ROUNDS", "24"))
FAULTS = [None] * 8 + ["slow", "silent", "cached", "date", "sentinel", "twice"]
SKEW = 2.5  # what two clocks may make of one moment, and a moment for the way


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


class Api(LocalServer):
    def __init__(self, worlds):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                _, name, fault, units = self.path.split("/")
                allowed, date, said = worlds[name].serve(None if fault == "-" else fault, int(units))
                if fault == "slow":
                    time.sleep(1)
                self.send_response_only(200 if allowed else 429)
                for header in said:
                    self.send_header(*map(str, header))
                if date:
                    self.send_header("Date", email.utils.formatdate(date, usegmt=True))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(Handler, threading.Event())


class LedgerTruthTest(unittest.TestCase):
    def setUp(self):
        dice = random.Random(SEED)
        self.worlds = {}
        for name in (f"w{number}" for number in range(WORLDS)):
            kind = dice.choice([World, World, Moving, Bucket])
            self.worlds[name] = kind(name, random.Random(dice.random()))
        self.work = self.enterContext(Workspace())
        self.api = Api(self.worlds)
        self.addCleanup(self.api.stop)
        self.config = self.work.directory / "agent.yaml"
        head = f"metrics: {{series_max: 40000}}\nstate: {{file: {self.work.directory}/state.json}}\napis:\n"
        self.config.write_text(head + "".join(
            f"  - {{name: {name}, exporter: {world.exporter}, base_url: '{self.api.url}/{name}'}}\n"
            for name, world in self.worlds.items()))
        self.faults = []
        self.before = {}

    def round(self, agent, pool):
        jobs = []
        for world in self.worlds.values():
            for _ in range(world.dice.choice([0, 0, 1, 1, 2, 3])):
                fault = world.dice.choice(FAULTS)
                units = world.dice.choice([1, 1, 1, 2, 5])
                jobs.append(pool.submit(get, f"{agent.proxy}/{world.name}/{fault or '-'}/{units}"))
        for job in jobs:
            job.result()

    def wrong(self, world, quota, what):
        self.faults.append(f"{what}: {world.name} {world.form} {world.amounts} clock={world.clock} "
                           f"limit={world.limit} window={world.window} {quota} said={world.said[-6:]} "
                           f"{time.time() - world.began:.1f} s after its window began")

    def check(self, world, quota, now):
        for name in ("remaining", "used", "used_ratio", "resets_in_seconds"):
            if quota[name] is not None and quota[name] < 0:
                self.wrong(world, quota, f"{name} is negative")
        if quota["limit"] not in (world.limit, None) or quota["limit_changes_total"]:
            self.wrong(world, quota, "another limit")
        consumed = quota["consumed_total"]
        if consumed < self.before.get(world.name, 0):
            self.wrong(world, quota, "consumption fell")
        self.before[world.name] = consumed
        if isinstance(world, Bucket):
            return self.check_bucket(world, quota, now)
        if isinstance(world, Moving):
            return self.check_moving(world, quota, now)
        if quota["kind"] != "fixed":
            self.wrong(world, quota, "a kind was invented")
        windows = collections.defaultdict(list)
        for at, left, _ in world.said:
            windows[world.window_began(at)].append(left)
        used = sum(world.limit - min(said) for said in windows.values())
        if consumed > used + 1e-6:
            self.wrong(world, quota, f"consumption invented, of {used}")
        began = world.window_began(now)
        if now - began < 2 * SKEW or began + world.window - now < SKEW:
            return
        here = windows.get(began)
        if world.form == "none":
            recent = [left for at, left, _ in world.said if at > began + 2 * SKEW]
            if recent and quota["remaining"] != min(recent):
                self.wrong(world, quota, "not what was said")
        elif here and quota["remaining"] != min(here):
            self.wrong(world, quota, "not what was said")
        elif not here and quota["remaining"] is not None:
            self.wrong(world, quota, "of a window that is over")
        elif here and len(world.said) > 5:
            until = began + world.window - now
            if abs(quota["resets_in_seconds"] - until) > 3.1:
                self.wrong(world, quota, f"wrong reset, not {until:.1f}")

    def check_moving(self, world, quota, now):
        last, _, end = world.said[-1]
        newest = [left for at, left, _ in world.said if at > last - (2 if world.clock is None else 1.1)]
        if quota["kind"] != "sliding":  # not yet known: of the window so far
            newest = [left for at, left, _ in world.said if at > last - world.window]
        if now < end - SKEW and quota["remaining"] not in newest:
            self.wrong(world, quota, f"not what was said, {now - last:.1f} s ago")

    def check_bucket(self, world, quota, now):
        last = world.said[-1][0]
        newest = [said for said in world.said if said[0] > last - (2 if world.clock is None else 1.1)]
        true = {left for _, left, end in newest if now < end + 1.5}
        true |= {world.limit for _, _, end in newest if now > end - 1.5}
        if quota["remaining"] not in true:
            self.wrong(world, quota, f"not what was said, {now - last:.1f} s ago")
        if quota["consumed_total"] > world.taken * 1.05 + 3:
            self.wrong(world, quota, f"consumption invented, of {world.taken}")

    def test_what_is_shown_is_true(self):
        agent = Agent(self.work, f"--config.file={self.config}")
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            for number in range(ROUNDS):
                began = time.monotonic()
                if number == ROUNDS // 2:
                    agent.stop()
                    agent = Agent(self.work, f"--config.file={self.config}", name="again")
                    self.before = {}
                self.round(agent, pool)
                time.sleep(0.2)  # clients are answered first
                now = time.time()
                quotas = {quota["api"]: quota for quota in get_json(agent.admin + "/api/v1/quotas")["quotas"]}
                for world in self.worlds.values():
                    if world.said and world.name not in quotas:
                        self.wrong(world, None, "not shown at all")
                    elif world.said:
                        self.check(world, quotas[world.name], now)
                time.sleep(max(0, 1 - (time.monotonic() - began)))
        conflicts = agent.sample("apiquota_quota_conflicts_total")
        self.assertEqual(sum(value for _, value in conflicts), 0)
        self.assertEqual(self.faults, [], "\n" + "\n".join(self.faults[:20]) + f"\n{len(self.faults)} in all")


if __name__ == "__main__":
    unittest.main()
