"""Limits that the operator declares for an API that says nothing: counted over what the agent really sent,
polls and proxied requests together, and kept over a restart."""

import time
import unittest

from harness import Workspace, get, get_json, wait_until
from polled_api import PolledApi
from serving import Agent

KEY = {"BOT": "xoxb-canary-1c4e"}


def configure(work, api, poll=""):
    config = work.directory / "agent.yaml"
    config.write_text(
        f"state: {{file: {work.directory}/state.json}}\n"
        "apis:\n"
        f"  - name: silent\n    exporter: generic\n    base_url: {api.url}\n"
        "    keys: [{name: bot, value_from_env: BOT, inject: default}]\n"
        "    limits:\n"
        "      - {quota: burst, limit: 10, window: 2s}\n"
        f"      - {{quota: hourly, limit: 1000, window: 1h}}\n{poll}"
    )
    return f"--config.file={config}"


def quota(agent, name):
    return next(
        entry for entry in get_json(agent.admin + "/api/v1/quotas")["quotas"] if entry["quota"] == name
    )


class DeclaredLimitsTest(unittest.TestCase):
    def within_a_window(self, agent, requests):
        """The quota of 2 s, read while as many are in its window: a machine that is slow does it again."""
        while True:
            began = time.monotonic()
            for _ in range(requests):
                self.assertEqual(get(agent.proxy + "/silent/x")[0], 200)
            counted = quota(agent, "burst")
            if time.monotonic() - began < 2:
                return counted
            wait_until(lambda: quota(agent, "burst")["remaining"] == 10, 5, "all have left the window")

    def test_what_was_sent_is_held_against_what_was_declared(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: "silent")
            agent = Agent(work, configure(work, api), environment=KEY)
            first = quota(agent, "burst")
            self.assertEqual((first["limit"], first["source"], first["kind"]), (10, "declared", "sliding"))
            self.assertIsNone(quota(agent, "hourly")["remaining"], "no hour has been counted yet")
            wait_until(
                lambda: quota(agent, "burst")["remaining"] == 10, 5, "a whole window has been counted"
            )
            counted = self.within_a_window(agent, 7)
            self.assertEqual((counted["remaining"], counted["used"]), (3, 7), counted)
            self.assertLess(counted["resets_in_seconds"], 2.1)
            wait_until(lambda: quota(agent, "burst")["remaining"] == 10, 5, "all have left the window")
            self.assertEqual(quota(agent, "burst")["consumed_total"], len(api.polls))
            self.assertEqual(
                [labels["key"] for labels, value in agent.sample("apiquota_quota_remaining")], ["bot"]
            )

    def test_polls_count_too(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: "silent")
            poll = "    poll: {every: 1s, jitter: 0%, path: /limits}\n"
            agent = Agent(work, configure(work, api, poll), environment=KEY)
            get(agent.proxy + "/silent/x")
            wait_until(lambda: len(api.polls) >= 4, 10, "three polls beside the request")

            def counted():
                sent = len(api.polls)
                same = quota(agent, "hourly")["consumed_total"] == sent
                return same and sent == len(api.polls)

            wait_until(counted, 5, "the count is the API's own")

    def test_a_restart_goes_on_counting(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: "silent")
            config = configure(work, api)
            text = (work.directory / "agent.yaml").read_text()
            (work.directory / "agent.yaml").write_text(text.replace("window: 2s", "window: 20s"))
            agent = Agent(work, config, environment=KEY)
            began = time.monotonic()
            for _ in range(5):
                get(agent.proxy + "/silent/x")
            self.assertEqual(agent.stop(), 0)
            again = Agent(work, config, name="again", environment=KEY)
            get(again.proxy + "/silent/x")
            self.assertIsNone(quota(again, "burst")["used"], "less than a window since the first start")
            used = wait_until(lambda: quota(again, "burst")["used"], 25, "a window since the first start")
            if time.monotonic() - began < 20:
                self.assertEqual(used, 6)


if __name__ == "__main__":
    unittest.main(verbosity=1)
