#!/usr/bin/env python3
"""Whose credential a request carries: in the query, in a signature, in either half of Basic; one key has one
series, two keys have two, and no credential shows anywhere."""

import base64
import os
import signal
import unittest

from harness import BINARY, Agent, Program, Workspace, get, wait_until
from raw_http import Upstream, exchange
from scripted_api import ScriptedApi

ONE, TWO = "canary-one-0123456789+ab", "canary-two-9876543210"
PAT = "ghp_canary16C7e42F292c6912E7710c838347Ae178B4a"
REQUESTS = "apiquota_upstream_requests_total"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class WhoseKeyTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.api = ScriptedApi()
        self.addCleanup(self.api.stop)
        self.state = self.work.directory / "state.json"

    def start(self, exporter, keys="", more="", api="", url=None, environment=None):
        config = self.work.directory / "agent.yaml"
        config.write_text(f"state: {{file: {self.state}}}\n{more}apis:\n  - name: t\n"
                          f"    exporter: {exporter}\n    base_url: {url or self.api.url}\n{keys}{api}")
        return Agent(self.work, arguments=[f"--config.file={config}", "--log.level=debug"],
                     environment=environment)

    def counts(self, agent, expected):
        """How often each key asked, once `expected` requests are counted."""
        wait_until(lambda: agent.metric_sum(REQUESTS, api="t") == expected, 10, f"{expected} are counted")
        return {labels["key"]: value for name, labels, value in agent.metrics()
                if name == REQUESTS and labels["api"] == "t" and value > 0}

    def assert_hidden(self, agent, *secrets):
        pages = "".join(get(agent.admin_url + page)[2].decode(errors="replace")
                        for page in ("/metrics", "/api/v1/quotas", "/api/v1/apis", "/"))
        self.assertEqual(agent.stop(), 0)  # the log and the state are whole
        self.assertTrue(self.state.exists())
        for secret in secrets:
            for where, text in (("a page", pages), ("the log", agent.output()),
                                ("the state", self.state.read_text())):
                self.assertNotIn(secret, text, where)

    def test_two_keys_in_the_query_are_two_and_no_value_shows(self):
        self.api.says({"X-RateLimit-Limit": 60, "X-RateLimit-Remaining": 42, "X-RateLimit-Reset": 3600})
        for exporter, name in (("openweather", "appid"), ("etherscan", "apikey"), ("mapbox", "access_token"),
                               ("google-maps", "key"), ("trello", "token"), ("meta-graph", "access_token"),
                               ("google-workspace", "key"), ("generic", "api_key")):
            with self.subTest(exporter=exporter), Workspace() as self.work:
                self.state = self.work.directory / "state.json"
                agent = self.start(exporter)
                escaped = "".join(f"%{ord(c):02x}" for c in ONE)
                for query in (f"{name}={ONE}", f"q=1&{name}={escaped}", f"{name}={TWO}&q=2", "q=3"):
                    self.assertEqual(get(f"{agent.proxy_url}/t/x?{query}")[0], 200)
                    self.assertEqual(self.api.asked[-1], f"/x?{query}", "untouched")
                counts = self.counts(agent, 4)
                self.assertEqual(sorted(counts.values()), [1, 1, 2])
                self.assertEqual(counts["anonymous"], 1)
                self.assert_hidden(agent, ONE, TWO, escaped, ONE[:12])

    def test_nor_where_something_goes_wrong(self):
        upstream = Upstream(reply=lambda asked, sock: None)
        agent = self.start("openweather", url=f"http://{upstream.address}",
                           more="callers: [{name: c, token_from_env: TOKEN}]\n", environment={"TOKEN": TWO})
        request = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for target, status in ((f"/t/x?appid={ONE}", b" 502 "), (f"/t/x?appid={ONE}&appid={ONE}", b" 400 "),
                               (f"/t/x?q={TWO}", b" 403 "), (f"/nowhere?appid={ONE}", b" 404 "),
                               (f"/t/x?appid={ONE}#f", b" 400 ")):
            answer, _ = exchange(agent.proxy_url, request.format(target).encode())
            self.assertIn(status, answer)
            self.assertNotIn(b"canary", answer)
        self.assert_hidden(agent, "canary")

    def test_a_signed_request_is_its_signers(self):
        agent = self.start("aws-bedrock")
        signed = ("AWS4-HMAC-SHA256 Credential=AKIDCANARY/20261129/eu-west-1/bedrock/aws4_request, "
                  "SignedHeaders=host;x-amz-date, Signature={:064x}")
        for number in range(130):
            get(agent.proxy_url + "/t/model/x/invoke", {"Authorization": signed.format(number)})
        presigned = "X-Amz-Credential=AKIDCANARY%2F20261129%2Feu-west-1%2Fbedrock&X-Amz-Signature=a"
        get(f"{agent.proxy_url}/t/model/x/invoke?{presigned}")
        self.assertEqual(self.api.asked[-1], f"/model/x/invoke?{presigned}")
        get(agent.proxy_url + "/t/model/x/invoke",
            {"Authorization": signed.format(1).replace("AKIDCANARY", "AKIDOTHER")})
        self.assertEqual(sorted(self.counts(agent, 132).values()), [1, 131])
        self.assert_hidden(agent, "AKIDCANARY", "AKIDOTHER")

    def test_digest_and_oauth_are_one_key_each_whatever_they_sign(self):
        agent = self.start("generic")
        digest = ('Digest username="canary-user", realm="r, s", nonce="{0}", uri="/x", nc={0:08}, '
                  'cnonce="c", qop=auth, response="{0:032x}"')
        oauth = ('OAuth oauth_consumer_key="canary-consumer", oauth_token="canary-token", '
                 'oauth_nonce="{0}", oauth_signature="{0}%3D"')
        for number in range(6):
            for value in (digest, oauth):
                get(agent.proxy_url + "/t/x", {"Authorization": value.format(number)})
        self.assertEqual(sorted(self.counts(agent, 12).values()), [6, 6])
        self.assert_hidden(agent, "canary")

    def test_a_token_in_basic_is_the_key_it_is_alone(self):
        agent = self.start("github", keys="    keys: [{name: ci, value_from_env: CI}]\n",
                           environment={"CI": PAT + "ci"})
        for value in (f"Bearer {PAT}", f"token {PAT}", basic("octocat", PAT), basic(PAT, "x-oauth-basic"),
                      basic(PAT, ""), basic("somebody", PAT + "ci")):
            get(agent.proxy_url + "/t/user", {"Authorization": value})
        counts = self.counts(agent, 6)
        self.assertEqual(counts.pop("ci"), 1)
        self.assertEqual(list(counts.values()), [5])
        self.assert_hidden(agent, PAT, base64.b64encode(PAT.encode()).decode()[:-4])

    def test_a_token_that_is_made_anew_is_its_owners_where_the_file_says_so(self):
        agent = self.start("github")
        for number, app in enumerate((1, 1, 2)):
            claims = base64.urlsafe_b64encode(f'{{"iat":{number},"iss":"canary-{app}"}}'.encode()).decode()
            get(agent.proxy_url + "/t/app", {"Authorization": f"Bearer e30.{claims.rstrip('=')}.sig{number}"})
        self.assertEqual(sorted(self.counts(agent, 3).values()), [1, 2])
        self.assert_hidden(agent, "canary")

    def test_a_configured_key_is_recognised_in_the_query(self):
        agent = self.start("openweather", keys="    keys: [{name: ci, value_from_env: CI}]\n",
                           environment={"CI": ONE})
        get(f"{agent.proxy_url}/t/x?appid={ONE.replace('+', '%2B')}")
        self.assertEqual(self.counts(agent, 1), {"ci": 1})
        self.assert_hidden(agent, ONE)

    def test_a_key_is_injected_into_the_query_and_no_address_gives_it_away(self):
        agent = self.start("openweather",
                           keys="    keys: [{name: ci, inject: default, value_from_env: CI}]\n",
                           more="callers: [{name: c, token_from_env: TOKEN}]\n",
                           environment={"CI": ONE, "TOKEN": TWO})
        sent = ONE.replace("+", "%2B")
        self.api.says({"Link": f"<{self.api.url}/x?appid={sent}&page=2>; rel=next",
                       "Location": f"https://elsewhere.example/?appid={sent}"})
        status, headers, _ = get(f"{agent.proxy_url}/t/x?q=a%2fb&appid={TWO}")
        self.assertEqual((status, self.api.asked[-1]), (200, f"/x?q=a%2fb&appid={sent}"))
        self.assertEqual(headers["link"], f"<{agent.proxy_url}/t/x?page=2>; rel=next")
        self.assertEqual(headers["location"], "https://elsewhere.example/")
        nested = sent.replace("%", "%25")
        self.api.says({"Link": f"</x?a=1>; rel=next; anchor=\"/x?appid={sent}\"",
                       "Refresh": f"0; /x?appid={sent}",
                       "Location": f"/login?next=%2Fx%3Fappid%3D{nested}&a=1", "Content-Location": f"/{sent}",
                       "Set-Cookie": f"u={sent}"})
        headers = get(f"{agent.proxy_url}/t/x?appid={TWO}")[1]
        self.assertEqual(headers["location"], "/t/login?a=1")
        self.assertNotIn(ONE[:12], str(headers))
        get(f"{agent.proxy_url}/t/x?appid=own")
        self.assertEqual(self.api.asked[-1], "/x?appid=own")
        self.assertEqual(self.counts(agent, 3)["ci"], 2)
        self.assert_hidden(agent, ONE, sent, TWO)

    def test_a_poll_sends_its_key_in_the_query(self):
        self.api.says({"X-RateLimit-Limit": 60, "X-RateLimit-Remaining": 42, "X-RateLimit-Reset": 3600})
        agent = self.start("etherscan", keys="    keys: [{name: ci, value_from_env: CI}]\n",
                           api="    poll: {every: 1s, jitter: 0%, path: \"/v2/api?module=x\"}\n",
                           environment={"CI": ONE})
        sent = ONE.replace("+", "%2B")
        wait_until(lambda: len(self.api.asked) > 1, 10, "two polls")
        self.assertEqual(set(self.api.asked), {f"/v2/api?module=x&apikey={sent}"})
        self.api.says(status=500)
        wait_until(lambda: "poll_failed" in agent.output(), 10, "a failure is told")
        os.kill(agent.pid, signal.SIGHUP)
        wait_until(lambda: "event=reloaded" in agent.output(), 10, "a reload")
        self.assert_hidden(agent, ONE, sent)

    def test_nor_does_a_probe_show_it(self):
        self.api.says({"X-RateLimit-Limit": 60, "X-RateLimit-Remaining": 42, "X-RateLimit-Reset": 3600})
        for target in (f"{self.api.url}/x?appid=dummy", "http://127.0.0.1:1/x?appid=dummy"):
            probe = Program(self.work, "probe", [BINARY, "probe", target, "--exporter", "openweather",
                                                 "--key-from-env", "CI"], {"CI": TWO})
            probe.process.wait(20)
            self.assertNotIn(TWO, probe.output())
        self.assertEqual(self.api.asked, [f"/x?appid={TWO}"])


if __name__ == "__main__":
    unittest.main()
