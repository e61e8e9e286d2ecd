"""What the guard remembers over a restart: requests sent against a declared limit, and cooldowns."""

import unittest

from harness import Workspace, get
from polled_api import PolledApi
from serving import Agent

KEY = {"BOT": "xoxb-canary-1c4e"}


def configure(work, api):
    config = work.directory / "agent.yaml"
    config.write_text(
        f"state: {{file: {work.directory}/state.json}}\n"
        "guard: {mode: on, queue: {max_wait: 100ms}}\n"
        "apis:\n"
        f"  - name: silent\n    exporter: generic\n    base_url: {api.url}\n"
        "    keys: [{name: bot, value_from_env: BOT, inject: default}]\n"
        "    limits: [{quota: requests, limit: 3, window: 1h}]\n"
    )
    return f"--config.file={config}"


class GuardRestartTest(unittest.TestCase):
    def test_a_restart_does_not_give_a_declared_limit_back(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: "silent")
            config = configure(work, api)
            agent = Agent(work, config, environment=KEY)
            for _ in range(3):
                self.assertEqual(get(agent.proxy + "/silent/x")[0], 200)
            self.assertEqual(get(agent.proxy + "/silent/x")[0], 429)
            agent.stop()
            again = Agent(work, config, environment=KEY)
            self.assertEqual(get(again.proxy + "/silent/x")[0], 429)
            self.assertEqual(len(api.polls), 3, "nothing was sent beyond the limit")


if __name__ == "__main__":
    unittest.main()
