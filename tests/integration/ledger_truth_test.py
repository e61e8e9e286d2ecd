"""Many small APIs behind one real agent, each with a truth of its own: how it counts, how it says so, how
wrong its clock is, and what it does now and then (an answer that is slow, says nothing, comes out of a cache,
has a wrong Date or sentinels for its numbers). After every round of requests what /api/v1/quotas shows of
each is held against what that API knows; half-way the agent is started again. APIQUOTA_TRUTH_SEED and
APIQUOTA_TRUTH_WORLDS choose other worlds, and how many."""

import collections
import concurrent.futures
import email.utils
import http.server
import os
import random
import threading
import time
import unittest

from harness import Workspace, get, get_json, wait_until
from ledger_worlds import Bucket, Moving, World
from serving import Agent, LocalServer

SEED = int(os.environ.get("APIQUOTA_TRUTH_SEED", "1"))
WORLDS = int(os.environ.get("APIQUOTA_TRUTH_WORLDS", "120"))
ROUNDS = int(os.environ.get("APIQUOTA_TRUTH_ROUNDS", "24"))
FAULTS = [None] * 8 + ["slow", "silent", "cached", "date", "sentinel", "twice"]
SKEW = 2.5  # what two clocks may make of one moment, and a moment for the way


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
        self.asked = 0  # of the agent that runs

    def round(self, agent, pool):
        jobs = []
        for world in self.worlds.values():
            for _ in range(world.dice.choice([0, 0, 1, 1, 2, 3])):
                fault = world.dice.choice(FAULTS)
                units = world.dice.choice([1, 1, 1, 2, 5])
                url = f"{agent.proxy}/{world.name}/{fault or '-'}/{units}"
                jobs.append(pool.submit(self.ask, world, url, 1 if fault == "slow" else 0))
        for job in jobs:
            job.result()
        self.asked += len(jobs)
        wait_until(lambda: self.looked_at(agent) == self.asked, 10, "all answers have been looked at")

    @staticmethod
    def ask(world, url, expected):
        began = time.monotonic()
        get(url)
        world.delayed += max(0.0, time.monotonic() - began - expected)

    @staticmethod
    def looked_at(agent):
        """How long it took is the last that is noted of an answer."""
        return sum(value for _, value in agent.sample("apiquota_upstream_duration_seconds_count"))

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
        # What refills while an answer is under way is not told from what was taken.
        refilled = world.delayed * world.limit / world.window
        if quota["consumed_total"] > world.taken * 1.05 + 3 + refilled:
            self.wrong(world, quota, f"consumption invented, of {world.taken}")

    def test_what_is_shown_is_true(self):
        agent = Agent(self.work, f"--config.file={self.config}")
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            for number in range(ROUNDS):
                began = time.monotonic()
                if number == ROUNDS // 2:
                    agent.stop()
                    agent = Agent(self.work, f"--config.file={self.config}", name="again")
                    self.before, self.asked = {}, 0
                self.round(agent, pool)
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
