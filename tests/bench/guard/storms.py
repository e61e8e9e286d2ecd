"""Storms: an API that refuses everything, a thousand waiters at a reset, a noisy neighbour, no patience."""

from stand import Bar, Table

from guard_storms import last_class, no_patience, noisy_neighbour, overloaded, rush_at_reset
from harness import Workspace


def all_refused(context):
    figures = overloaded_figures(context)
    row = [
        "everything answered with 503, 100 requests/s",
        f"{figures['amplification']:.2f} sent for each, POSTs sent twice: {figures['posts_twice']}",
        "1.2 and 3 a second; 0",
    ]
    return (
        row,
        [
            Bar("503: upstream requests beyond 1.2 a request, a second", figures["beyond_1.2_per_s"], 3),
            Bar("503: POSTs sent twice", figures["posts_twice"], 0),
            Bar("503: requests without an answer", figures["requests"] - figures["relayed"], 0),
        ],
        figures,
    )


def overloaded_figures(context):
    with Workspace() as work:
        return overloaded(work, context.seconds / 2, 100)


def at_the_reset(_):
    with Workspace() as work:
        figures = rush_at_reset(work, 1000)
    row = [
        "1,000 waiters at a reset",
        f"over {figures['spread_s']:.1f} s; fullest 100 ms: {figures['fullest_bin_of_mean']:.2f} × the mean",
        "2 × the mean",
    ]
    return (
        row,
        [
            Bar("1,000 waiters: fullest 100 ms of the mean", figures["fullest_bin_of_mean"], 2),
            Bar("1,000 waiters: sent before the reset", figures["too_early"], 0),
            Bar("1,000 waiters: served", figures["served"], 1000, at_most=False),
        ],
        figures,
    )


def neighbours(context):
    with Workspace() as work:
        figures = noisy_neighbour(work, context.seconds / 2)
    row = [
        "one caller with ten times the connections of three others",
        f"Jain's index {figures['jain']:.3f}; served {', '.join(map(str, figures['served'].values()))}",
        "0.95",
    ]
    return (
        row,
        [
            Bar("noisy neighbour: Jain's index", figures["jain"], 0.95, at_most=False),
            Bar("noisy neighbour: 429s from upstream", figures["upstream_429"], 0),
        ],
        figures,
    )


def classes(context):
    with Workspace() as work:
        figures = last_class(work, context.seconds / 2)
    longest = figures["longest_s"]["last"]
    row = ["the last urgency beside a backlog of the first", f"waits {longest:.1f} s at most", "8 s"]
    return row, [Bar("the last urgency: longest wait, s", longest, 8)], figures


def patience(_):
    with Workspace() as work:
        figures = no_patience(work)
    row = [
        "2 s of patience before a window empty for 40 s",
        f"refused within {figures['slowest_ms']:.0f} ms, \"{figures['sentence']}\"",
        "50 ms",
    ]
    return (
        row,
        [
            Bar("no patience: slowest refusal, ms", figures["slowest_ms"], 50),
            Bar("no patience: refused", figures["refused"], figures["clients"], at_most=False),
            Bar("no patience: sent upstream", figures["sent_upstream"], 0),
        ],
        figures,
    )


def run(context):
    table = Table("Storms", ["what", "measured", "bar"], [])
    for scenario in (all_refused, at_the_reset, neighbours, classes, patience):
        row, bars, figures = scenario(context)
        context.say(f"{row[0]}: {figures}")
        table.rows.append(row)
        table.bars += bars
    return [table]
