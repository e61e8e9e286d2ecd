"""Locust's users against 60 a minute; in the same run a second setting is judged beside the one in force."""

import csv
import os
import shutil
import subprocess
import time

from stand import HERE, Bar, Table

from guarding import Api, GuardedAgent, Judge
from harness import Workspace

LIMIT = 60
USERS = 8
SETTINGS = "{mode: on, shadow: {pace: {headroom: 50%}}}"


def run_locust(work, url, path, seconds):
    """(calls, failures) by Locust's own count."""
    prefix = work.directory / "locust"
    command = [
        "locust",
        "-f",
        HERE / "locustfile.py",
        "--headless",
        "--only-summary",
        "--csv",
        prefix,
        "-u",
        USERS,
        "-r",
        USERS,
        "-t",
        f"{seconds:g}s",
        "--host",
        url,
        "--loglevel",
        "WARNING",
    ]
    environment = {**os.environ, "LOCUST_PATH": path}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=seconds + 60,
        check=False,
    )
    stats = prefix.with_name("locust_stats.csv")
    if not stats.exists():
        raise RuntimeError(f"Locust said: {done.stderr[-500:]}")
    with stats.open() as lines:
        (total,) = [row for row in csv.DictReader(lines) if row["Name"] == "Aggregated"]
    return int(total["Request Count"]), int(total["Failure Count"])


def decisions(agent, mode):
    return {
        decision: int(agent.total("apiquota_decisions_total", mode=mode, decision=decision))
        for decision in ("allow", "delay", "reject")
    }


def run(context):
    columns = ["setting", "calls", "failed", "refused by the API", "allowed, delayed, refused by the guard"]
    table = Table(f"Locust, {USERS} users, {LIMIT} requests in {context.seconds:g} s", columns, [])
    if not shutil.which("locust"):
        table.note = "SKIPPED: locust is not installed (Debian package python3-locust)."
        return [table]
    with Workspace() as work:
        judge = Judge(work, "github", "--quota", f"requests={LIMIT}/{context.seconds:g}s,fixed")
        api = Api("demo", "github", judge.url, [f"guard: {SETTINGS}"])
        agent = GuardedAgent(work, [api], loops=context.loops)
        began = time.monotonic()
        seconds = context.seconds * context.windows - 5
        calls, failures = run_locust(work, agent.proxy, "/demo/items", seconds)
        context.say(f"locust: {calls} calls in {time.monotonic() - began:.0f} s")
        on, shadow = decisions(agent, "on"), decisions(agent, "shadow")
        refused = judge.stats()["throttled"]
        agent.rests()
    table.rows.append(["`guard: on`", calls, failures, refused, ", ".join(map(str, on.values()))])
    table.rows.append(
        [
            "`shadow: {pace: {headroom: 50%}}`, judged beside it",
            "",
            "",
            "",
            ", ".join(map(str, shadow.values())),
        ]
    )
    table.bars = [
        Bar("Locust: failed calls", failures, 0),
        Bar("Locust: refused by the API", refused, 0),
        Bar("Locust: calls", calls, 0.97 * LIMIT * context.windows, at_most=False),
        Bar("Locust: the shadow judged, too", sum(shadow.values()), calls, at_most=False),
    ]
    return [table]
