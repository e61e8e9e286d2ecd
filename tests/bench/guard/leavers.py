"""Clients that leave, agents that reload or stop, APIs that say what is not so: what is held afterwards."""

import guard_leavers as leavers
import guard_misled as misled
from stand import Bar, Table

from harness import Workspace


def with_workspace(scenario, *arguments, **named):
    with Workspace() as work:
        return scenario(work, *arguments, **named)


def at_rest(what, figures):
    return Bar(f"{what}: held at rest", sum(abs(value) for value in figures["held"].values()), 0)


def at_every_byte():
    figures = with_workspace(leavers.gone_at_every_byte)
    row = [
        "clients gone at every byte of request and answer",
        f"{figures['ways']} ways; held: {figures['held'] or 0}",
    ]
    return (
        row,
        [
            at_rest(row[0], figures),
            Bar("a call afterwards", figures["answered_afterwards"], 200, at_most=False),
        ],
        figures,
    )


def in_the_queue():
    figures = with_workspace(leavers.gone_while_waiting)
    row = [
        "50 clients gone while they waited, 50 that stayed",
        f"{figures['stayed']} served, {figures['sent_for_who_left']} sent for who left",
    ]
    return (
        row,
        [
            at_rest(row[0], figures),
            Bar("sent for who left", figures["sent_for_who_left"], 0),
            Bar("those that stayed", figures["stayed"], 50, at_most=False),
        ],
        figures,
    )


def not_reading():
    figures = with_workspace(leavers.stalled)
    row = ["clients that do not read", f"cut off; held: {figures['held'] or 0}"]
    return row, [at_rest(row[0], figures)], figures


def reload():
    figures = with_workspace(leavers.reloaded)
    row = ["a reload before 30 waiters", f"{figures['served']} served"]
    return (
        row,
        [
            at_rest(row[0], figures),
            Bar("served after a reload", figures["served"], figures["clients"], at_most=False),
        ],
        figures,
    )


def stop_soon():
    figures = with_workspace(leavers.stopped, 4)
    row = ["SIGTERM, the reset within the drain time", f"{figures['served']} of {figures['clients']} served"]
    return row, [Bar("SIGTERM: served", figures["served"], figures["clients"], at_most=False)], figures


def stop_late():
    figures = with_workspace(leavers.stopped, 40)
    row = [
        "SIGTERM, the reset after it",
        f"{figures['told_when']} of {figures['clients']} answered with 503 and Retry-After",
    ]
    return row, [Bar("SIGTERM: told when", figures["told_when"], figures["clients"], at_most=False)], figures


def retry_after_a_year():
    figures = with_workspace(misled.a_year)
    after = figures["served_after_s"]
    row = [
        "a Retry-After of a year, once (a probe every 2 s)",
        "served again after " + (f"{after:.1f} s" if after is not None else "no time"),
    ]
    return (
        row,
        [Bar("a Retry-After of a year: served again after, s", after if after is not None else 1e9, 3.5)],
        figures,
    )


def wrong_reading():
    figures = with_workspace(misled.one_wrong_reading)
    after = figures["served_after_s"]
    row = [
        "one answer that says that nothing is left for a year (a probe every 2 s)",
        "served again after " + (f"{after:.1f} s" if after is not None else "no time"),
    ]
    waited = 1e9 if after is None else after
    return row, [Bar("one wrong reading: served again after, s", waited, 3.5)], figures


def bare_429():
    figures = with_workspace(misled.bare_refusals)
    row = [
        "a bare 429 every 1.5 s while others are served",
        f"{figures['bare_429']} of them, {figures['held_up']} calls held up, {figures['served']:,} served",
    ]
    return (
        row,
        [
            Bar("bare 429s: calls held up beyond those hit", figures["held_up"] - figures["bare_429"], 0),
            Bar("bare 429s: refusals of ours", figures["ours"], 0),
        ],
        figures,
    )


def unified():
    figures = with_workspace(misled.unified)
    row = [
        "Anthropic's unified quota at 0.3 of 1",
        f"{figures['served']} of {figures['requests']} served, {figures['delayed']} delayed",
    ]
    return (
        row,
        [
            Bar("unified at 0.3: delayed", figures["delayed"], 0),
            Bar("unified at 0.3: served", figures["served"], figures["requests"], at_most=False),
        ],
        figures,
    )


def run(context):
    table = Table("Leaving, stopping, and what is not so", ["what", "measured"], [])
    for scenario in (
        at_every_byte,
        in_the_queue,
        not_reading,
        reload,
        stop_soon,
        stop_late,
        retry_after_a_year,
        wrong_reading,
        bare_429,
        unified,
    ):
        row, bars, figures = scenario()
        context.say(f"{row[0]}: {figures}")
        table.rows.append(row)
        table.bars += bars
    return [table]
