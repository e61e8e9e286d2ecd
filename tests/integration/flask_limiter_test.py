"""A real Flask application under real Flask-Limiter behind the proxy: its X-RateLimit fields, its 429 and its
Retry-After, read by the generic exporter."""

import time
import unittest

from harness import Agent, Program, Workspace, get, python_with_flask_limiter, wait_until

LIMIT = 5
APPLICATION = f"""
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.serving import make_server

app = Flask(__name__)
app.config["RATELIMIT_HEADERS_ENABLED"] = True
limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window")

@app.get("/items")
@limiter.limit("{LIMIT} per hour")
def items():
    return {{"items": [1, 2, 3]}}

@app.get("/free")
@limiter.exempt
def free():
    return "free"

server = make_server("127.0.0.1", 0, app)
print(server.port, flush=True)
server.serve_forever()
"""


class FlaskLimiterTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.application = Program(self.work, "flask", [PYTHON, "-W", "ignore", "-c", APPLICATION])
        printed = self.application.out
        port = self.application.wait_for(lambda: printed.read_text().strip(), 20, "Flask listens")
        self.upstream_url = f"http://127.0.0.1:{port}"
        self.agent = Agent(self.work, apis=[f"flask=generic@{self.upstream_url}"])

    def quota(self):
        (quota,) = [quota for quota in self.agent.quotas()["quotas"] if quota["api"] == "flask"]
        return quota

    def test_limits_and_refusals_are_read_right(self):
        status, headers, body = get(self.agent.proxy_url + "/flask/free")
        self.assertEqual((status, body), (200, b"free"))
        self.assertNotIn("x-ratelimit-limit", headers)

        for number in range(1, LIMIT + 1):
            status, headers, body = get(self.agent.proxy_url + "/flask/items")
            self.assertEqual((status, body), (200, b'{"items":[1,2,3]}\n'))
            self.assertEqual(headers["x-ratelimit-remaining"], str(LIMIT - number))
        reset = float(headers["x-ratelimit-reset"])
        self.check_quota(reset)

        status, headers, _ = get(self.agent.proxy_url + "/flask/items")
        self.assertEqual(status, 429)
        self.check_quota(reset)
        self.check_metrics(reset, float(headers["retry-after"]))
        self.check_the_same_directly(headers)

    def check_quota(self, reset):
        wait_until(lambda: self.quota()["remaining"] == 0, 5, "nothing is left")
        quota = self.quota()
        facts = ("exporter", "quota", "unit", "kind", "resource", "key", "valid")
        self.assertEqual({fact: quota[fact] for fact in facts},
                         {"exporter": "generic", "quota": "requests", "unit": "requests", "kind": "fixed",
                          "resource": "", "key": "anonymous", "valid": True})
        numbers = ("limit", "remaining", "used", "used_ratio")
        self.assertEqual([quota[number] for number in numbers], [LIMIT, 0, LIMIT, 1])
        # Corrected by the answer's Date, which knows whole seconds.
        self.assertAlmostEqual(quota["reset_at"], reset, delta=2)

    def check_metrics(self, reset, retry_after):
        total = self.agent.metric_sum
        # How long it took is the last that is noted of an answer.
        wait_until(lambda: total("apiquota_upstream_duration_seconds_count", api="flask") == LIMIT + 2, 5,
                   "all answers are counted")
        self.assertEqual(total("apiquota_throttles_total", api="flask"), 1)
        self.assertEqual(total("apiquota_throttles_total", api="flask", scope="primary", signal="status"), 1)
        self.assertEqual(total("apiquota_upstream_requests_total", api="flask", code="200"), LIMIT + 1)
        self.assertEqual(total("apiquota_upstream_requests_total", api="flask", code="429"), 1)
        self.assertEqual(total("apiquota_proxy_requests_total", api="flask"), LIMIT + 2)
        self.assertEqual(total("apiquota_parse_errors_total", api="flask"), 0)
        # Flask-Limiter sends Retry-After with every limited answer; only the 429 is a throttle.
        self.assertEqual(total("apiquota_retry_after_seconds_count", api="flask"), LIMIT + 1)
        self.assertAlmostEqual(retry_after, reset - time.time(), delta=5)
        gauges = {name: value for name, labels, value in self.agent.metrics()
                  if labels.get("api") == "flask" and labels.get("quota") == "requests"}
        self.assertEqual(gauges["apiquota_quota_limit"], LIMIT)
        self.assertEqual(gauges["apiquota_quota_remaining"], 0)
        self.assertEqual(gauges["apiquota_quota_used_ratio"], 1)
        self.assertEqual(gauges["apiquota_quota_consumed_total"], LIMIT - 1)  # after the first sight

    def check_the_same_directly(self, proxied):
        """Flask-Limiter says the same without the agent in between."""
        status, direct, _ = get(self.upstream_url + "/items")
        self.assertEqual(status, 429)
        names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "content-type", "server")
        for name in names:
            self.assertEqual(proxied[name], direct[name], name)


if __name__ == "__main__":
    PYTHON = python_with_flask_limiter()
    unittest.main()
