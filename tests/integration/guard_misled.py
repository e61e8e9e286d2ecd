"""APIs that say what is not so, as functions that return their figures: guard_misled_test.py and
scripts/bench guard run them."""

import time

from arrivals import NotingApi, burst
from guarding import Api, GuardedAgent, Greedy


def said_once(status, fields, body=b"{}"):
    """An API that says this to the first request and serves all others."""
    state = {"told": 0}

    def say(_):
        state["told"] += 1
        return (status, fields, body) if state["told"] == 1 else (200, {}, b"{}")

    return NotingApi(say)


def served_again(agent, seconds):
    """When the next call is served; calls have 1 s of patience each and come every 200 ms."""
    began, refused = time.monotonic(), 0
    while time.monotonic() < began + seconds:
        answer = burst(agent.proxy, "/demo/items", 1, fields={"x-stainless-read-timeout": 1})[0]
        if answer.status == 200:
            return {"served_after_s": time.monotonic() - began, "refused_meanwhile": refused}
        refused += 1
        time.sleep(0.2)
    return {"served_after_s": None, "refused_meanwhile": refused}


def a_year(work, seconds=8, probe_every="2s"):
    """A Retry-After of a year, once: when the API is asked again, and served."""
    api = said_once(429, {"Retry-After": 365 * 86400})
    agent = GuardedAgent(
        work,
        [Api("demo", "generic", api.url)],
        name="year",
        guard=f"{{mode: on, cooldown: {{probe_every: {probe_every}}}}}",
    )
    first = burst(agent.proxy, "/demo/items", 1)[0]
    figures = {"first": first.status, **served_again(agent, seconds), "upstream": len(api.arrivals)}
    agent.stop()
    api.stop()
    return figures


def bare_refusals(work, seconds=6, apart=1.5):
    """A bare 429 every 1.5 s while the account is served: nobody but those it hits is held up."""
    state = {"last": time.monotonic(), "told": 0}

    def say(_):
        now = time.monotonic()
        if now - state["last"] < apart:
            return 0.01, 200, {}, b"{}"
        state["last"] = now
        state["told"] += 1
        return 429, {}, b"{}"

    api = NotingApi(say)
    agent = GuardedAgent(work, [Api("demo", "anthropic", api.url)], name="bare")
    client = Greedy(agent.proxy + "/demo/v1/models", 4, headers={"x-api-key": "sk-ant-test"})
    time.sleep(seconds)
    client.stop()
    agent.rests()
    statuses = client.statuses()
    figures = {
        "served": statuses[200],
        "seen_429": statuses[429],
        "ours": client.refused_by_us(),
        "bare_429": state["told"],
        "held_up": sum(call.seconds > 0.5 for call in client.calls),
        "longest_s": max(call.seconds for call in client.calls),
    }
    agent.stop()
    api.stop()
    return figures


def unified(work, requests=200):
    """Anthropic's unified quota at 0.3 of 1: nothing is in the way."""
    ends = int(time.time()) + 3600
    fields = {
        "anthropic-ratelimit-unified-status": "allowed",
        "anthropic-ratelimit-unified-5h-status": "allowed",
        "anthropic-ratelimit-unified-5h-utilization": "0.3",
        "anthropic-ratelimit-unified-5h-reset": ends,
        "anthropic-ratelimit-unified-reset": ends,
    }
    api = NotingApi(lambda arrival: (200, fields, b'{"usage": {"input_tokens": 9, "output_tokens": 5}}'))
    agent = GuardedAgent(work, [Api("demo", "anthropic", api.url)], name="unified")
    began = time.monotonic()
    headers = {"x-api-key": "sk-ant-test"}
    answers = [burst(agent.proxy, "/demo/v1/messages", 1, fields=headers)[0] for _ in range(requests)]
    figures = {
        "requests": requests,
        "served": sum(answer.status == 200 for answer in answers),
        "delayed": sum("apiquota-delay" in answer.fields for answer in answers),
        "seconds": time.monotonic() - began,
        "slowest_ms": 1e3 * max(answer.seconds for answer in answers),
    }
    agent.rests()
    agent.stop()
    api.stop()
    return figures


def one_wrong_reading(work, seconds=8, probe_every="2s"):
    """One answer says that nothing is left for a year, all others that there is plenty: when a call is served
    again."""
    state = {"told": 0}
    plenty = {
        "x-ratelimit-limit": 60,
        "x-ratelimit-remaining": 50,
        "x-ratelimit-reset": int(time.time()) + 60,
    }

    def say(_):
        state["told"] += 1
        year = int(time.time()) + 365 * 86400
        wrong = {"x-ratelimit-limit": 60, "x-ratelimit-remaining": 0, "x-ratelimit-reset": year}
        return 200, wrong if state["told"] == 3 else plenty, b"{}"

    api = NotingApi(say)
    agent = GuardedAgent(
        work,
        [Api("demo", "github", api.url)],
        name="wrong",
        guard=f"{{mode: on, cooldown: {{probe_every: {probe_every}}}}}",
    )
    for _ in range(3):
        burst(agent.proxy, "/demo/items", 1)
    figures = {"upstream_before": len(api.arrivals), **served_again(agent, seconds)}
    agent.stop()
    api.stop()
    return figures
