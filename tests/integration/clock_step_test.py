"""A step of the system clock moves no reading and empties no count (docs/quota-semantics.md rule 8)."""

import os
import shutil
import struct
import subprocess
import time
import unittest
from pathlib import Path

from harness import SANITIZED, Workspace, get, get_json, skip, wait_until
from scripted_api import ScriptedApi
from serving import Agent

FAULTS = Path(__file__).resolve().parents[1] / "trust" / "preload.c"


class ClockStepTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)
        library = self.work.directory / "preload.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, FAULTS, "-ldl"], check=True)
        self.faults = self.work.directory / "faults"
        self.faults.write_bytes(bytes(4096))
        config = self.work.directory / "agent.yaml"
        config.write_text(
            f"state: {{file: {self.work.directory}/state.json}}\napis:\n"
            f"  - {{name: said, exporter: generic, base_url: '{self.api.url}'}}\n"
            f"  - name: silent\n    exporter: generic\n    base_url: {self.api.url}\n"
            "    limits: [{quota: burst, limit: 10, window: 1s}, {quota: daily, limit: 1000, window: 24h}]\n"
            f"  - name: limited\n    exporter: generic\n    base_url: {self.api.url}\n"
            "    guard: {mode: on, limits: [{name: mine, limit: 1, window: 1m}]}\n")
        faulty = {"LD_PRELOAD": str(library), "FAULTS_FILE": str(self.faults)}
        self.start = lambda name: Agent(self.work, f"--config.file={config}", name=name, environment=faulty)
        self.agent = self.start("agent")

    def step_to(self, seconds):
        with open(self.faults, "r+b") as page:
            page.write(struct.pack("q", seconds))

    def say(self):
        """One answer that speaks of a quota, and it is known: that comes behind the answer."""
        self.api.says({"X-RateLimit-Limit": 100, "X-RateLimit-Remaining": 40, "X-RateLimit-Reset": 600})
        get(f"{self.agent.proxy}/said/x")
        known = lambda: any(quota["quota"] == "requests" for quota in self.agent.quotas())
        wait_until(known, 5, "the quota is known")

    def quota(self, name):
        return next(quota for quota in get_json(self.agent.admin + "/api/v1/quotas")["quotas"]
                    if quota["quota"] == name)

    def test_readings_and_counts_stay_what_they_are(self):
        self.say()
        self.api.says({})
        for _ in range(3):
            get(f"{self.agent.proxy}/silent/x")
        for step in (300, -60, 90_000, -7200):
            self.step_to(step)
            quota = self.quota("requests")
            self.assertEqual((quota["valid"], quota["remaining"]), (True, 40), step)
            self.assertAlmostEqual(quota["resets_in_seconds"], 600, delta=15)
            self.assertAlmostEqual(quota["reset_at"], time.time() + step + 600, delta=15)
            self.assertEqual(self.quota("daily")["consumed_total"], 3, step)
            self.assertIsNone(self.quota("daily")["remaining"], "no day has been counted")
        self.step_to(0)

    def test_a_restart_after_a_step_finds_what_was_saved(self):
        self.say()
        self.step_to(3600)
        self.agent.stop()
        self.agent = self.start("again")
        self.assertEqual(self.quota("requests")["remaining"], 40)
        self.assertAlmostEqual(self.quota("requests")["resets_in_seconds"], 600, delta=15)

    def test_a_clock_that_was_ahead_when_it_was_saved_closes_no_limit(self):
        self.step_to(86_400)
        self.assertEqual(get(f"{self.agent.proxy}/limited/x")[0], 200)
        self.agent.stop()
        self.step_to(0)
        self.agent = self.start("right")
        status, fields, _ = get(f"{self.agent.proxy}/limited/x")
        self.assertEqual(status, 429)
        self.assertLessEqual(int(fields["retry-after"]), 60)


if __name__ == "__main__":
    if SANITIZED:
        skip("a preloaded library comes before the sanitizer's own")
    if not shutil.which("cc"):
        skip("cc is not installed (Debian package gcc)")
    unittest.main()
