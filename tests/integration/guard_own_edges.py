"""What a limit lets through around the edges of its windows, when many ask at once, and when a client says
that it is somebody else: Flask-Limiter's limits and the agent's own, as functions that return their
figures."""

import concurrent.futures
import time

from guard_own_flask import Step, TutorialFlask, ask, limiting_agent

LIMIT = 10  # of /items for each address
# In windows from the first request on: one alone, which opens a fixed window; then bursts on both sides of
# the window's end, and of the next one's.
BURSTS = [(0.0, 1), *((at, 2 * LIMIT) for at in (0.9, 1.06, 1.5, 1.9, 2.06, 2.5))]
ADDRESS = "203.0.113.9"


def most_in_any_span(times, span):
    """The most of `times` in a span that is as long, wherever it begins."""
    ordered, first, most = sorted(times), 0, 0
    for at, time_of in enumerate(ordered):
        while time_of - ordered[first] >= span:
            first += 1
        most = max(most, at - first + 1)
    return most


def subject(work, kind, window):
    """(the URL, the application that counts, all programs); kind: a strategy of Flask-Limiter's, or an
    algorithm of ours."""
    flask_kind = kind if kind.endswith("-window") else "none"
    flask = TutorialFlask(work, flask_kind, "default", window, name=f"flask-{kind}")
    if flask_kind != "none":
        return flask.url, flask, [flask]
    algorithm = f"algorithm: {kind}" + (", burst: 5" if kind == "gcra" else "")
    rule = f"{{name: items, by: [address], limit: {LIMIT}, window: {window:g}s, {algorithm}}}"
    settings = ["guard:", "  exempt: [/health, /counted]", f"  limits: [{rule}]"]
    agent = limiting_agent(work, flask.url, settings, name=f"agent-{kind}")
    return agent.proxy + "/demo", flask, [agent, flask]


def around_edges(work, kind, window, threads=8):
    """Bursts of twice the limit around edges; what reached the application when. `in_time`: no edge was in
    between when a burst was asked and when it was answered."""
    url, flask, programs = subject(work, kind, window)
    statuses, late, took = [], [], []

    def one(_):
        asked = time.monotonic()
        status = ask(url, Step(0, "/items"), ADDRESS).status
        took.append(time.monotonic() - asked)
        return status

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        began = time.monotonic() + 0.1
        for at, count in BURSTS:
            time.sleep(max(0.0, began + at * window - time.monotonic()))
            statuses += pool.map(one, range(count))
            late.append((time.monotonic() - began) / window - at)
    times = [when for when, _, route in flask.admitted() if route == "/items"]
    for program in programs:
        program.stop()
    slack = max(took)  # between the decision and the view
    return {
        "kind": kind,
        "asked": len(statuses),
        "admitted": len(times),
        "refused": statuses.count(429),
        "any_span": most_in_any_span(times, max(0.001, window - slack)),
        "at_an_edge": most_in_any_span(times, max(0.001, window / 4 - slack)),
        "limit": LIMIT,
        "in_time": late[0] < 0.06 and max(late) < 0.1,
    }


def all_at_once(work, kind, clients=200, threads=32, window=60):
    """Many of one address at the same moment, each on a connection of its own: what got through."""
    url, flask, programs = subject(work, kind, window)
    step = Step(0, "/items")
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        statuses = [said.status for said in pool.map(lambda _: ask(url, step, ADDRESS), range(clients))]
    admitted = len(flask.admitted())
    for program in programs:
        program.stop()
    return {"kind": kind, "asked": clients, "admitted": admitted, "refused": statuses.count(429)}


def forged_addresses(work, clients=30):
    """Whoever is not a proxy that is trusted has its own address, whatever it says; and each address is
    somebody else."""
    flask = TutorialFlask(work, "none", "default", 60)
    rule = f"{{name: items, by: [address], limit: {LIMIT}, window: 60s}}"
    agent = limiting_agent(work, flask.url, ["guard:", f"  limits: [{rule}]"], trusted="127.0.0.5")
    url, step = agent.proxy + "/demo", Step(0, "/items")

    def served(addresses, source):
        return sum(ask(url, step, address, source).status == 200 for address in addresses)

    figures = {
        "forged": served([f"198.51.100.{number}" for number in range(clients)], "127.0.0.6"),
        "another_source": served([None] * clients, "127.0.0.7"),
        "from_the_proxy": served([f"198.51.100.{number}" for number in range(clients)], "127.0.0.5"),
        # What a client writes stands before what the proxy adds.
        "prepended": served([f"192.0.2.{number}, 203.0.113.50" for number in range(clients)], "127.0.0.5"),
    }
    agent.stop()
    flask.stop()
    return figures
