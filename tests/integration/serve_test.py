"""`apiquota serve` as a user meets it: the real binary, real sockets on free ports."""

import http.server
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
import unittest

from harness import BINARY, Program, Workspace, get, get_json, parse_metrics, wait_until

LISTEN = ["--web.listen-address=127.0.0.1:0", "--proxy.listen-address=127.0.0.1:0"]
CANARY = "sk-canary-5f1c9d"


class Upstream:
    """An API on a free port that remembers what it was asked and announces 60 requests, 42 left."""

    def __init__(self):
        seen = self.seen = []
        release = self.release = threading.Event()
        self.arrived = threading.Event()
        arrived = self.arrived

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                if self.path.startswith("/slow"):
                    arrived.set()
                    release.wait(20)
                body = b"hello\n"
                self.send_response(200)
                for name, value in (("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "42"),
                                    ("X-RateLimit-Reset", "3600"), ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except BrokenPipeError:
                    pass  # the agent was told to end at once

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Agent(Program):
    """The agent on ports of the system's choice, which its log names."""

    def __init__(self, work, *arguments, name="agent", environment=None):
        super().__init__(work, name, [BINARY, "serve", *LISTEN, *arguments],
                         {"HOME": str(work.directory), "XDG_STATE_HOME": str(work.directory), "STATE_DIRECTORY": "",
                          **(environment or {})})
        self.wait_for(lambda: "event=ready" in self.log(), 10, "the agent is ready")
        self.admin = "http://" + self.address("admin")
        self.proxy = "http://" + self.address("proxy")

    def log(self):
        return self.err.read_text()

    def address(self, surface):
        return re.search(rf"event=listening surface={surface} address=(\S+)", self.log())[1]

    def sample(self, name):
        status, _, body = get(self.admin + "/metrics")
        assert status == 200
        return [(labels, value) for have, labels, value in parse_metrics(body.decode()) if have == name]

    def hang_up(self, event):
        """SIGHUP, and wait for one more line of this event."""
        before = self.log().count(f"event={event} ")
        os.kill(self.pid, signal.SIGHUP)
        self.wait_for(lambda: self.log().count(f"event={event} ") > before, 10, event)


class ServeTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.upstream = Upstream()
        self.addCleanup(self.upstream.stop)

    def write(self, name, text):
        path = self.work.directory / name
        path.write_text(text)
        return path

    def test_without_arguments_every_known_api_is_proxied(self):
        agent = Agent(self.work)
        apis = {api["name"]: api for api in get_json(agent.admin + "/api/v1/apis")["apis"]}
        self.assertLessEqual({"openai", "anthropic", "github"}, apis.keys())
        self.assertEqual(apis["openai"], {"name": "openai", "exporter": "openai", "base_url": "https://api.openai.com",
                                          "route": "/openai", "keys": [], "labels": {}})
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

        quota, = get_json(agent.admin + "/api/v1/quotas")["quotas"]
        self.assertRegex(quota["key"], r"^hmac:[0-9a-f]{8}$")
        self.assertEqual((quota["api"], quota["limit"], quota["remaining"], quota["used"]), ("demo", 60, 42, 18))
        labels = {name: quota[name] for name in ("api", "key", "resource", "quota", "unit")}
        self.assertEqual(agent.sample("apiquota_quota_remaining"), [(labels, 42.0)])
        self.assertEqual(agent.sample("apiquota_quota_used_ratio"), [(labels, 0.3)])
        self.assertEqual([(have["code"], value) for have, value in agent.sample("apiquota_proxy_requests_total")
                          if have["api"] == "demo" and value], [("200", 1.0)])
        self.assertNotIn(CANARY, agent.output() + get(agent.admin + "/metrics")[2].decode())

    def test_unknown_keys_keep_their_names_over_restarts(self):
        names = set()
        for name in ("first", "second"):
            agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}", name=name)
            get(agent.proxy + "/demo/", {"Authorization": f"Bearer {CANARY}"})
            names |= {quota["key"] for quota in get_json(agent.admin + "/api/v1/quotas")["quotas"]}
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
        self.assertEqual([quota["remaining"] for quota in get_json(agent.admin + "/api/v1/quotas")["quotas"]], [42])
        agent.stop()
        state.write_text("{ half a fi")
        agent = Agent(self.work, "--config.file", config, name="third")
        self.assertEqual(get_json(agent.admin + "/api/v1/quotas")["quotas"], [])
        self.assertIn("event=state_set_aside", agent.log())
        self.assertEqual((self.work.directory / "state.json.unreadable").read_text(), "{ half a fi")

    def test_a_reload_swaps_everything_or_nothing(self):
        good = f"apis:\n  - {{name: NAME, exporter: generic, base_url: '{self.upstream.url}'}}\n"
        config = self.write("c.yaml", good.replace("NAME", "one"))
        agent = Agent(self.work, "--config.file", config, "--web.enable-lifecycle")
        self.assertEqual([get(agent.proxy + path)[0] for path in ("/one/", "/two/")], [200, 404])

        config.write_text(good.replace("NAME", "two"))
        agent.hang_up("reloaded")
        self.assertEqual([get(agent.proxy + path)[0] for path in ("/one/", "/two/")], [404, 200])

        config.write_text("apis:\n  - {name: three, exporter: genric}\n")
        agent.hang_up("reload_failed")
        self.assertEqual([get(agent.proxy + path)[0] for path in ("/two/", "/three/")], [200, 404])
        self.assertEqual(agent.sample("apiquota_config_last_reload_successful"), [({}, 0.0)])
        mistake = f'{config}:2:29: unknown exporter "genric"; did you mean "generic"?'
        self.assertIn(mistake.replace('"', '\\"'), agent.log())
        self.assertEqual(get(agent.admin + "/-/reload", method="POST")[::2],
                         (500, f"not reloaded, the old configuration is still in use: {mistake}\n".encode()))

        config.write_text(good.replace("NAME", "four") + "ledger: {quotas_max: 7}\n")
        self.assertEqual(get(agent.admin + "/-/reload", method="POST")[::2], (200, b"reloaded\n"))
        self.assertEqual(get(agent.proxy + "/four/")[0], 200)
        self.assertEqual(agent.sample("apiquota_config_last_reload_successful"), [({}, 1.0)])
        self.assertIn("event=restart_needed changed=ledger", agent.log())

        status, headers, _ = get(agent.admin + "/-/reload")
        self.assertEqual((status, headers["allow"]), (405, "POST"))
        self.assertEqual(get(agent.admin + "/-/reload", {"Origin": "http://evil.example"}, method="POST")[0], 403)

    def test_reloading_over_http_is_off_by_default(self):
        agent = Agent(self.work)
        self.assertEqual(get(agent.admin + "/-/reload", method="POST")[0], 404)

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
        self.assertEqual(get(agent.proxy + "/demo/", {"Authorization": "Bearer another"})[0] // 100, 4)
        self.assertEqual(len(self.upstream.seen), 1)
        self.assertEqual({(labels["key"], labels["caller"]) for labels, value in
                          agent.sample("apiquota_upstream_requests_total") if value}, {("ci", "nightly")})
        shown = agent.output() + get(agent.admin + "/metrics")[2].decode() + get(agent.admin + "/api/v1/apis")[2].decode()
        for secret in (CANARY, "nightly-token"):
            self.assertNotIn(secret, shown)

    def test_sigterm_lets_requests_finish(self):
        agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}")
        answers = []
        client = threading.Thread(target=lambda: answers.append(get(agent.proxy + "/demo/slow", timeout=30)[::2]))
        client.start()
        self.assertTrue(self.upstream.arrived.wait(10))
        os.kill(agent.pid, signal.SIGTERM)
        agent.wait_for(lambda: get(agent.admin + "/-/ready")[0] == 503, 10, "readiness is off")
        wait_until(lambda: refused(agent.address("proxy")), 10, "no new connections are taken")
        self.assertEqual(get(agent.admin + "/metrics")[0], 200)
        self.upstream.release.set()
        client.join(20)
        self.assertEqual(answers, [(200, b"hello\n")])
        self.assertEqual(agent.process.wait(10), 0)
        self.assertIn("event=stopped", agent.log())

    def test_a_second_signal_ends_it_at_once(self):
        agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}")
        host, port = agent.address("proxy").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /demo/slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(self.upstream.arrived.wait(10))
            os.kill(agent.pid, signal.SIGTERM)
            agent.wait_for(lambda: get(agent.admin + "/-/ready")[0] == 503, 10, "it drains")
            os.kill(agent.pid, signal.SIGINT)
            self.assertEqual(agent.process.wait(10), 128 + signal.SIGINT)

    def test_slow_clients_of_the_proxy_stop_nobody_else(self):
        agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}")
        host, port = agent.address("proxy").split(":")
        slow = []
        try:
            for _ in range(1000):
                slow.append(socket.create_connection((host, int(port))))
                slow[-1].sendall(b"GET /demo/ HTTP/1.1\r\nHost: loc")
            began = time.monotonic()
            self.assertEqual(get(agent.admin + "/metrics")[0], 200)
            self.assertEqual(get(agent.proxy + "/demo/")[0], 200)
            self.assertLess(time.monotonic() - began, 2)
        finally:
            for connection in slow:
                connection.close()

    def test_its_memory_is_nobodys(self):
        agent = Agent(self.work)
        with open(f"/proc/{agent.pid}/limits") as limits:
            core, = [line for line in limits if line.startswith("Max core file size")]
        self.assertEqual(core.split()[4:6], ["0", "0"])


class BadInputTest(unittest.TestCase):
    """One sentence on stderr, exit code 2, nothing started."""

    def setUp(self):
        self.work = self.enterContext(Workspace())

    def refused(self, *arguments, environment=None):
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=20,
                              cwd=self.work.directory, stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": str(self.work.directory),
                                   "XDG_STATE_HOME": str(self.work.directory), **(environment or {})})
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr.rstrip("\n")

    def config(self, text):
        (self.work.directory / "c.yaml").write_text(text)
        return ["serve", *LISTEN, "--config.file", "c.yaml"]

    def test_configurations(self):
        api = "apis:\n  - {name: a, exporter: openai, keys: [{name: ci, "
        for text, sentence in (
            ("prxy: {}\n", 'c.yaml:1:1: unknown key "prxy"; did you mean "proxy"?'),
            ("proxy: {connect_timeout: soon}\n",
             'c.yaml:1:26: expected a duration such as 60s, 1m30s or 250ms, found "soon"'),
            (api + "value_from_env: NO_SUCH_KEY}]}\n",
             "c.yaml:2:67: environment variable NO_SUCH_KEY is not set; expected it to hold a credential"),
            (api + "value_from_file: missing}]}\n", "c.yaml:2:68: cannot read missing: No such file or directory"),
            ("apis:\n  - {name: a, exporter: opnai}\n", 'c.yaml:2:25: unknown exporter "opnai"; did you mean "openai"?'),
            ("apis:\n  - {name: a, exporter: openai, base_url: 'ftp://x'}\n",
             'c.yaml:2:43: base URL "ftp://x": expected http:// or https://'),
            ("proxy: {tls: {ca_file: missing.pem}}\n",
             "c.yaml:1:24: cannot read missing.pem: No such file or directory"),
        ):
            self.assertEqual(self.refused(*self.config(text)), sentence)
            self.assertEqual(self.refused("check-config", "c.yaml"), sentence)

    def test_files_and_flags(self):
        for arguments, sentence in (
            (["serve", "--config.file", "none.yaml"], "cannot read none.yaml: No such file or directory"),
            (["serve", "--config.file", "."], "cannot read .: Is a directory"),
            (["serve", "--exporters.dir", "none"], "cannot read none: No such file or directory"),
            (["serve", "--proxy.listen-adress=:1"],
             'unknown flag "--proxy.listen-adress"; did you mean "--proxy.listen-address"?'),
            (["serve", "--api", "demo=gihub@http://x"],
             '--api demo: unknown exporter "gihub"; did you mean "github"?'),
            (["srve"], 'unknown command "srve"; did you mean "serve"?'),
            ([], "expected a command: serve, check-config, explain or simulate; see apiquota --help"),
        ):
            self.assertEqual(self.refused(*arguments), sentence)

    def test_a_ca_file_that_is_none(self):
        (self.work.directory / "ca.pem").write_text("no certificate\n")
        self.assertIn("ca.pem", self.refused(*self.config("proxy: {tls: {ca_file: ca.pem}}\n")).splitlines()[-1])

    def test_ports_in_use(self):
        agent = Agent(self.work)
        for surface, flag, other in (("admin", "--web.listen-address", "--proxy.listen-address"),
                                     ("proxy", "--proxy.listen-address", "--web.listen-address")):
            address = agent.address(surface)
            sentence = self.refused("serve", f"{flag}={address}", f"{other}=127.0.0.1:0")
            self.assertIn(address, sentence)
            self.assertIn("in use", sentence)
        self.assertEqual(get(agent.admin + "/-/ready")[0], 200)


def refused(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except ConnectionRefusedError:
        return True
    return False


if __name__ == "__main__":
    unittest.main(verbosity=1)
