"""A real Flask application under Flask-Limiter, and the same without it behind the agent's own limits: one
script of requests through both, as functions that return what each answered. guard_own_flask_test.py runs
them short, scripts/bench guard with the tutorials' minute."""

import http.client
import threading
import time
import urllib.parse
from dataclasses import dataclass

from guarding import Api, GuardedAgent
from harness import SOURCE_DIR, Program, get_json, python_with_flask_limiter

# `limits:` of an api that say what Flask-Limiter's rules say; `default_limits` hold for each route by itself.
LIMITS = {
    "default": [
        "{name: default, match: {path: /predict}, by: [address], limit: 5, window: %s}",
        "{name: default, match: {path: /items}, by: [address], limit: 10, window: %s}",
        "{name: default, match: {path: /report}, by: [address], limit: 10, window: %s}",
    ],
    "application": [
        "{name: all, by: [address], limit: 10, window: %s}",
        "{name: predict, match: {path: /predict}, by: [address], limit: 5, window: %s}",
    ],
    "roles": [
        "{name: default, match: {path: %s, headers: {X-Role: admin}}, by: [{header: X-User}], "
        "limit: 10, window: %%s}" % path
        for path in ("/predict", "/items", "/report")
    ]
    + [
        "{name: default, match: {path: %s}, by: [{header: X-User}], limit: 5, window: %%s}" % path
        for path in ("/predict", "/items", "/report")
    ],
}
ALGORITHMS = {"fixed-window": "fixed", "moving-window": "sliding"}
# All that would delay: a limiter and nothing else.
LIMITER_ALONE = "mode: on, pace: {mode: off}, queue: {mode: off}, cooldown: {mode: off}, retry: {mode: off}"


class TutorialFlask(Program):
    """tutorial_flask.py; what it says of itself."""

    def __init__(self, work, strategy, rules, window, name="flask"):
        script = SOURCE_DIR / "tests" / "integration" / "tutorial_flask.py"
        arguments = ["-W", "ignore", script, strategy, rules, str(round(window))]
        super().__init__(work, name, [python_with_flask_limiter(), *arguments])
        port = self.wait_for(lambda: self.out.read_text().strip(), 30, "Flask listens")
        self.url = f"http://127.0.0.1:{port}"

    def admitted(self):
        """[(when, address, route)]"""
        return [tuple(each) for each in get_json(self.url + "/counted")["admitted"]]


def limits_of(rules, strategy, window, extra=""):
    """The lines of an api's `guard:`."""
    algorithm = f", algorithm: {ALGORITHMS.get(strategy, strategy)}{extra}}}"
    lines = [(line % f"{window:g}s")[:-1] + algorithm for line in LIMITS[rules]]
    return ["guard:", "  exempt: [/health, /counted]", "  limits:", *(f"    - {line}" for line in lines)]


def limiting_agent(work, upstream, settings, trusted="127.0.0.0/8", loops=4, name="agent"):
    """An agent that limits and does nothing else, on four loops."""
    return GuardedAgent(
        work,
        [Api("demo", "generic", upstream, settings)],
        guard=f"{{{LIMITER_ALONE}}}",
        loops=loops,
        proxy=f"trusted_proxies: [{trusted}]" if trusted else "",
        name=name,
    )


@dataclass(frozen=True)
class Step:
    """One request of the script: when (in windows), whose, and for what."""

    at: float
    path: str
    method: str = "GET"
    fields: tuple = ()  # beside the address


@dataclass(frozen=True)
class Said:
    status: int
    limit: str | None
    remaining: str | None
    reset: float | None  # seconds from now
    retry_after: float | None


def said(answer, fields):
    number = lambda name: float(fields[name]) if name in fields else None  # noqa: E731
    reset = number("x-ratelimit-reset")
    return Said(
        answer,
        fields.get("x-ratelimit-limit"),
        fields.get("x-ratelimit-remaining"),
        None if reset is None else reset - time.time(),
        number("retry-after"),
    )


def ask(url, step, address, source=None):
    """On a connection of its own, so that an agent's loops share a client's requests."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port, timeout=30, source_address=(source, 0) if source else None
    )
    try:
        body = b"{}" if step.method == "POST" else None
        headers = {**({"X-Forwarded-For": address} if address else {}), **dict(step.fields)}
        connection.request(step.method, parts.path + step.path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return said(answer.status, {name.lower(): value for name, value in answer.getheaders()})
    finally:
        connection.close()


def follow(url, script, window, addresses, began, late):
    """{address: [what was said to each step]}; each address goes through the script by itself. `late`: by how
    much of a window each step was answered after its time."""
    found = {}

    def one(address):
        found[address] = []
        for step in script:
            time.sleep(max(0.0, began + step.at * window - time.monotonic()))
            found[address].append(ask(url, step, address))
            late.append((time.monotonic() - began) / window - step.at)

    threads = [threading.Thread(target=one, args=(address,)) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def steps(at, count, path, method="GET", **fields):
    given = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return [Step(at, path, method, given)] * count


def tutorial_script():
    """Every route to its limit and past it, in the middle of the window, in the next ones, half used: nothing
    within a tenth of a window of an edge."""
    return [
        *steps(0, 7, "/predict", "POST"),
        *steps(0, 11, "/items"),
        *steps(0, 2, "/items", "HEAD"),
        *steps(0, 3, "/report"),
        *steps(0, 3, "/health"),
        *steps(0.5, 2, "/predict"),
        *steps(0.5, 2, "/items"),
        *steps(0.5, 9, "/report"),
        *steps(1.25, 6, "/predict", "POST"),
        *steps(1.25, 4, "/items"),
        *steps(1.6, 8, "/items"),
        *steps(1.6, 2, "/predict"),
        *steps(2.0, 2, "/items"),
        *steps(2.0, 8, "/report"),
        *steps(2.4, 12, "/items"),
        *steps(2.4, 6, "/predict", "POST"),
        *steps(2.4, 4, "/health"),
    ]


def role_script():
    """X-User is who is counted: the addresses of the script are not."""
    users = {"ann": "admin", "bob": "reader", "eve": ""}
    script = []
    for at in (0, 0.5, 1.3):
        for user, role in users.items():
            given = {"X_User": user, **({"X_Role": role} if role else {})}
            script += steps(at, 7, "/items", **given) + steps(at, 6, "/predict", "POST", **given)
    return script


def side_by_side(work, strategy, window, rules="default", reference=False):
    """The same script through Flask-Limiter and through the agent; {who: {address: [Said]}}, with `late`: how
    much of a window the latest answer came after its time. From a tenth on an edge may have been in between,
    and who says what depends on the machine. `reference`: Flask-Limiter in the agent's place, too, which
    shows what the script itself leaves open."""
    limited = TutorialFlask(work, strategy, rules, window, name="limited")
    plain = TutorialFlask(work, strategy if reference else "none", rules, window, name="plain")
    agent = None
    if not reference:
        agent = limiting_agent(work, plain.url, limits_of(rules, strategy, window))
    script = role_script() if rules == "roles" else tutorial_script()
    addresses = ["203.0.113.1"] if rules == "roles" else ["203.0.113.1", "203.0.113.2", "198.51.100.77"]
    urls = {"flask": limited.url, "agent": plain.url if reference else agent.proxy + "/demo"}
    found, late, began = {}, [], time.monotonic() + 0.2

    def through(name):
        found[name] = follow(urls[name], script, window, addresses, began, late)

    threads = [threading.Thread(target=through, args=(name,)) for name in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.update(script=script, window=window, late=max(late))
    for program in filter(None, (agent, plain, limited)):
        program.stop()
    return found


def differences(found, what=lambda said: said.status):
    """[(address, number, step, what Flask-Limiter said, what the agent said)] where they are not the same."""
    return [
        (address, number, found["script"][number], what(flask), what(ours))
        for address, answers in found["flask"].items()
        for number, (flask, ours) in enumerate(zip(answers, found["agent"][address], strict=True))
        if what(flask) != what(ours)
    ]


def counted(found, who):
    """(requests, refused)"""
    answers = [answer for answers in found[who].values() for answer in answers]
    return len(answers), sum(answer.status == 429 for answer in answers)
