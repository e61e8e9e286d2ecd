"""A client as fast as it can before APIs that are hard to please: that limit in several ways at once, count
tokens by what was really spent, know keys or addresses apart, round, say nothing at all, or enforce more than
they say. What each of them knows is its truth (docs/simulate.md)."""

import json
import time
import unittest

from guarding import Api, GuardedAgent, Greedy, Judge, chat_body
from harness import Workspace

SECONDS = 20
CHAT = "/v1/chat/completions"
# What the agent is told, by the API or by its operator: nothing may have to be refused.
TOLD = {
    "elastic": ("generic", ["--quota", "requests=20/6s,elastic"]),
    "several": ("generic", ["--quota", "minute=30/10s,fixed", "--quota", "second=5/1s,fixed"]),
    "rounded": ("github", ["--quota", "requests=20/6s,fixed", "--round-reset", "nearest"]),
    "early": ("github", ["--quota", "requests=20/6s,aligned", "--round-reset", "down", "--skew", "2500ms"]),
    "addresses": ("github", ["--quota", "requests=20/6s,fixed", "--scope", "address"]),
    "at-start": ("openai", ["--quota", "tokens=6000/6s,bucket", "--tokens-charged", "start"]),
    "settled": ("openai", ["--quota", "tokens=6000/6s,bucket", "--tokens-charged", "settled"]),
    "declared": ("generic", ["--quota", "requests=20/6s,sliding", "--headerless"]),
    "declared-fixed": ("generic", ["--quota", "requests=20/6s,fixed", "--headerless"]),
    "second-known": ("github", ["--quota", "requests=50/10s,fixed", "--sub-limit", "1s"]),
}
# What it can only learn from refusals.
UNTOLD = {
    "second-hidden": ("github", ["--quota", "requests=50/10s,fixed", "--sub-limit", "1s"]),
    "silent": ("generic", ["--quota", "requests=20/6s,fixed", "--headerless"]),
    "punishing": ("generic", ["--quota", "requests=20/6s,sliding", "--count-refused", "--penalty", "3s"]),
}
SETTINGS = {
    "declared": ["limits: [{quota: requests, limit: 20, window: 6s}]"],
    "declared-fixed": ["limits: [{quota: requests, limit: 20, window: 6s}]"],
    "second-known": ["limits: [{quota: second, limit: 5, window: 1s}]", "guard: {cold_concurrency: 1}"],
}


class GuardStrictTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        work = cls.enterClassContext(Workspace())
        kinds = {**TOLD, **UNTOLD}
        judges = {name: Judge(work, exporter, *flags, name=name) for name, (exporter, flags) in kinds.items()}
        agent = GuardedAgent(work, [Api(name, kinds[name][0], judge.url, SETTINGS.get(name, []))
                                    for name, judge in judges.items()])
        cls.clients = {name: cls.client(agent, name, kinds[name][0]) for name in kinds}
        time.sleep(SECONDS)
        cls.truths = {name: judge.truth() for name, judge in judges.items()}
        for client in cls.clients.values():
            client.stop()
        agent.rests()

    @staticmethod
    def client(agent, name, exporter):
        if exporter == "openai":
            return Greedy(f"{agent.proxy}/{name}{CHAT}", 4, "POST", chat_body,
                          {"Content-Type": "application/json"})
        return Greedy(f"{agent.proxy}/{name}/items", 4)

    def test_what_was_told_is_never_refused(self):
        refused = {name: [(limit["name"], limit["windows"]) for limit in self.truths[name]["limits"]]
                   for name in TOLD if self.truths[name]["refused"]}
        self.assertEqual(refused, {}, json.dumps(refused, indent=1))

    def test_no_loop_meets_a_refusal_where_the_agent_was_told(self):
        met = {name: dict(self.clients[name].statuses()) for name in TOLD
               if set(self.clients[name].statuses()) != {200}}
        self.assertEqual(met, {})

    def test_every_loop_went_on_after_its_first_window(self):
        first = {name: truth["limits"][0] for name, truth in self.truths.items()}
        served = {name: (limit["admitted"], limit["limit"]) for name, limit in first.items()
                  if limit["unit"] == "requests"}
        self.assertEqual({name: counts for name, counts in served.items() if counts[0] <= counts[1]}, {})

    def test_what_can_only_be_learned_from_refusals_is_not_stormed(self):
        stormed = {name: (truth["asked"], truth["refused"]) for name in UNTOLD
                   if (truth := self.truths[name])["refused"] > truth["admitted"]}
        self.assertEqual(stormed, {})

    def test_the_judges_made_no_mistake(self):
        self.assertEqual({name: truth["violations"] for name, truth in self.truths.items()
                          if truth["violations"]}, {})


if __name__ == "__main__":
    unittest.main()
