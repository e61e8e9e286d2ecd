"""What a caller is told of what it may still ask for, at /-/budget of the proxy; and what the admin side
tells of limits of the operator's own: used, refused, and by whom."""

import http.client
import json
import unittest

from harness import Workspace
from raw_http import Upstream
from serving import Agent

KEY = "sk-canary-0123456789"
TOKENS = {"NIGHTLY": "canary-nightly-0123456789", "DEPLOY": "canary-deploy-0123456789"}
ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 42\r\n"
          b"X-RateLimit-Reset: 3600\r\n\r\nok")
CONFIG = """\
apis:
  - name: t
    exporter: generic
    route: /
    base_url: "http://%(address)s"
    keys: [{name: ci, value_from_env: KEY, inject: default}]
    guard:
      mode: on
      limits:
        - {name: a-minute, by: [caller], limit: 3, window: 1h}
        - {name: each, by: [address], limit: 100, window: 1h}
  - {name: unused, exporter: generic, base_url: "http://%(address)s"}
callers:
  - {name: nightly, token_from_env: NIGHTLY, apis: [t]}
  - {name: deploy, token_from_env: DEPLOY}
"""


class BudgetTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        upstream = Upstream(lambda request, sock: ANSWER)
        config = self.work.directory / "agent.yaml"
        config.write_text(CONFIG % {"address": upstream.address})
        self.agent = Agent(self.work, f"--config.file={config}", environment={"KEY": KEY, **TOKENS})

    def ask(self, path, token, method="GET", door="proxy"):
        connection = http.client.HTTPConnection(self.agent.address(door), timeout=20)
        try:
            connection.request(method, path, headers={"authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def budget(self, who):
        status, text = self.ask("/-/budget", TOKENS[who])
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def admin(self, path):
        status, text = self.ask(path, "", door="admin")
        self.assertEqual(status, 200, text)
        return text

    def test_each_caller_sees_its_own_use_of_the_keys_quota_and_of_its_limits(self):
        spent = [self.ask("/v1", TOKENS["NIGHTLY"])[0] for _ in range(4)]
        self.assertEqual(spent, [200, 200, 200, 429])
        nightly, deploy = self.budget("NIGHTLY"), self.budget("DEPLOY")
        self.assertEqual((nightly["caller"], [api["api"] for api in nightly["apis"]]), ("nightly", ["t"]))
        self.assertEqual((deploy["caller"], [api["api"] for api in deploy["apis"]]),
                         ("deploy", ["t", "unused"]))
        used = {"limit": "a-minute", "unit": "requests", "allowed": 3, "window_seconds": 3600}
        of_nightly, of_deploy = nightly["apis"][0], deploy["apis"][0]
        for api in (of_nightly, of_deploy):
            quota = api["quotas"][0]
            self.assertEqual((quota["limit"], quota["remaining"]), (60, 42))
            self.assertEqual(api["waits"], {"waiting": 0, "oldest_seconds": None, "last_seconds": None})
            self.assertEqual(len(api["limits"]), 1, "not the one by address")
            self.assertLessEqual(used.items(), api["limits"][0].items())
        self.assertEqual((of_nightly["limits"][0]["used"], of_nightly["limits"][0]["remaining"]), (3, 0))
        self.assertEqual((of_deploy["limits"][0]["used"], of_deploy["limits"][0]["remaining"]), (0, 3))
        for page in (json.dumps(nightly), json.dumps(deploy)):
            for secret in (KEY, *TOKENS.values()):
                self.assertNotIn(secret, page)

    def test_whoever_has_no_token_sees_nothing_and_the_agents_own_addresses_reach_no_api(self):
        self.assertEqual(self.ask("/-/budget", "canary-nightly")[0], 401)
        self.assertEqual(self.ask("/-/budget", KEY)[0], 401)
        self.assertEqual(self.ask("/-/budget", TOKENS["NIGHTLY"], "POST")[0], 405)
        self.assertEqual(self.ask("/-/healthy", TOKENS["NIGHTLY"])[0], 404)
        self.assertEqual(self.ask("/-/budget", TOKENS["NIGHTLY"], "HEAD"), (200, ""))

    def test_the_admin_side_tells_who_is_at_its_limit_and_who_was_refused(self):
        for _ in range(4):
            self.ask("/v1", TOKENS["NIGHTLY"])
        self.assertRegex(self.admin("/metrics"),
                         r'apiquota_limit_used_ratio\{api="t",limit="a-minute",caller="nightly"\} 1\n')
        self.assertNotIn('limit="each",caller', self.admin("/metrics"))
        api = json.loads(self.admin("/api/v1/guard"))["apis"][0]
        told = [(limit["limit"], use["caller"], use["used"], use["allowed"])
                for limit in api["limits"] for use in limit["uses"]]
        self.assertEqual(told, [("a-minute", "nightly", 3, 3), ("each", None, 3, 100)])
        self.assertEqual(api["decisions"]["on"]["reject"], {"limit": 1})
        refused = json.loads(self.admin("/api/v1/explain?api=t"))["last_refused"]
        limit = refused["limit"]
        self.assertEqual((refused["rule"], limit["name"], limit["limit"], refused["caller"]),
                         ("limit", "a-minute", 3, "nightly"))
        self.assertTrue(3000 < refused["wait_seconds"] <= 3600, refused)


if __name__ == "__main__":
    unittest.main()
