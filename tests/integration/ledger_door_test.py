"""What one answer can't do to a quota, at the doors: a real agent, an API that says what a test writes, and
/api/v1/quotas and /metrics read back (docs/quota-semantics.md)."""

import threading
import time
import unittest

from harness import Workspace, get, get_json, wait_until
from scripted_api import ScriptedApi
from serving import Agent

APIS = "\n".join(f"  - {{name: {name}, exporter: {name}, base_url: '%s'}}"
                 for name in ("generic", "openai", "github", "anthropic", "twitter", "azure-openai"))


class LedgerDoorTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)
        self.config = self.work.directory / "agent.yaml"
        self.config.write_text("proxy: {loops: 1}\napis:\n" + APIS.replace("%s", self.api.url) + "\n")
        self.agent = Agent(self.work, f"--config.file={self.config}")

    def ask(self, api, headers=None, path="/x", key="k", **answer):
        self.api.says(headers, **answer)
        get(f"{self.agent.proxy}/{api}{path}", headers={"Authorization": f"Bearer {key}"})
        self.agent.settle()

    def quotas(self, api, agent=None):
        return [quota for quota in get_json((agent or self.agent).admin + "/api/v1/quotas")["quotas"]
                if quota["api"] == api]

    def quota(self, api):
        quotas = self.quotas(api)
        self.assertEqual(len(quotas), 1, quotas)
        return quotas[0]

    def github(self, remaining, ahead, **answer):
        self.ask("github", {"x-ratelimit-limit": 5000, "x-ratelimit-remaining": remaining,
                            "x-ratelimit-reset": int(time.time() + ahead),
                            "x-ratelimit-resource": "core"}, **answer)

    def generic(self, limit, remaining, reset, **answer):
        self.ask("generic", {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining,
                             "X-RateLimit-Reset": reset}, **answer)

    def test_a_reset_a_year_ahead_said_once_freezes_nothing(self):
        self.github(4000, 31_536_000)
        for remaining in (10, 5, 0):
            self.github(remaining, 3000)
        quota = self.quota("github")
        self.assertEqual((quota["remaining"], quota["used_ratio"]), (0, 1))
        self.assertLess(quota["resets_in_seconds"], 3001)

    def test_another_routes_window_does_not_hide_the_stricter_one(self):
        self.generic(1_000_000, 999_999, 2_592_000)
        for left in (4, 3, 2, 1, 0):
            self.generic(60, left, 60)
        self.assertEqual((self.quota("generic")["limit"], self.quota("generic")["remaining"]), (60, 0))
        conflicts = self.agent.sample("apiquota_quota_conflicts_total")
        self.assertEqual([(labels["api"], value) for labels, value in conflicts], [("generic", 1)])

    def test_two_limiters_whose_windows_end_together_or_that_say_no_end(self):
        for key, reset in (("a", int(time.time()) + 600), ("b", "")):
            for left in (2, 1, 0, 0):
                self.generic(60, left, reset, key=key)
                self.generic(1000, 990, reset, key=key)
        self.assertEqual([(q["limit"], q["remaining"]) for q in self.quotas("generic")], [(60, 0)] * 2)
        changes = self.agent.sample("apiquota_quota_limit_changes_total")
        self.assertEqual([value for _, value in changes], [2, 2], "until the first is said again")

    def test_two_limiters_in_one_answer(self):
        self.ask("generic", [("X-RateLimit-Limit", 1000), ("X-RateLimit-Remaining", 900),
                             ("X-RateLimit-Limit", 100), ("X-RateLimit-Remaining", 0)])
        self.assertEqual((self.quota("generic")["limit"], self.quota("generic")["remaining"]), (100, 0))

    def test_an_end_without_a_level_blanks_none(self):
        self.generic(100, 40, 600)
        self.generic(100, "", 60)
        self.assertEqual(self.quota("generic")["remaining"], 40)
        self.assertAlmostEqual(self.quota("generic")["resets_in_seconds"], 60, delta=5)

    def test_the_first_answer_of_a_clock_that_is_hours_behind_is_shown(self):
        self.github(3000, -7200 + 600, date_ahead=-7200)
        self.assertEqual(self.quota("github")["remaining"], 3000)
        self.assertAlmostEqual(self.quota("github")["resets_in_seconds"], 600, delta=5)

    def test_an_overtaken_answers_end_takes_no_newer_ones_place(self):
        overtaken = threading.Event()
        self.addCleanup(overtaken.set)
        self.api.says({"X-RateLimit-Limit": 5000, "X-RateLimit-Remaining": 4000,
                       "X-RateLimit-Reset": int(time.time()) + 30_000_000}, until=overtaken, date_ahead=None)
        slow = threading.Thread(target=get, args=(f"{self.agent.proxy}/generic/x",))
        slow.start()
        wait_until(lambda: self.api.asked, 10, "the slow one is asked")
        self.api.says({"X-RateLimit-Limit": 5000, "X-RateLimit-Remaining": 10,
                       "X-RateLimit-Reset": int(time.time()) + 3000}, date_ahead=None)
        get(f"{self.agent.proxy}/generic/x")
        overtaken.set()
        slow.join()
        self.agent.settle()
        self.assertEqual(self.quota("generic")["remaining"], 10)

    def test_one_wrong_date_neither_freezes_nor_blanks(self):
        for ahead in (0, 3600, 0, 0):
            self.github(3000, 1800, date_ahead=ahead)
            self.assertTrue(self.quota("github")["valid"])
            self.assertAlmostEqual(self.quota("github")["resets_in_seconds"], 1800, delta=5)
        for ahead, left in ((3600, 50), (0, 40), (0, 0)):
            self.ask("openai", {"x-ratelimit-limit-requests": 100, "x-ratelimit-remaining-requests": left,
                                "x-ratelimit-reset-requests": "60s"}, date_ahead=ahead)
            self.assertEqual(self.quota("openai")["remaining"], left)

    def test_nothing_left_until_now_is_nothing_left(self):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.ask("anthropic", {"anthropic-ratelimit-input-tokens-limit": 50_000, "retry-after": 1,
                               "anthropic-ratelimit-input-tokens-remaining": 0,
                               "anthropic-ratelimit-input-tokens-reset": now}, status=429)
        self.assertEqual(self.quota("anthropic")["remaining"], 0)
        self.generic(10, 0, 0, status=429)
        self.assertEqual((self.quota("generic")["remaining"], self.quota("generic")["used_ratio"]), (0, 1))

    def test_a_sentinel_changes_nothing_and_no_amount_is_negative(self):
        said = {"x-ratelimit-limit-requests": 100, "x-ratelimit-remaining-requests": 30,
                "x-ratelimit-reset-requests": 42}
        path = "/openai/deployments/d/chat/completions"
        self.ask("azure-openai", said, path=path)
        self.ask("azure-openai", {"x-ratelimit-limit-requests": -1, "x-ratelimit-remaining-requests": -1,
                                  "x-ratelimit-reset-requests": 0}, path=path)
        self.assertEqual(self.quota("azure-openai")["remaining"], 30)
        self.generic(100, -20, 60)
        quota = self.quota("generic")
        self.assertEqual((quota["remaining"], quota["used"], quota["used_ratio"]), (0, 120, 1.2))
        self.generic(100, 120, 60, key="o")
        for name in ("remaining", "used", "used_ratio", "limit"):
            for _, value in self.agent.sample(f"apiquota_quota_{name}"):
                self.assertGreaterEqual(value, 0)

    def test_an_answer_out_of_a_cache_is_no_news(self):
        self.github(100, 1800)
        self.github(3000, 1800, date_ahead=-1800)  # that clock is wrong, once
        self.ask("github", {"x-ratelimit-limit": 5000, "x-ratelimit-remaining": 4999, "Age": 1800,
                            "x-ratelimit-reset": int(time.time() + 600), "x-ratelimit-resource": "core"},
                 date_ahead=-1800)
        self.assertEqual(self.quota("github")["remaining"], 100)
        self.assertAlmostEqual(self.quota("github")["resets_in_seconds"], 1800, delta=5)

    def test_which_quota_a_header_means_does_not_depend_on_the_others(self):
        former = {"X-RateLimit-Limit": 100, "X-RateLimit-Remaining": 50}
        later = {"RateLimit-Limit": 1000, "RateLimit-Remaining": 900}
        self.ask("generic", later)
        for _ in range(2):
            self.ask("generic", {**former, **later})
            self.ask("generic", later)
            self.ask("generic", former)
        quotas = {quota["limit"]: quota["remaining"] for quota in self.quotas("generic")}
        self.assertEqual(quotas, {100: 50, 1000: 900})
        changes = self.agent.sample("apiquota_quota_limit_changes_total")
        self.assertEqual([value for _, value in changes], [0, 0])

    def test_an_end_that_moves_on_with_each_answer_is_a_sliding_window(self):
        for left in (9, 8, 7):
            self.generic(10, left, 60)
            time.sleep(2.2)
        self.generic(10, 6, 60)
        self.assertEqual(self.quota("generic")["kind"], "sliding")


class OperatorsWordTest(unittest.TestCase):
    def test_the_configuration_may_say_a_quotas_kind_and_window(self):
        with Workspace() as work:
            api = ScriptedApi()
            self.addCleanup(api.stop)
            config = work.directory / "agent.yaml"
            config.write_text(f"apis:\n  - name: g\n    exporter: generic\n    base_url: {api.url}\n"
                              "    quotas: [{quota: requests, kind: sliding, window: 30s}]\n")
            agent = Agent(work, f"--config.file={config}")
            api.says({"X-RateLimit-Limit": 10, "X-RateLimit-Remaining": 9})
            get(f"{agent.proxy}/g/x")
            (quota,) = agent.quotas()
            self.assertEqual((quota["kind"], quota["window_seconds"]), ("sliding", 30))

    def test_rules_with_paths_are_read_below_the_apis_base_url(self):
        with Workspace() as work:
            api = ScriptedApi()
            self.addCleanup(api.stop)
            config = work.directory / "agent.yaml"
            config.write_text("apis:\n  - name: ghe\n    exporter: github\n"
                              f"    base_url: {api.url}/api/v3\n    poll: {{every: 1s}}\n")
            api.says(body=b'{"resources":{"core":{"limit":5000,"remaining":4000,"used":1000},'
                          b'"search":{"limit":30,"remaining":18,"used":12}}}')
            agent = Agent(work, f"--config.file={config}")
            agent.wait_for(lambda: len(get_json(agent.admin + "/api/v1/quotas")["quotas"]) == 2, 10, "both")
            self.assertIn("/api/v3/rate_limit", api.asked)


if __name__ == "__main__":
    unittest.main()
