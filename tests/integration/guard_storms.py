"""Storms before the guard, as functions that return their figures: guard_storm_test.py runs them short,
scripts/bench guard long."""

import asyncio
import json
import time

from arrivals import NotingApi, address_of, burst, fullest_bin, head_of, one
from guarding import Api, GuardedAgent, Greedy, Judge, jain
from harness import wait_until


def overloaded(work, seconds, rate, status=503):
    """An API that refuses everything, and `rate` requests a second for it, every second one a POST."""
    api = NotingApi(lambda arrival: (status, {}, b'{"message": "overloaded"}'))
    agent = GuardedAgent(work, [Api("demo", "generic", api.url)], name="overloaded")
    count = int(seconds * rate)

    async def send_all():
        async def later(number):
            await asyncio.sleep(number / rate)
            method, body = ("POST", b'{"number": %d}' % number) if number % 2 else ("GET", b"")
            head = head_of(method, f"/demo/items/{number}", len(body))
            return await one(address_of(agent.proxy), number, head, body)

        return await asyncio.gather(*(later(number) for number in range(count)))

    began = time.monotonic()
    answers = asyncio.run(send_all())
    took = time.monotonic() - began
    agent.rests()
    posts = [arrival.body for arrival in api.arrivals if arrival.method == "POST"]
    figures = {
        "requests": count,
        "upstream": len(api.arrivals),
        "amplification": len(api.arrivals) / count,
        "beyond_1.2_per_s": max(0.0, len(api.arrivals) - 1.2 * count) / took,
        "posts_twice": len(posts) - len(set(posts)),
        "seconds": took,
        "relayed": sum(answer.status == status for answer in answers),
        "longest_s": max(answer.seconds for answer in answers),
    }
    agent.stop()
    api.stop()
    return figures


class ResettingApi(NotingApi):
    """Nothing is left until `reset_in` seconds from its first request on; then `limit` again."""

    def __init__(self, limit, reset_in):
        self.limit, self.reset_in, self.reset, self.used = limit, reset_in, None, 0
        self.refused = 0
        super().__init__(self.say)

    def say(self, _):
        now = time.time()
        if self.reset is None:
            self.reset = int(now + self.reset_in) + 1
            return 200, self.fields(0), b"{}"
        if now < self.reset:
            self.refused += 1
            return 403, self.fields(0), b'{"message": "API rate limit exceeded"}'
        self.used += 1
        return 200, self.fields(self.limit - self.used, 3600), b"{}"

    def fields(self, left, later=0):
        return {
            "x-ratelimit-limit": self.limit,
            "x-ratelimit-remaining": left,
            "x-ratelimit-used": self.limit - left,
            "x-ratelimit-reset": self.reset + later,
            "x-ratelimit-resource": "core",
        }


def rush_at_reset(work, waiters, reset_in=4):
    """As many as wait for one reset: when they reach the API."""
    api = ResettingApi(2 * waiters, reset_in)
    agent = GuardedAgent(
        work,
        [Api("demo", "github", api.url)],
        name="rush",
        guard=f"{{mode: on, queue: {{size: {waiters + 10}}}}}",
    )
    burst(agent.proxy, "/demo/items", 1)
    wait_until(lambda: agent.sample("apiquota_quota_remaining"), 5, "the first answer is read")
    answers = burst(agent.proxy, "/demo/items", waiters, spacing=1 / max(waiters, 1000))
    times = api.times()[1:]
    highest, bins = fullest_bin(times)
    agent.rests()
    figures = {
        "waiters": waiters,
        "served": sum(answer.status == 200 for answer in answers),
        "too_early": api.refused,
        "spread_s": max(times) - min(times),
        "bins": bins,
        "fullest_bin_of_mean": highest,
        "after_reset_s": min(times) - time.monotonic() + time.time() - api.reset,
    }
    agent.stop()
    api.stop()
    return figures


KEYS = """callers:
""" + "\n".join(
    f"  - {{name: {name}, token_from_env: TOKEN_{name}, priority: {priority}}}"
    for name, priority in (("noisy", 3), ("one", 3), ("two", 3), ("three", 3), ("first", 0), ("last", 7))
)


class Crowd:
    """Callers before one bucket of 10 requests a second, each with connections that call without a pause."""

    def __init__(self, work, name):
        self.judge = Judge(work, "openai", "--quota", "requests=60/6s,bucket", name=f"{name}-api")
        key = work.directory / "upstream-key"
        key.write_text("sk-upstream-0123456789")
        settings = [f"keys: [{{name: main, value_from_file: {key}, inject: default}}]"]
        tokens = {
            f"TOKEN_{caller}": self.token(caller)
            for caller in ("noisy", "one", "two", "three", "first", "last")
        }
        self.agent = GuardedAgent(
            work,
            [Api("demo", "openai", self.judge.url, settings)],
            settings=KEYS,
            name=name,
            environment=tokens,
        )

    @staticmethod
    def token(caller):
        return f"token-of-{caller}"

    def run(self, connections, seconds, warm_up=5):
        """{caller: its calls that were answered after the warm-up}."""
        fields = {caller: {"Authorization": f"Bearer {self.token(caller)}"} for caller in connections}
        clients = {
            caller: Greedy(self.agent.proxy + "/demo/v1/models", threads, headers=fields[caller])
            for caller, threads in connections.items()
        }
        began = time.monotonic() + warm_up
        time.sleep(warm_up + seconds)
        for client in clients.values():
            client.stop()
        self.refused = self.judge.stats()["throttled"]
        self.agent.rests()
        self.agent.stop()
        return {
            caller: [call for call in client.calls if call.status == 200 and call.end >= began]
            for caller, client in clients.items()
        }


def noisy_neighbour(work, seconds):
    """One caller with ten times as many connections as each of its three neighbours: who gets how much."""
    crowd = Crowd(work, "noisy")
    calls = crowd.run({"noisy": 40, "one": 4, "two": 4, "three": 4}, seconds)
    served = {caller: len(done) for caller, done in calls.items()}
    return {"served": served, "jain": jain(served.values()), "upstream_429": crowd.refused}


def last_class(work, seconds):
    """One caller of the last urgency beside a backlog of the first: how long it waits at most."""
    crowd = Crowd(work, "classes")
    calls = crowd.run({"first": 40, "last": 2}, seconds)
    waits = {
        caller: max((call.seconds for call in done), default=float("inf")) for caller, done in calls.items()
    }
    return {
        "served": {caller: len(done) for caller, done in calls.items()},
        "longest_s": waits,
        "upstream_429": crowd.refused,
    }


def sentence_of(body):
    """The message of an error in the shapes of OpenAI, Anthropic, GitHub or RFC 9457; "" if there is none."""
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    error = said.get("error", said)
    return error.get("message") or error.get("detail") or error.get("title") or ""


def no_patience(work, clients=20, timeout=2):
    """Clients that give their request 2 s, before a window that is empty for longer."""
    api = ResettingApi(60, 40)
    agent = GuardedAgent(work, [Api("demo", "github", api.url)], name="impatient")
    burst(agent.proxy, "/demo/items", 1)
    wait_until(lambda: agent.sample("apiquota_quota_remaining"), 5, "the first answer is read")
    hint = {"x-stainless-read-timeout": timeout, "User-Agent": "impatient/1"}
    answers = burst(agent.proxy, "/demo/items", clients, spacing=0.02, fields=hint)
    agent.rests()
    time.sleep(timeout)
    figures = {
        "clients": clients,
        "refused": sum(answer.status in (429, 403) for answer in answers),
        "waited": sum("apiquota-delay" in answer.fields for answer in answers),
        "slowest_ms": 1e3 * max(answer.seconds for answer in answers),
        "sentence": sentence_of(answers[0].body),
        "retry_after": answers[0].fields.get("retry-after"),
        "sent_upstream": len(api.arrivals) - 1,
    }
    agent.stop()
    api.stop()
    return figures
