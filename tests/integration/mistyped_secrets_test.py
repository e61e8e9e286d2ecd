"""A credential typed into the wrong place is not repeated by the complaint: not as it stands, not encoded,
nor its beginning. Every place is tried with the real program."""

import base64
import os
import resource
import socket
import subprocess
import unittest
import urllib.parse
from pathlib import Path

from harness import BINARY, Workspace
from serving import LISTEN, Agent

CANARY = "sk-canary~7f3a/91c+e5"
LOWER = "skcanary7f3a91c0e5"  # a canary that passes for a name, a key or a route
VARIABLE = "SKCANARY7F3A91C0E5"  # … and for an environment variable (as AKIA… would)

API = "apis:\n  - name: a\n    exporter: openai\n"

# One mistake each; {} is where the credential was typed.
CONFIGURATIONS = [
    "{}\n",
    "{}: 1\n",
    "{}: 1\n{}: 2\n",
    "- {}\n",
    "proxy: {}\n",
    "apis: {}\n",
    "apis: [{}]\n",
    "apis: *{}\n",
    "apis: &{} []\n",
    "apis: !{} []\n",
    "apis: [{}\n",
    "a: b: {}\n",
    'a: "\\q{}"\n',
    "%YAML {}\n---\na: 1\n",
    "callers: {}\n",
    "callers: [{{name: c, token: {}}}]\n",
    "callers: [{{name: c, token_from_env: {}}}]\n",
    "callers: [{{name: c, token_from_file: {}}}]\n",
    "callers: [{{name: c, token_from_env: TOKEN, apis: [{}]}}]\n",
    "callers: [{{name: '{}', token_from_env: TOKEN}}, {{name: '{}', token_from_env: OTHER}}]\n",
    "proxy: {{listen: {}}}\n",
    "proxy: {{hosts: ['{}:1']}}\n",
    "proxy: {{loops: {}}}\n",
    "proxy: {{connect_timeout: {}}}\n",
    "proxy: {{tls: {{ca_file: {}}}}}\n",
    "admin: {{threads: {}}}\n",
    "ledger: {{expire_after: {}}}\n",
    "state: {}\n",
    "proxy: {{web_config_file: {}}}\n",
    "admin: {{web_config_file: {}}}\n",
    "apis: [{{name: a, exporter: {}}}]\n",
    "apis: [{{name: '{} ', exporter: openai}}]\n",
    "apis: [{{name: '{}', exporter: openai}}, {{name: '{}', exporter: openai}}]\n",
    "apis: [{{name: a, exporter: openai, route: /{}}}, {{name: b, exporter: openai, route: /{}}}]\n",
    API + "    base_url: {}\n",
    API + "    base_url: ftp://{}\n",
    API + "    base_url: https://user:{}@h\n",
    API + "    base_url: https://h/?key={}\n",
    API + "    base_url: https://h/{}/../x\n",
    API + "    hosts: ['{}']\n",
    API + "    hosts: ['{}.localhost', '{}.localhost']\n",
    API + "    timeouts: {{first_byte: {}}}\n",
    API + "    route: {}\n",
    API + "    route: /{}/\n",
    API + "    labels: {}\n",
    API + "    labels: {{'{} ': x}}\n",
    API + "    keys: {}\n",
    API + "    keys: [{}]\n",
    API + "    keys: [{{name: k, value: {}}}]\n",
    API + "    keys: [{{name: k, {}: x}}]\n",
    API + "    keys: [{{name: k, value_from_env: {}}}]\n",
    API + "    keys: [{{name: k, value_from_file: {}}}]\n",
    API + "    keys: [{{name: k, value_from_env: TOKEN, inject: {}}}]\n",
    API + "    keys: [{{name: k, value_from_env: TOKEN, account: '{} '}}]\n",
    API + "    keys: [{{name: '{}', value_from_env: TOKEN}}, {{name: '{}', value_from_env: OTHER}}]\n",
    API + "    keys: [{{name: '{}', value_from_env: TOKEN}}, {{name: b, value_from_env: TOKEN}}]\n",
    API + "    poll: {}\n",
    API + "    poll: {{jitter: {}}}\n",
    API + "    poll: {{method: {}}}\n",
    API + "    poll: {{path: '{}'}}\n",
    API + "    limits: [{{quota: '{}', limit: 1, window: 1m}}, {{quota: '{}', limit: 1, window: 1m}}]\n",
    API + "    limits: [{{quota: q, limit: {}, window: 1m}}]\n",
]

ARGUMENTS = [
    ["{}"],
    ["--{}"],
    ["serve", "{}"],
    ["serve", "--{}=1"],
    ["serve", "--{}", "1"],
    ["serve", "--api", "{}"],
    ["serve", "--api", "{}=nonesuch@http://h"],
    ["serve", "--api", "a={}@http://h"],
    ["serve", "--api", "a=openai@{}"],
    ["serve", "--api", "a=openai@http://user:{}@h"],
    ["serve", "--api", "a=openai@http://h?key={}"],
    ["serve", "--config.file={}"],
    ["serve", "--web.config.file={}"],
    ["serve", "--proxy.config.file={}"],
    ["serve", "--exporters.dir={}"],
    ["serve", "--log.level={}"],
    ["serve", "--log.format={}"],
    ["serve", "--web.listen-address={}"],
    ["serve", "--proxy.listen-address={}"],
    ["serve", "--web.enable-lifecycle={}"],
    ["check-config", "{}"],
    ["check-config", "--exporters.dir={}", "x"],
    ["probe", "{}"],
    ["probe", "http://user:{}@127.0.0.1:1"],
    ["probe", "http://127.0.0.1:1", "http://127.0.0.1:1/#{}"],
    ["probe", "http://{}@127.0.0.1:1/"],
    ["probe", "ftp://{}/"],
    ["probe", "http://127.0.0.1:1/?key={}"],
    ["probe", "http://127.0.0.1:1", "-H", "{}"],
    ["probe", "http://127.0.0.1:1", "-H", "Authorization: Bearer {}"],
    ["probe", "http://127.0.0.1:1", "--key-from-env={}"],
    ["probe", "http://127.0.0.1:1", "--exporter={}"],
    ["probe", "http://127.0.0.1:1", "--method={}"],
    ["probe", "http://127.0.0.1:1", "--format={}"],
    ["probe", "http://127.0.0.1:1", "--timeout={}"],
    ["probe", "github", "--config.file={}"],
    ["probe", "github", "--{}"],
    ["explain", "{}"],
    ["explain", "--exporter={}", "answer.http"],
    ["explain", "--now={}", "answer.http"],
    ["explain", "--request-url={}", "answer.http"],
    ["explain", "--request-url=https://user:{}@api.github.com/?key={}", "answer.http"],
    ["explain", "--format={}", "answer.http"],
    ["explain", "answer.http"],
    ["explain", "broken.http"],
    ["exporters", "{}"],
    ["exporters", "github", "--format={}"],
    ["healthcheck", "--url={}"],
    ["healthcheck", "--url=http://user:{}@127.0.0.1:1/?key={}"],
    ["healthcheck", "--web.listen-address={}"],
    ["simulate", "--exporter={}"],
    ["simulate", "--exporter=github", "--quota={}"],
    ["simulate", "--exporter=openai", "--quota=requests={}"],
    ["simulate", "--exporter=openai", "--throttle={}"],
    ["simulate", "--exporter=openai", "--limit={}"],
    ["simulate", "--exporter=openai", "--chunks={}"],
    ["simulate", "--exporter=openai", "--sse={}"],
]

# These say nothing wrong; what they print is held to the same.
ACCEPTED = [
    ["explain", "answer.http"],
    ["explain", "--request-url=https://user:{}@api.github.com/?key={}", "answer.http"],
]

EXPORTER = "name: x\ntitle: X\nquotas: []\n"
EXPORTERS = [
    "{}\n",
    EXPORTER + "{}: 1\n",
    "name: '{} '\ntitle: X\n",
    EXPORTER + "base_url: {}\n",
    EXPORTER + "credential: {}\n",
    EXPORTER + "credential: {{header: '{} '}}\n",
    EXPORTER + "credential: {{header: authorization, value: {}}}\n",
    EXPORTER + "poll: {{path: '{}', costs: nothing}}\n",
    EXPORTER + "poll: {{path: /x, costs: '{}'}}\n",
    EXPORTER + "poll: {{path: /x, costs: nothing, headers: {{'{} ': x}}}}\n",
    EXPORTER + "poll: {{path: /x, costs: nothing, headers: {{authorization: \"{}\\t\"}}}}\n",
    EXPORTER + "retry_after: ['{} ']\n",
    EXPORTER + "throttle: [{{status: {}}}]\n",
]


WEB_CONFIGURATIONS = [
    "{}\n",
    "{}: 1\n",
    "tls_server_config: {}\n",
    "tls_server_config: {{cert_file: {}, key_file: {}}}\n",
    "tls_server_config: {{cert: {}, key: {}}}\n",
    "tls_server_config: {{cert: {}, key_file: {}, client_auth_type: {}}}\n",
    "tls_server_config: {{cert: x, key: x, min_version: {}}}\n",
    "tls_server_config: {{cert: x, key: x, cipher_suites: [{}]}}\n",
    "http_server_config: {{http2: {}}}\n",
    "http_server_config: {{headers: {{X-Frame-Options: {}}}}}\n",
    "http_server_config: {{headers: {{{}: x}}}}\n",
    "basic_auth_users: {}\n",
    "basic_auth_users: {{user: {}}}\n",
    "basic_auth_users: {{'{}:x': y}}\n",
    "rate_limit: {{interval: {}}}\n",
]


def traces(canary):
    quoted = urllib.parse.quote(canary, safe="")
    whole = {canary, base64.b64encode(canary.encode()).decode().rstrip("="), quoted, quoted.lower()}
    return {trace.lower() for trace in whole} | {canary[:8].lower()}


class MistypedSecretsTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        home = str(self.work.directory)
        self.environment = {**os.environ, "HOME": home, "XDG_STATE_HOME": home,
                            "TOKEN": "another-credential-1", "OTHER": "another-credential-2"}

    def run_with(self, canary, arguments, complains=True):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30,
                              env=self.environment, cwd=self.work.directory, stdin=subprocess.DEVNULL)
        said = (done.stdout + done.stderr).lower()
        for trace in traces(canary):
            self.assertNotIn(trace, said, arguments)
        if complains:
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertTrue(said.strip(), arguments)
        return done

    def test_in_the_configuration(self):
        for text in CONFIGURATIONS:
            for canary in (CANARY, LOWER, VARIABLE):
                with self.subTest(text=text, canary=canary):
                    count = text.replace("{{", "").replace("}}", "").count("{}")
                    (self.work.directory / "c.yaml").write_text(text.format(*[canary] * count))
                    done = self.run_with(canary, ["check-config", "c.yaml"], complains=False)
                    if done.returncode != 0:
                        self.assertRegex(done.stderr, r"^c\.yaml:\d+:\d+: ")

    def test_in_the_web_configuration(self):
        for text in WEB_CONFIGURATIONS:
            for canary in (CANARY, LOWER):
                with self.subTest(text=text, canary=canary):
                    count = text.replace("{{", "").replace("}}", "").count("{}")
                    (self.work.directory / "w.yaml").write_text(text.format(*[canary] * count))
                    for section in ("admin", "proxy"):
                        config = self.work.directory / "c.yaml"
                        config.write_text(f"{section}: {{web_config_file: w.yaml}}\n")
                        self.run_with(canary, ["check-config", "c.yaml"], complains=False)
                    for flag in ("--web.config.file=w.yaml", "--proxy.config.file=w.yaml"):
                        self.run_with(canary, ["serve", *LISTEN, flag])

    def test_in_arguments(self):
        for canary in (CANARY, LOWER):
            (self.work.directory / "answer.http").write_text(
                f"> GET /user?key={canary} HTTP/1.1\n> Host: api.github.com\n"
                f"> Authorization: Bearer {canary}\n>\n"
                f"< HTTP/1.1 200 OK\n< X-RateLimit-Limit: {canary}\n< Set-Cookie: {canary}\n<\n"
                f"{{\"a\": \"{canary}\"}}\n")
            (self.work.directory / "broken.http").write_text(f"Authorization: Bearer {canary}\n")
            for arguments in ARGUMENTS:
                with self.subTest(arguments=arguments, canary=canary):
                    in_url = urllib.parse.quote(canary, safe="")
                    filled = [a.replace("{}", in_url if "://" in a else canary) for a in arguments]
                    self.run_with(canary, filled, complains=arguments not in ACCEPTED)

    def test_in_exporter_files(self):
        (self.work.directory / "exporters").mkdir()
        for text in EXPORTERS:
            for canary in (CANARY, LOWER):
                with self.subTest(text=text, canary=canary):
                    count = text.replace("{{", "").replace("}}", "").count("{}")
                    (self.work.directory / "exporters" / "x.yaml").write_text(text.format(*[canary] * count))
                    self.run_with(canary, ["exporters", "x", "--exporters.dir=exporters"], complains=False)
                    self.run_with(canary, ["check-config", "--exporters.dir=exporters", "none"])

    def test_in_the_configuration_of_a_running_agent(self):
        config = self.work.directory / "c.yaml"
        config.write_text("apis: []\n")
        agent = Agent(self.work, "--config.file", config, "--log.level=debug")
        config.write_text(API + f"    keys: {CANARY}\n")
        agent.hang_up("reload_failed")
        for trace in traces(CANARY):
            self.assertNotIn(trace, agent.log().lower())


class HardenedTest(unittest.TestCase):
    def test_a_command_that_holds_a_credential_leaves_no_core(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        if hard == 0:
            self.skipTest("no core dumps are allowed here anyway")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            target = f"http://127.0.0.1:{silent.getsockname()[1]}"
            probe = subprocess.Popen(
                [BINARY, "probe", target, "--timeout=20s"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
            try:
                silent.accept()[0].close()  # it has begun: what it must do first is done
                limits = Path(f"/proc/{probe.pid}/limits").read_text()
            finally:
                probe.kill()
                probe.wait()
        self.assertRegex(limits, r"Max core file size +0 +0 ")


if __name__ == "__main__":
    unittest.main(verbosity=1)
