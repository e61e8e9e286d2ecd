"""Five hundred polled targets, an API that fails at random: the schedule is kept, every request is counted,
and memory stays where it is. APIQUOTA_POLL_SECONDS makes it longer than half a minute."""

import collections
import os
import random
import time
import unittest

from harness import SANITIZED, Workspace, get_json, wait_until
from polled_api import PolledApi
from serving import Agent

APIS, KEYS = 50, 10
SECONDS = float(os.environ.get("APIQUOTA_POLL_SECONDS", "30"))
EVERY = 5.0
FAULTS = ["throttled", "wordless", "rejected", "broken", "hang", "reset", "garbage", "truncated", "close"]
REASONS = {
    "hang": "first_byte_timeout",
    "reset": "closed_early",
    "garbage": "bad_response",
    "truncated": "truncated",
}
CODES = {
    "ok": "200",
    "close": "200",
    "throttled": "429",
    "wordless": "429",
    "rejected": "401",
    "broken": "500",
}


def configuration(url):
    lines = ["poller: {timeout: 8s, requests_max: 256}", "metrics: {series_max: 50000}", "apis:"]
    for api in range(APIS):
        keys = ", ".join(f"{{name: k{key}, value_from_env: KEY_{key}}}" for key in range(KEYS))
        lines += [
            f"  - name: api-{api}",
            "    exporter: generic",
            f"    base_url: {url}",
            f"    keys: [{keys}]",
            f"    poll: {{every: {EVERY:g}s, path: /limits/{api}}}",
        ]
    return "\n".join(lines) + "\n"


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class PollLoadTest(unittest.TestCase):
    def test_five_hundred_targets_with_random_faults(self):
        chance = random.Random(5)
        api = PolledApi(
            fault=lambda path, credential: chance.choice(FAULTS) if chance.random() < 0.2 else "ok",
            retry_after=7,
        )
        with Workspace() as work:
            config = work.directory / "agent.yaml"
            config.write_text(configuration(api.url))
            keys = {f"KEY_{key}": f"canary-{key}-3f9a" for key in range(KEYS)}
            agent = Agent(work, f"--config.file={config}", environment=keys)
            wait_until(lambda: len(api.polls) >= APIS * KEYS, EVERY * 4, "every target polled once")
            warm = resident_kib(agent.pid)
            cpu, began = cpu_seconds(agent.pid), time.monotonic()
            time.sleep(SECONDS)
            share = (cpu_seconds(agent.pid) - cpu) / (time.monotonic() - began)
            grown = resident_kib(agent.pid) - warm
            # No more polls, of the same apis and keys: the rest is arithmetic.
            kept = [line for line in configuration(api.url).splitlines() if "poll:" not in line]
            config.write_text("\n".join(kept) + "\n")
            agent.hang_up("reloaded")
            deadline = time.monotonic() + 20  # for the slowest answer; there are no new polls
            while self.counts(agent) != self.expected(api) and time.monotonic() < deadline:
                time.sleep(0.5)
            self.assertEqual(self.counts(agent), self.expected(api), "what was counted is what was sent")
            self.schedule(api)
            self.assertTrue(SANITIZED or grown < 4096, f"{grown} KiB more after {SECONDS:g} s")
            self.assertNotIn("canary", agent.output())
            print(
                f"{len(api.polls)} polls in {SECONDS:g} s, {share:.1%} of a core, RSS {warm:+} {grown:+} KiB"
            )

    def expected(self, api):
        counts = collections.Counter()
        for poll in list(api.polls):
            counts[CODES.get(poll.fault) or REASONS[poll.fault]] += 1
        return counts

    def counts(self, agent):
        counts = collections.Counter()
        for labels, value in agent.sample("apiquota_upstream_requests_total"):
            if labels["door"] == "poll" and value:
                counts[labels["code"]] += int(value)
        for labels, value in agent.sample("apiquota_upstream_errors_total"):
            if value:
                counts[labels["reason"]] += int(value)
        return counts

    def schedule(self, api):
        """No target sooner than asked, nor while it was told to wait; none forgotten."""
        targets = collections.defaultdict(list)
        for poll in api.polls:
            targets[poll.path, poll.credential].append(poll)
        self.assertEqual(len(targets), APIS * KEYS)
        late = 0
        for polls in targets.values():
            for before, after in zip(polls, polls[1:]):
                gap = after.at - before.at
                # The API's clock reads when it gets to it, which on a busy machine is later.
                self.assertGreater(gap, EVERY - 0.5, (before, after))
                if before.fault == "throttled":
                    self.assertGreater(gap, 7 - 0.5, (before, after))
                late += before.fault in ("ok", "close") and gap > EVERY * 1.1 + 1
        self.assertLess(late, len(api.polls) / 100, "at most one in a hundred is late")
        slots = collections.Counter(int(poll.at * 2) for poll in api.polls)
        self.assertLess(max(slots.values()), APIS * KEYS / 2, "they do not come all at once")


if __name__ == "__main__":
    unittest.main(verbosity=1)
