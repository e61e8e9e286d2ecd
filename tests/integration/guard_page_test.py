"""What an agent tells of its guard: on /metrics, as /api/v1/guard, and nothing where nobody asked for it."""

import json
import re
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness import Workspace, wait_until
from raw_http import Upstream
from serving import Agent

OF_THE_GUARD = re.compile(
    r"^apiquota_(decisions|delay|retries|client_retries|guard|queue|cooldown|reserved|inflight|breaker"
    r"|degraded|cache|limit|quota_saved|coalescable|batchable)", re.M)
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

    def explained(self):
        answer = json.loads(self.get("admin", "/api/v1/explain?api=t"))
        self.assertEqual((answer["api"], len(answer["keys"])), ("t", 1))
        return answer["keys"][0]

    def logged(self, line):
        wait_until(lambda: re.search(line, self.agent.log()), 10, f"the log tells {line}")

    def refused(self, path):
        with self.assertRaises(urllib.error.HTTPError) as refusal:
            self.get("admin", path)
        with refusal.exception as answer:
            return answer.code, answer.read().decode()

    def guard(self):
        return json.loads(self.get("admin", "/api/v1/guard"))["apis"]

    def shadow_limits(self):
        return self.guard()[0]["keys"][0]["shadow"]["limits"]

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
        self.serve("", "--guard=on", "--log.level=debug")
        self.replies = [said(10, 0, 3), said(10, 9, 60)]
        self.get("proxy", "/t/x")
        waiting = threading.Thread(target=self.get, args=("proxy", "/t/x"))
        waiting.start()
        wait_until(lambda: self.guard()[0]["queue"]["depth"] == 1, 10, "it waits")
        key = self.explained()
        self.assertEqual(key["last"], key["last_held"])
        last = key["last"]
        self.assertEqual((last["decision"], last["rule"], last["waiting_before"], last["waited_seconds"]),
                         ("delay", "pace", 0, None))
        self.assertEqual(last["quota"], {"resource": "", "quota": "requests", "unit": "requests", "limit": 10,
                                         "window_seconds": 3, "available": 0, "cost": 1})
        self.assertTrue(1 < last["wait_seconds"] < 8, last)
        self.assertTrue(60 < last["patience_seconds"] <= 65, last)
        page = self.get("admin", "/metrics")
        self.assertIn('apiquota_queue_depth{api="t"} 1\n', page)
        self.assertIn('apiquota_queue_capacity{api="t"} 1000\n', page)
        self.assertRegex(page, r'apiquota_queue_oldest_seconds\{api="t"\} \d')
        waiting.join(20)
        waited = self.explained()["last_held"]["waited_seconds"]
        self.assertTrue(1 < waited < 8, waited)
        self.logged(r"event=guard decision=delay api=t rule=pace quota=requests wait=\d")
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
        wait_until(self.shadow_limits, 10, "what the first was answered is known: it comes behind the answer")
        self.get("proxy", "/t/x")
        (api,) = self.guard()
        self.assertEqual(api["decisions"], {
            "on": {"allow": {"none": 0}, "delay": {}, "reject": {}},
            "shadow": {"allow": {"none": 1}, "delay": {}, "reject": {"pace": 1}}})
        self.assertNotIn("apiquota_queue_depth", self.get("admin", "/metrics"))
        (limit,) = self.shadow_limits()
        self.assertEqual((limit["quota"], limit["limit"], limit["available"]), ("requests", 10, 0))
        key = self.explained()
        self.assertEqual((key["last"], key["last_held"]), (None, None))
        self.assertEqual((key["shadow"]["last"]["decision"], key["shadow"]["last"]["quota"]["quota"]),
                         ("reject", "requests"))

    def test_why_it_was_refused_stays_to_be_told(self):
        self.serve("guard: {mode: on, queue: {max_wait: 1s}}", "--log.level=debug")
        self.replies = [said(10, 0, 600)]
        self.get("proxy", "/t/x?secret=s3cr3t")
        with self.assertRaises(urllib.error.HTTPError) as refusal:
            self.get("proxy", "/t/x?secret=s3cr3t")
        refusal.exception.close()
        key = self.explained()
        last = key["last_held"]
        self.assertEqual((last["decision"], last["rule"], last["quota"]["available"], last["waited_seconds"]),
                         ("reject", "pace", 0, 0))
        self.assertEqual(key["last"], last)
        self.assertTrue(590 < last["wait_seconds"] < 610, last)
        self.assertTrue(0 < last["patience_seconds"] <= 1, last)
        self.assertNotIn("s3cr3t", self.get("admin", "/api/v1/explain?api=t"))
        name = urllib.parse.quote(key["key"])
        one = json.loads(self.get("admin", f"/api/v1/explain?api=t&key={name}"))
        self.assertEqual(one["keys"], [key])
        self.assertEqual(self.refused("/api/v1/explain"), (400, "expected ?api=NAME\n"))
        self.assertEqual(self.refused("/api/v1/explain?api=u"),
                         (404, "no guarded api has this name; there are: t\n"))
        self.assertEqual(self.refused("/api/v1/explain?api=t&key=k"),
                         (404, f"no key of this name was used; there are: {key['key']}\n"))
        self.logged(r"event=guard decision=reject api=t rule=pace quota=requests wait=\d")


if __name__ == "__main__":
    unittest.main()
