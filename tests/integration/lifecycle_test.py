"""Reloads, signals and slow clients: what must not disturb the requests under way."""

import os
import signal
import socket
import threading
import time
import unittest

from harness import get, wait_until
from serving import Agent, ServingTest


def refused(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except ConnectionRefusedError:
        return True
    return False


class LifecycleTest(ServingTest):
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
        mistake = f'{config}:2:29: unknown exporter; did you mean "generic"?'
        self.assertIn(mistake.replace('"', '\\"'), agent.log())
        self.assertEqual(get(agent.admin + "/-/reload", method="POST")[::2],
                         (500, f"not reloaded, the old configuration is still in use: {mistake}\n".encode()))

        config.write_text(good.replace("NAME", "four") + "ledger: {quotas_max: 7}\n")
        self.assertEqual(get(agent.admin + "/-/reload", method="POST")[::2], (200, b"reloaded\n"))
        self.assertEqual(get(agent.proxy + "/four/")[0], 200)
        self.assertEqual(agent.sample("apiquota_config_last_reload_successful"), [({}, 1.0)])
        agent.wait_for(lambda: "event=restart_needed changed=ledger" in agent.log(), 5, "what waits is told")

        status, headers, _ = get(agent.admin + "/-/reload")
        self.assertEqual((status, headers["allow"]), (405, "POST"))
        foreign = {"Origin": "http://evil.example"}
        self.assertEqual(get(agent.admin + "/-/reload", foreign, method="POST")[0], 403)

    def test_reloading_over_http_is_off_by_default(self):
        agent = Agent(self.work)
        self.assertEqual(get(agent.admin + "/-/reload", method="POST")[0], 404)

    def test_sigterm_lets_requests_finish(self):
        agent = Agent(self.work, "--api", f"demo=generic@{self.upstream.url}")
        answers = []
        ask = lambda: answers.append(get(agent.proxy + "/demo/slow", timeout=30)[::2])
        client = threading.Thread(target=ask)
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


if __name__ == "__main__":
    unittest.main(verbosity=1)
