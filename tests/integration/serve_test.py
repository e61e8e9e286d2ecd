"""`apiquota serve` as a user meets it: the real binary, real sockets on free ports."""

import re
import stat
import unittest

from harness import get, get_json, wait_until
from serving import Agent, ServingTest

CANARY = "sk-canary-5f1c9d"


class ServeTest(ServingTest):
    def test_without_arguments_every_known_api_is_proxied(self):
        agent = Agent(self.work)
        apis = {api["name"]: api for api in get_json(agent.admin + "/api/v1/apis")["apis"]}
        self.assertLessEqual({"openai", "anthropic", "github"}, apis.keys())
        self.assertEqual(apis["openai"], {
            "name": "openai", "exporter": "openai", "base_url": "https://api.openai.com", "route": "/openai",
            "keys": [], "labels": {}, "unread_limit_headers": [], "polls": []})
        self.assertEqual(get(agent.admin + "/-/healthy")[::2], (200, b"healthy\n"))
        self.assertEqual(get(agent.admin + "/-/ready")[::2], (200, b"ready\n"))
        status, headers, page = get(agent.admin + "/")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        for link in re.findall(r'href="([^"]+)"', page.decode()):
            self.assertEqual(get(agent.admin + link)[0], 200, link)
        self.assertEqual(get(agent.proxy + "/nothing-here")[0], 404)
        self.assertEqual(agent.sample("apiquota_config_last_reload_successful"), [({}, 1.0)])
        self.assertEqual(agent.stop(), 0)

    def test_a_request_through_an_api_of_the_command_line_shows_its_quota(self):
        agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}/base")
        status, headers, body = get(agent.proxy + "/demo/v1/x?y=1", {"Authorization": f"Bearer {CANARY}"})
        self.assertEqual((status, body, headers["x-ratelimit-remaining"]), (200, b"hello\n", "42"))
        path, sent = self.upstream.seen[0]
        self.assertEqual((path, sent["authorization"]), ("/base/v1/x?y=1", f"Bearer {CANARY}"))

        quota, = agent.quotas()
        self.assertRegex(quota["key"], r"^hmac:[0-9a-f]{8}$")
        self.assertEqual([quota[name] for name in ("api", "limit", "remaining", "used")],
                         ["demo", 60, 42, 18])
        labels = {name: quota[name] for name in ("api", "key", "resource", "quota", "unit")}
        self.assertEqual(agent.sample("apiquota_quota_remaining"), [(labels, 42.0)])
        self.assertEqual(agent.sample("apiquota_quota_used_ratio"), [(labels, 0.3)])
        answered = {have["code"]: value for have, value in agent.sample("apiquota_proxy_requests_total")
                    if have["api"] == "demo" and value}
        self.assertEqual(answered, {"200": 1})
        self.assertNotIn(CANARY, agent.output() + get(agent.admin + "/metrics")[2].decode())

    def test_unknown_keys_keep_their_names_over_restarts(self):
        names = set()
        for name in ("first", "second"):
            agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}", name=name)
            get(agent.proxy + "/demo/", {"Authorization": f"Bearer {CANARY}"})
            names |= {quota["key"] for quota in agent.quotas()}
            agent.stop()
        self.assertEqual(len(names), 1, names)
        salt = self.work.directory / "apiquota" / "key-salt"
        self.assertEqual(stat.S_IMODE(salt.stat().st_mode), 0o600)

    def test_readings_survive_a_restart_and_a_broken_state_file_is_set_aside(self):
        config = self.write("c.yaml", f"state: {{file: state.json}}\napis:\n"
                            f"  - {{name: demo, exporter: generic, base_url: '{self.upstream.url}'}}\n")
        agent = Agent(self.work, "--config.file", config, name="first")
        get(agent.proxy + "/demo/")
        self.assertEqual(agent.stop(), 0)
        state = self.work.directory / "state.json"
        self.assertNotIn(CANARY, state.read_text())
        agent = Agent(self.work, "--config.file", config, name="second")
        quota, = get_json(agent.admin + "/api/v1/quotas")["quotas"]
        self.assertEqual(quota["remaining"], 42)
        agent.stop()
        state.write_text("{ half a fi")
        agent = Agent(self.work, "--config.file", config, name="third")
        self.assertEqual(get_json(agent.admin + "/api/v1/quotas")["quotas"], [])
        self.assertIn("event=state_set_aside", agent.log())
        aside, = self.work.directory.glob("state.json.corrupt-*")
        self.assertEqual(aside.read_text(), "{ half a fi")

    def test_a_configured_key_is_injected_for_a_known_caller(self):
        config = self.write("c.yaml", f"""\
apis:
  - name: demo
    exporter: openai
    base_url: '{self.upstream.url}'
    keys: [{{name: ci, value_from_file: key, inject: default}}]
callers: [{{name: nightly, token_from_env: CALLER_TOKEN}}]
""")
        self.write("key", CANARY + "\n")
        agent = Agent(self.work, "--config.file", config, environment={"CALLER_TOKEN": "nightly-token"})
        self.assertEqual(get(agent.proxy + "/demo/", {"Authorization": "Bearer nightly-token"})[0], 200)
        self.assertEqual([sent["authorization"] for _, sent in self.upstream.seen], [f"Bearer {CANARY}"])
        get(agent.proxy + "/demo/", {"Authorization": "Bearer another"})
        _, sent = self.upstream.seen[1]
        self.assertEqual(sent["authorization"], "Bearer another", "nobody else gets the key")

        def counts():
            return {(labels["key"], labels["caller"]): value
                    for labels, value in agent.sample("apiquota_upstream_requests_total") if value}

        wait_until(lambda: sum(counts().values()) == 2, 5, "both are counted: that comes behind the answer")
        counted = counts()
        self.assertEqual(counted.pop(("ci", "nightly")), 1)
        (key, caller), = counted
        self.assertRegex(f"{key} by {caller}", "^hmac:[0-9a-f]{8} by $")
        pages = [get(agent.admin + page)[2].decode() for page in ("/metrics", "/api/v1/apis")]
        shown = agent.output() + "".join(pages)
        for secret in (CANARY, "nightly-token"):
            self.assertNotIn(secret, shown)

    def test_its_memory_is_nobodys(self):
        agent = Agent(self.work)
        with open(f"/proc/{agent.pid}/limits") as limits:
            core, = [line for line in limits if line.startswith("Max core file size")]
        self.assertEqual(core.split()[4:6], ["0", "0"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
