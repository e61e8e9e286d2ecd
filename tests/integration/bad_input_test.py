"""What can't be understood is said in one sentence, and nothing is started."""

import os
import subprocess
import unittest

from harness import BINARY, Workspace, get
from serving import LISTEN, Agent


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
             'c.yaml:1:26: expected a duration such as 60s, 1m30s or 250ms'),
            (api + "value_from_env: NO_SUCH_KEY}]}\n",
             "c.yaml:2:67: the environment variable named here is not set; expected it to hold a credential"),
            (api + "value_from_file: missing}]}\n",
             "c.yaml:2:68: cannot read the file named here: No such file or directory"),
            ("apis:\n  - {name: a, exporter: opnai}\n",
             'c.yaml:2:25: unknown exporter; did you mean "openai"?'),
            ("apis:\n  - {name: a, exporter: openai, base_url: 'ftp://x'}\n",
             'c.yaml:2:43: base URL: expected http:// or https://'),
            ("proxy: {tls: {ca_file: missing.pem}}\n",
             "c.yaml:1:24: cannot read the file named here: No such file or directory"),
        ):
            self.assertEqual(self.refused(*self.config(text)), sentence)
            self.assertEqual(self.refused("check-config", "c.yaml"), sentence)

    def test_files_and_flags(self):
        for arguments, sentence in (
            (["serve", "--config.file", "none.yaml"],
             "cannot read the configuration: No such file or directory"),
            (["serve", "--config.file", "."], "cannot read the configuration: Is a directory"),
            (["serve", "--web.config.file", "none.yml"],
             "cannot read --web.config.file: No such file or directory"),
            (["serve", "--proxy.config.file", "none.yml"],
             "cannot read --proxy.config.file: No such file or directory"),
            (["check-config", "."], "cannot read the configuration: Is a directory"),
            (["serve", "--exporters.dir", "none"],
             "--exporters.dir: cannot read the folder: No such file or directory"),
            (["serve", "--proxy.listen-adress=:1"],
             'unknown flag "--proxy.listen-adress"; did you mean "--proxy.listen-address"?'),
            (["serve", "--api", "demo=gihub@http://x"],
             '--api: unknown exporter; did you mean "github"?'),
            (["srve"], 'unknown command "srve"; did you mean "serve"?'),
            ([], "expected a command; see apiquota --help"),
        ):
            self.assertEqual(self.refused(*arguments), sentence)

    def test_a_ca_file_that_is_none(self):
        (self.work.directory / "ca.pem").write_text("no certificate\n")
        self.assertIn("proxy.tls.ca_file", self.refused(*self.config("proxy: {tls: {ca_file: ca.pem}}\n")))

    def test_ports_in_use(self):
        agent = Agent(self.work)
        for surface, flag, other in (("admin", "--web.listen-address", "--proxy.listen-address"),
                                     ("proxy", "--proxy.listen-address", "--web.listen-address")):
            address = agent.address(surface)
            sentence = self.refused("serve", f"{flag}={address}", f"{other}=127.0.0.1:0")
            self.assertIn(address, sentence)
            self.assertIn("in use", sentence)
        self.assertEqual(get(agent.admin + "/-/ready")[0], 200)


if __name__ == "__main__":
    unittest.main(verbosity=1)
