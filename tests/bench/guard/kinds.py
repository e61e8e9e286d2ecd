"""Every kind of quota, each with its own API and its own greedy client, all at once through one agent."""

import time
from dataclasses import dataclass, field

from stand import Bar, Table, python_with

from guarding import Api, FlaskApi, GuardedAgent, Greedy, Judge, chat_body, could_have_had
from guarding import percentile, seconds_into
from harness import Workspace

LIMIT = 60
SHORT = 5  # seconds: windows under 10 s are shown, not judged by their share


@dataclass
class Row:
    name: str
    kind: str  # as could_have_had knows it
    exporter: str
    quotas: list  # NAME=LIMIT/WINDOW,KIND of `apiquota simulate`; the first one binds
    flags: list = field(default_factory=list)
    window: float = 60
    limit: float = LIMIT
    share: float | None = 0.97  # of what an all-knowing client has; None: only shown
    tokens: bool = False
    flask: str = ""  # the strategy of Flask-Limiter, in place of a simulation

    @property
    def api(self):
        return "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")

    def arguments(self):
        given = [argument for quota in self.quotas for argument in ("--quota", quota)]
        return [*given, *self.flags]


def rows(window):
    w = f"{window:g}s"
    fixed = [f"requests={LIMIT}/{w},fixed"]
    several = [f"minute={LIMIT}/{w},fixed", "second=5/1s,fixed", "day=10000/24h,fixed"]
    tokens = [f"tokens=20000/{w},bucket", f"requests=6000/{w},bucket"]
    short = {"window": SHORT, "limit": 20, "share": None}
    return [
        Row("fixed, its reset known", "fixed", "github", fixed, window=window),
        Row(
            "fixed, aligned to the clock",
            "aligned",
            "github",
            [f"requests={LIMIT}/{w},aligned"],
            window=window,
        ),
        Row("sliding", "sliding", "generic", [f"requests={LIMIT}/{w},sliding"], window=window),
        Row("bucket", "bucket", "openai", [f"requests={LIMIT}/{w},bucket"], window=window),
        Row("second, minute and day", "fixed", "generic", several, window=window),
        Row(
            "tokens a minute",
            "bucket",
            "openai",
            tokens,
            ["--tokens-charged", "start"],
            window=window,
            limit=20000,
            share=0.93,
            tokens=True,
        ),
        Row("fixed, a clock 5 s ahead", "fixed", "github", fixed, ["--skew", "5s"], window=window),
        Row("fixed, a clock 5 s behind", "fixed", "github", fixed, ["--skew", "-5s"], window=window),
        Row("Flask-Limiter, fixed window", "fixed", "generic", [], flask="fixed-window", window=window),
        Row(
            "Flask-Limiter, elastic window",
            "fixed",
            "generic",
            [],
            flask="fixed-window-elastic-expiry",
            window=window,
        ),
        Row(
            "Flask-Limiter, moving window",
            "sliding",
            "generic",
            [],
            flask="moving-window",
            window=window,
            share=0.93,
        ),
        Row("fixed, 5 s", "fixed", "github", [f"requests=20/{SHORT}s,fixed"], **short),
        Row("sliding, 5 s", "sliding", "generic", [f"requests=20/{SHORT}s,sliding"], **short),
        Row("bucket, 5 s", "bucket", "openai", [f"requests=20/{SHORT}s,bucket"], **short),
    ]


class Stage:
    """One row under way: its API, then its client."""

    def __init__(self, work, row, flask_python):
        self.row, self.api = row, None
        if row.flask:
            limit = f"{row.limit:g} per {row.window:g} seconds"
            self.judge = FlaskApi(work, flask_python, row.flask, limit, name=row.api)
        else:
            self.judge = Judge(work, row.exporter, *row.arguments(), name=row.api)
        self.api = Api(row.api, row.exporter, self.judge.url)

    def start(self, agent, windows, threads):
        url = f"{agent.proxy}/{self.row.api}"
        # What begins with the first call ends just before the next window would: what could be had is whole
        # windows then. A bucket's flow and the clock's windows know no such border.
        slack = 0 if self.row.kind in ("bucket", "aligned") else min(1.0, self.row.window / 10)
        self.seconds = windows * self.row.window
        if self.row.share is None:
            self.seconds *= 2
        self.seconds -= slack
        self.phase = seconds_into(self.row.window)
        if self.row.tokens:
            self.client = Greedy(
                url + "/v1/chat/completions",
                threads,
                "POST",
                chat_body,
                {"Content-Type": "application/json", "Authorization": "Bearer sk-bench"},
            )
        else:
            self.client = Greedy(url + "/items", threads)
        self.ends = self.client.started + self.seconds

    def finish(self):
        """At its time: what was let through and refused, before the client leaves."""
        time.sleep(max(0.0, self.ends - time.monotonic()))
        self.admitted, self.refused, self.could, self.share = self.account()
        self.client.stop()

    def account(self):
        """What was let through, what was refused, what an all-knowing client has, and the share of that."""
        row = self.row
        if row.flask:
            counted = self.judge.counted()
            could = could_have_had(row.kind, row.limit, row.window, self.seconds, self.phase)
            return counted["admitted"], counted["refused"], could, counted["admitted"] / could
        truth = self.judge.truth()
        binding = [limit["possible"] for limit in truth["limits"] if limit["name"] == truth["binding"]]
        could = binding[0] if binding else truth["possible_requests"]
        return truth["admitted"], truth["refused"], could, truth["share"]


def long_run(stage):
    """The share window after window: how long a window is beside the time from one's first call to the
    next's. What flows, or ends by the clock, knows no pause between windows."""
    row, done = stage.row, sorted(call.end for call in stage.client.calls if call.status == 200)
    whole = (len(done) - 1) // int(row.limit)
    if row.kind in ("bucket", "aligned") or whole < 1:
        return stage.share
    return whole * row.window / (done[whole * int(row.limit)] - done[0])


def account_of(stage):
    calls = stage.client.calls
    waits = [call.seconds for call in calls if call.status == 200]
    return {
        "name": stage.row.name,
        "upstream_429": stage.refused,
        "ours": stage.client.refused_by_us(),
        "seen_429": sum(call.status == 429 for call in calls),
        "unanswered": sum(call.status == 0 for call in calls),
        "completed": sum(call.status == 200 for call in calls),
        "admitted": stage.admitted,
        "could_have_had": stage.could,
        "share": stage.share,
        "long_run": long_run(stage),
        "p50_s": percentile(waits, 0.5),
        "p99_s": percentile(waits, 0.99),
        "seconds": stage.seconds,
    }


def bars_of(row, account):
    found = [
        Bar(f"{row.name}: 429s from upstream", account["upstream_429"], 0),
        Bar(
            f"{row.name}: refusals of ours, calls without an answer",
            account["ours"] + account["unanswered"],
            0,
        ),
    ]
    if row.share is not None:
        found.append(Bar(f"{row.name}: share", account["share"], row.share, at_most=False))
    return found


def table_of(accounts, chosen, context):
    table = Table(
        f"A client as fast as it can, {LIMIT} a minute, {context.windows} windows, {context.loops} loops",
        [
            "quota",
            "429s from the API",
            "refusals of ours",
            "completed",
            "could have had",
            "share",
            "in the long run",
            "p50, p99 wait",
        ],
        [],
        note=f"{context.threads} threads each call in a loop. The share is of what an all-knowing client has "
        "in the same windows; in the long run a window begins later than it could, by the margin past its "
        "reset. Windows under 10 s are shown without a bar on their share.",
    )
    for row, account in zip(chosen, accounts, strict=True):
        table.rows.append(
            [
                row.name,
                account["upstream_429"],
                account["ours"],
                account["completed"],
                f"{account['could_have_had']:,.0f}" + (" tokens" if row.tokens else ""),
                f"{account['share']:.1%}",
                f"{account['long_run']:.1%}",
                f"{account['p50_s']:.2f} s, {account['p99_s']:.1f} s",
            ]
        )
        table.bars += bars_of(row, account)
    return table


def run(context):
    flask_python = python_with("flask_limiter")
    chosen = [row for row in rows(context.seconds) if flask_python or not row.flask]
    chosen = [row for row in chosen if not context.only or any(word in row.name for word in context.only)]
    with Workspace() as work:
        stages = [Stage(work, row, flask_python) for row in chosen]
        agent = GuardedAgent(work, [stage.api for stage in stages], loops=context.loops)
        # Half a window's distance from the clock's own borders, so that none falls on the end.
        time.sleep((context.seconds / 2 - time.time()) % context.seconds)
        for stage in stages:
            stage.start(agent, context.windows, context.threads)
        for stage in sorted(stages, key=lambda stage: stage.ends):
            stage.finish()
            context.say(f"{stage.row.name}: {account_of(stage)}")
        table = table_of([account_of(stage) for stage in stages], chosen, context)
    if not flask_python:
        table.note += " SKIPPED: Flask-Limiter is not installed (Debian package python3-flask-limiter)."
    return [table]
