"""An agent whose clients have taken every descriptor they may: what it says, what still works, and that it
recovers. Limits are set by prlimit, at the agent's start."""

import re
import socket
import subprocess
import unittest
import urllib.parse
from pathlib import Path

from harness import BINARY, get, require_program
from serving import LISTEN, Agent, ServingTest


class DescriptorsTest(ServingTest):
    def setUp(self):
        super().setUp()
        self.prlimit = require_program("prlimit", "util-linux")

    def start(self, limit):
        config = self.write("apiquota.yaml", f"""
proxy: {{loops: 1}}
apis:
  - {{name: demo, exporter: generic, base_url: '{self.upstream.url}'}}
""")
        return Agent(self.work, f"--config.file={config}", under=[self.prlimit, f"--nofile={limit}"])

    def connect(self, agent):
        parts = urllib.parse.urlsplit(agent.proxy)
        client = socket.create_connection((parts.hostname, parts.port), timeout=10)
        self.addCleanup(client.close)
        return client

    def open_files(self, agent):
        return len(list(Path(f"/proc/{agent.pid}/fd").iterdir()))

    def test_the_admin_side_and_the_truth_survive_a_lack_of_descriptors(self):
        agent = self.start("64:64")
        first = self.connect(agent)
        first.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 404 ", first.recv(4096))
        clients = [self.connect(agent) for _ in range(60)]
        agent.wait_for(lambda: "few_descriptors" in agent.log(), 10, "the log says why")

        for _ in range(20):
            self.assertEqual(200, get(agent.admin + "/metrics", timeout=2)[0])
        first.sendall(b"GET /demo/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = first.recv(4096)
        self.assertIn(b"HTTP/1.1 503 ", answer)
        self.assertRegex(answer, rb"(?i)Proxy-Status: [^\r]*error=connection_limit_reached")
        self.assertIn(({"api": "demo", "reason": "local_descriptors"}, 1),
                      agent.sample("apiquota_upstream_errors_total"))
        self.assertEqual([], self.upstream.seen)
        self.assertLess(self.open_files(agent), 45)  # most of the reserve is free
        self.assertEqual(1, agent.log().count("few_descriptors"), agent.log())

        for client in clients:
            client.close()
        agent.wait_for(lambda: self.answers(agent), 10, "the agent takes clients again")
        self.assertEqual([("/", 1)], [(path, 1) for path, _ in self.upstream.seen[:1]])

    def answers(self, agent):
        try:
            return get(agent.proxy + "/demo/", timeout=2)[0] == 200
        except OSError:
            return False

    def test_too_few_to_serve_with_is_said_at_the_start(self):
        done = subprocess.run([self.prlimit, "--nofile=20:20", BINARY, "serve", *LISTEN],
                              capture_output=True, text=True, timeout=10)
        sentence = "the limit of open files is 20; expected at least 64 (ulimit -n, LimitNOFILE)\n"
        self.assertEqual((2, sentence), (done.returncode, done.stderr))

    def test_the_soft_limit_is_raised(self):
        agent = self.start("64:200")
        limits = Path(f"/proc/{agent.pid}/limits").read_text()
        self.assertEqual(("200", "200"), re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).groups())


if __name__ == "__main__":
    unittest.main()
