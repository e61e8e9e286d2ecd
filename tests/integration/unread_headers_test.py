"""Headers that look like limits and that no rule describes, at the doors: named by /api/v1/apis, counted
on /metrics, never shown with their values, and forgotten when a reload brings an exporter that describes
them."""

import unittest

from harness import Workspace, get, get_json
from scripted_api import ScriptedApi
from serving import Agent

CANARY = "canary-2f6d9c"
EXPORTER = "name: {name}\ntitle: X\nignore: [{ignored}]\n"


class UnreadHeadersTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)
        self.exporters = self.work.directory / "exporters"
        self.exporters.mkdir()
        self.describe("x-other")
        config = self.work.directory / "agent.yaml"
        config.write_text("proxy: {loops: 1}\napis:\n" + "".join(
            f"  - {{name: {name}, exporter: {name}, base_url: '{self.api.url}'}}\n"
            for name in ("mine", "github")))
        self.agent = Agent(self.work, f"--config.file={config}", f"--exporters.dir={self.exporters}")

    def describe(self, ignored):
        (self.exporters / "mine.yaml").write_text(EXPORTER.format(name="mine", ignored=ignored))

    def ask(self, api, headers, **answer):
        self.api.says(headers, **answer)
        get(f"{self.agent.proxy}/{api}/x")
        self.agent.settle()

    def names(self, api):
        apis = get_json(self.agent.admin + "/api/v1/apis")["apis"]
        return next(entry for entry in apis if entry["name"] == api)["unread_limit_headers"]

    def counted(self):
        return {labels["api"]: value for labels, value in self.agent.sample("apiquota_unread_limit_headers")}

    def test_names_are_shown_and_counted_and_values_never(self):
        self.ask("mine", {"X-Quota-Left": CANARY, "X-Other": 1, "X-Request-Id": 7})
        self.ask("mine", {"X-Rate-Limit-Pool": 5}, status=429)
        self.ask("github", {"x-ratelimit-limit": 5000})
        self.assertEqual(self.names("mine"), ["x-quota-left", "x-rate-limit-pool"])
        self.assertEqual(self.names("github"), [])
        self.assertEqual(self.counted(), {"mine": 2})
        pages = [get(self.agent.admin + path)[2].decode()
                 for path in ("/metrics", "/api/v1/apis", "/api/v1/quotas")]
        for text in (*pages, self.agent.log()):
            self.assertNotIn(CANARY, text)

    def test_names_are_bounded(self):
        self.ask("mine", {f"X-Limit-{n}": 1 for n in range(50)})
        self.assertEqual(self.counted(), {"mine": 20})

    def test_a_reload_that_describes_them_begins_anew(self):
        self.ask("mine", {"X-Quota-Left": 5})
        self.assertEqual(self.counted(), {"mine": 1})
        self.describe("x-quota-left")
        self.agent.hang_up("reloaded")
        self.assertEqual(self.counted(), {})
        self.ask("mine", {"X-Quota-Left": 5})
        self.assertEqual(self.names("mine"), [])


if __name__ == "__main__":
    unittest.main()
