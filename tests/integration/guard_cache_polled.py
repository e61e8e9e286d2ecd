"""A list that is polled, before a real agent with a cache: an API that speaks of its list as GitHub does, and
counts what each poll costs. As functions that return their figures."""

import time

from arrivals import NotingApi, burst
from guard_cache_herd import caching_agent

LIMIT = 5000


class GithubList(NotingApi):
    """GET is answered with an ETag and Cache-Control; what has not changed with 304, which is free (GitHub's
    "Best practices for using the REST API": a conditional request that is answered with 304 does not count
    against the primary rate limit). `version()` says which list it is."""

    def __init__(self, max_age, version=lambda: 1):
        self.max_age, self.version = max_age, version
        self.used, self.free = 0, 0
        self.resets = int(time.time()) + 3600
        super().__init__(self.say)

    def say(self, arrival):
        tag = f'W/"{self.version():08x}"'
        unchanged = arrival.fields.get("if-none-match") == tag
        if unchanged:
            self.free += 1
        else:
            self.used += 1
        body = b"" if unchanged else b'[{"version": %d}]' % self.version()
        return (304 if unchanged else 200), self.fields(tag), body

    def fields(self, tag):
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Cache-Control": f"private, max-age={self.max_age}, s-maxage={self.max_age}",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With",
            "ETag": tag,
            "x-ratelimit-limit": LIMIT,
            "x-ratelimit-remaining": LIMIT - self.used,
            "x-ratelimit-used": self.used,
            "x-ratelimit-reset": self.resets,
            "x-ratelimit-resource": "core",
        }


def polled(work, polls=60, every=0.05, max_age=60, changes=0, cache=True):
    """One client that asks for the same list again and again; `changes`: how often it changes meanwhile."""
    done = [0]
    api = GithubList(max_age, lambda: 1 + done[0] * (changes + 1) // polls)
    settings = ["guard: {cache: {mode: on}}"] if cache else []
    agent = caching_agent(work, api.url, settings, name="polled", exporter="github")
    statuses, bodies, began = [], [], time.monotonic()
    for number in range(polls):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        done[0] = number
        (answer,) = burst(
            agent.proxy,
            "/demo/repos/o/r/issues",
            1,
            fields={"Authorization": "Bearer ghp_test", "Accept": "application/json"},
        )
        statuses.append(answer.status)
        bodies.append(answer.body)
    agent.rests()
    figures = {
        "polls": polls,
        "answered": statuses.count(200),
        "versions": len(set(bodies)),
        "asked_upstream": len(api.arrivals),
        "spent": api.used,
        "confirmed_free": api.free,
        "saved_as_told": agent.total("apiquota_quota_saved_total", unit="requests"),
    }
    agent.stop()
    api.stop()
    return figures
