"""Limits that an API only states when it is asked: an organisation's by model, of which a change is told, and
a subscription's use, which stands beside the base URL."""

import json
import time
import unittest

from harness import Workspace, get_json, wait_until
from scripted_api import ScriptedApi
from serving import Agent


def limits(requests, tokens):
    return json.dumps({"data": [{
        "type": "rate_limit", "group_type": "model_group", "models": ["claude-a", "claude-b"],
        "limits": [{"type": "requests_per_minute", "value": requests},
                   {"type": "input_tokens_per_minute", "value": tokens}]}]}).encode()


class PolledLimitsTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)

    def start(self, exporter, base_path=""):
        config = self.work.directory / "agent.yaml"
        config.write_text(f"apis:\n  - name: a\n    exporter: {exporter}\n"
                          f"    base_url: {self.api.url}{base_path}\n    poll: {{every: 1s, jitter: 0%}}\n")
        return Agent(self.work, f"--config.file={config}")

    @staticmethod
    def quotas(agent):
        return {(found["resource"], found["quota"]): found
                for found in get_json(agent.admin + "/api/v1/quotas")["quotas"]}

    def test_an_organisations_limits_are_known_by_model_and_a_change_is_told(self):
        self.api.says(body=limits(4000, 2_000_000))
        agent = self.start("anthropic")
        wait_until(lambda: len(self.quotas(agent)) == 4, 20, "two models have two limits each")
        self.assertEqual(self.api.asked[0], "/v1/organizations/rate_limits")
        first = self.quotas(agent)[("claude-b", "requests_per_minute")]
        self.assertEqual((first["limit"], first["remaining"], first["limit_changes_total"]), (4000, None, 0))
        self.api.says(body=limits(1000, 2_000_000))
        changed = ("claude-b", "requests_per_minute")
        wait_until(lambda: self.quotas(agent)[changed]["limit"] == 1000, 20, "the new limit is known")
        self.assertEqual(self.quotas(agent)[changed]["limit_changes_total"], 1)
        tokens = self.quotas(agent)[("claude-b", "input_tokens_per_minute")]
        self.assertEqual(tokens["limit_changes_total"], 0)

    def test_a_subscriptions_use_is_asked_for_beside_the_base(self):
        now = int(time.time())
        window = {"used_percent": 27, "limit_window_seconds": 18000, "reset_at": now + 600}
        self.api.says(body=json.dumps({"rate_limit": {"primary_window": window}}).encode())
        agent = self.start("openai-codex", "/backend-api/codex")
        wait_until(lambda: self.quotas(agent), 20, "what was used is known")
        self.assertEqual(self.api.asked[0], "/backend-api/wham/usage")
        self.assertEqual(self.quotas(agent)[("", "primary")]["remaining"], 73)


if __name__ == "__main__":
    unittest.main()
