"""What an agent tells of its guard: on /metrics, as /api/v1/guard, and nothing where nobody asked for it."""

import json
import re
import threading
import unittest
import urllib.request

from harness import Workspace, wait_until
from raw_http import Upstream
from serving import Agent

OF_THE_GUARD = re.compile(
    r"^apiquota_(decisions|delay|retries|client_retries|guard|queue|cooldown|reserved|inflight)", re.M)
AT_REST = re.compile(r'^apiquota_inflight_requests\{api="t",.*\} 0$', re.M)


def said(limit, remaining, reset):
    return (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-RateLimit-Limit: %d\r\nX-RateLimit-Remaining: %d\r\n"
            b"X-RateLimit-Reset: %d\r\n\r\nok" % (limit, remaining, reset))


class GuardPageTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.replies = []
        self.upstream = Upstream(lambda request, sock: self.replies.pop(0))

    def serve(self, guard, *flags):
        config = self.work.directory / "agent.yaml"
        config.write_text(f"{guard}\napis:\n  - name: t\n    exporter: generic\n"
                          f"    base_url: \"http://{self.upstream.address}\"\n")
        self.agent = Agent(self.work, f"--config.file={config}", *flags)

    def get(self, door, path):
        request = urllib.request.Request(f"http://{self.agent.address(door)}{path}",
                                         headers={"authorization": "Bearer t"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def guard(self):
        return json.loads(self.get("admin", "/api/v1/guard"))["apis"]

    def test_without_a_guard_there_is_nothing_to_tell(self):
        self.serve("")
        self.replies = [said(10, 9, 60)]
        self.get("proxy", "/t/x")
        self.assertEqual(self.guard(), [])
        self.assertNotRegex(self.get("admin", "/metrics"), OF_THE_GUARD)

    def test_a_file_that_says_off_wins_over_the_flag(self):
        self.serve("guard: off", "--guard=on")
        self.assertEqual(self.guard(), [])

    def test_who_waits_is_seen_while_it_waits_and_counted_when_it_has(self):
        self.serve("", "--guard=on")
        self.replies = [said(10, 0, 3), said(10, 9, 60)]
        self.get("proxy", "/t/x")
        waiting = threading.Thread(target=self.get, args=("proxy", "/t/x"))
        waiting.start()
        wait_until(lambda: self.guard()[0]["queue"]["depth"] == 1, 10, "it waits")
        page = self.get("admin", "/metrics")
        self.assertIn('apiquota_queue_depth{api="t"} 1\n', page)
        self.assertIn('apiquota_queue_capacity{api="t"} 1000\n', page)
        self.assertRegex(page, r'apiquota_queue_oldest_seconds\{api="t"\} \d')
        waiting.join(20)
        (api,) = self.guard()
        self.assertEqual(api["decisions"]["on"], {"allow": {"none": 1}, "delay": {"pace": 1}, "reject": {}})
        self.assertEqual((api["queue"]["depth"], api["keys"][0]["waiting"]), (0, 0))
        page = self.get("admin", "/metrics")
        self.assertIn('apiquota_delay_seconds_count{api="t",reason="pace"} 1\n', page)
        self.assertNotIn("apiquota_queue_oldest_seconds", page)
        wait_until(lambda: AT_REST.search(self.get("admin", "/metrics")), 10, "nothing is under way")

    def test_a_shadow_is_counted_beside_and_changes_nothing(self):
        self.serve("guard: {mode: shadow, queue: {max_wait: 1s}}")
        self.replies = [said(10, 0, 600), said(10, 0, 599)]
        self.get("proxy", "/t/x")
        self.get("proxy", "/t/x")
        (api,) = self.guard()
        self.assertEqual(api["decisions"], {
            "on": {"allow": {"none": 0}, "delay": {}, "reject": {}},
            "shadow": {"allow": {"none": 1}, "delay": {}, "reject": {"pace": 1}}})
        self.assertNotIn("apiquota_queue_depth", self.get("admin", "/metrics"))


if __name__ == "__main__":
    unittest.main()
