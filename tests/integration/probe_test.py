"""`apiquota probe` and `apiquota healthcheck`: what they ask, what they say, and by which exit code."""

import json
import subprocess
import unittest

from harness import BINARY, Simulator, Workspace
from polled_api import PolledApi
from serving import Agent

CANARY = "sk-canary-probe-4d1f"


def run(*arguments, environment=None):
    done = subprocess.run(
        [BINARY, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={"MY_KEY": CANARY, **(environment or {})},
    )
    assert CANARY not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


class ProbeTest(unittest.TestCase):
    def setUp(self):
        self.api = PolledApi(fault=lambda path, credential: path.split("?")[0].removeprefix("/"))

    def test_a_url_is_asked_and_explained(self):
        done = run(
            "probe",
            "-H",
            "X-Team: 7",
            "--key-from-env=MY_KEY",
            "--exporter=github",
            self.api.url + "/ok?k=v",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.splitlines()[0], rf"^{self.api.url}/ok answered 200 in \d+ ms$")
        self.assertIn("42 of 60", done.stdout)
        head = self.api.polls[0].head
        self.assertIn("GET /ok?k=v HTTP/1.1\r\n", head)
        self.assertIn(f"authorization: Bearer {CANARY}\r\n", head)
        self.assertIn("X-Team: 7\r\n", head)

    def test_the_json_of_one_target_is_that_of_explain(self):
        done = run("probe", "--format=json", self.api.url + "/ok")
        said = json.loads(done.stdout)
        self.assertEqual((said["exporter"], said["status"], said["throttle"]), ("generic", 200, None))
        self.assertEqual([(q["limit"], q["remaining"]) for q in said["quotas"]], [(60, 42)])
        self.assertNotIn("target", said)

    def test_several_targets_are_asked_at_once_and_the_worst_counts(self):
        urls = [f"{self.api.url}/{fault}" for fault in ("ok", "silent", "reset")]
        done = run("probe", "--format=json", *urls)
        self.assertEqual(done.returncode, 4, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual([entry["target"] for entry in said], urls)
        self.assertEqual(
            said[2],
            {
                "target": urls[2],
                "error": "closed_early",
                "detail": "the upstream closed the connection before it answered",
            },
        )
        self.assertEqual(run("probe", *urls[:2]).returncode, 3)
        text = run("probe", *urls).stdout
        self.assertIn(
            "no answer (closed_early): the upstream closed the connection before it answered", text
        )

    def test_why_an_answer_was_refused_is_said_as_the_proxy_says_it(self):
        done = run("probe", "--format=json", f"{self.api.url}/long_head")
        said = json.loads(done.stdout)
        self.assertEqual("response_head_size", said["error"])
        self.assertTrue(said["detail"].endswith(": the head is too long (head_size)"), said)

    def test_configured_apis_are_asked_with_each_of_their_keys(self):
        with Workspace() as work:
            config = work.directory / "agent.yaml"
            config.write_text(
                f"apis:\n  - name: demo\n    exporter: generic\n    base_url: {self.api.url}\n"
                "    keys: [{name: one, value_from_env: MY_KEY}, {name: two, value_from_env: OTHER}]\n"
                "    poll: {path: /ok}\n"
            )
            done = run(
                "probe", f"--config.file={config}", "demo", "--format=json", environment={"OTHER": "sk-2"}
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(
                [entry["target"] for entry in json.loads(done.stdout)], ["demo (one)", "demo (two)"]
            )
            self.assertEqual(
                {poll.credential for poll in self.api.polls}, {f"Bearer {CANARY}", "Bearer sk-2"}
            )

    def test_a_simulated_api_is_understood(self):
        with Workspace() as work:
            simulator = Simulator(work, "openai", "--limit=3", "--window=60s", "--path=/v1/models")
            done = run("probe", "--exporter=openai", simulator.url + "/v1/models")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("2 of 3 requests left", done.stdout)

    def test_what_cannot_be_asked_is_said_in_one_sentence(self):
        for arguments, complaint in (
            (["nonesuch"], "TARGET: unknown exporter; expected one of "),
            (
                ["generic"],
                "TARGET: every customer has a host of their own; probe a URL with --exporter generic",
            ),
            (["github", "ftp://x/"], "TARGET 2: base URL: expected http:// or https://"),
            (["-H", f"broken {CANARY}", self.api.url], 'expected "Name: value"'),
            (
                ["--key-from-env=NONE", self.api.url],
                "expected the name of a variable that holds a credential",
            ),
            (["--method=POST", self.api.url], 'expected GET or HEAD'),
            (["--format=xml", self.api.url], 'expected text or json'),
        ):
            done = run("probe", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(complaint, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(self.api.polls, [])


class HealthcheckTest(unittest.TestCase):
    def test_a_living_agent_is_told_from_a_dead_one(self):
        with Workspace() as work:
            agent = Agent(work)
            address = agent.admin.removeprefix("http://")
            self.assertEqual(run("healthcheck", f"--web.listen-address={address}").returncode, 0)
            everywhere = ":" + address.rsplit(":", 1)[1]
            self.assertEqual(run("healthcheck", f"--web.listen-address={everywhere}").returncode, 0)
            self.assertEqual(run("healthcheck", f"--url={agent.admin}/-/ready").returncode, 0)
            wrong = run("healthcheck", f"--url={agent.admin}/nonesuch")
            self.assertEqual(wrong.returncode, 1)
            self.assertEqual(wrong.stderr, "apiquota healthcheck: --url answered 404\n")
            agent.stop()
            dead = run("healthcheck", f"--web.listen-address={address}")
            self.assertEqual(dead.returncode, 1)
            self.assertEqual(
                dead.stderr,
                f"apiquota healthcheck: {agent.admin}/-/healthy: " "the upstream refused the connection\n",
            )


if __name__ == "__main__":
    unittest.main(verbosity=1)
