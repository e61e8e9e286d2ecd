"""Concurrency slots and the breaker under faults from outside: what is held afterwards, what got through."""

import guard_leavers as leavers
import guard_slots as slots
from stand import Bar, Table

from harness import Workspace

WRITTEN = ("guard: {concurrency: {max: 4}, breaker: {errors: 5}}",)


def in_a_workspace(scenario, *arguments, **named):
    with Workspace() as work:
        return scenario(work, *arguments, **named)


def at_rest(what, figures):
    return Bar(f"{what}: held at rest", sum(abs(value) for value in figures["held"].values()), 0)


def kept():
    figures = in_a_workspace(slots.kept, 8, 300)
    what = "300 clients at once, 8 slots"
    row = [what, f"{figures['most_at_once']} at the API at once at most; {figures['served']} served"]
    return (
        row,
        [
            Bar(f"{what}: at once", figures["most_at_once"], 8),
            Bar(f"{what}: served", figures["served"], figures["stayed"], at_most=False),
            at_rest(what, figures),
        ],
        figures,
    )


def kept_from_leavers():
    figures = in_a_workspace(slots.kept, 8, 300, leaving=1.0)
    what = "… and 300 that leave at some moment"
    row = [what, f"{figures['served']} of those that stayed served; held: {figures['held'] or 0}"]
    return (
        row,
        [
            Bar(f"{what}: served", figures["served"], figures["stayed"], at_most=False),
            at_rest(what, figures),
        ],
        figures,
    )


def every_byte():
    figures = in_a_workspace(leavers.gone_at_every_byte, settings=WRITTEN)
    what = "4 slots, clients gone at every byte of request and answer"
    row = [what, f"{figures['ways']} ways; held: {figures['held'] or 0}"]
    return (
        row,
        [
            at_rest(what, figures),
            Bar(f"{what}: a call afterwards", figures["answered_afterwards"], 200, at_most=False),
        ],
        figures,
    )


def in_the_queue():
    figures = in_a_workspace(leavers.gone_while_waiting, settings=WRITTEN)
    what = "4 slots, 50 clients gone while they waited, 50 that stayed"
    row = [what, f"{figures['stayed']} served, {figures['sent_for_who_left']} sent for who left"]
    return (
        row,
        [at_rest(what, figures), Bar(f"{what}: sent for who left", figures["sent_for_who_left"], 0)],
        figures,
    )


def not_reading():
    figures = in_a_workspace(slots.stalled_holder)
    what = "the one slot held by a client that does not read, cut off after 1 s"
    row = [what, f"the next one has it after {figures['waited_s']:.1f} s"]
    return row, [at_rest(what, figures), Bar(f"{what}: waited, s", figures["waited_s"], 3)], figures


def reload_and_stop():
    figures = in_a_workspace(slots.reloaded_and_stopped)
    what = "2 slots, a reload to 3, then SIGTERM, 12 clients"
    row = [
        what,
        f"at once {figures['most_before']}, then {figures['most_after']}; "
        f"{figures['answered']} answered, {figures['served']} of them served",
    ]
    return (
        row,
        [
            Bar(f"{what}: at once before", figures["most_before"], 2),
            Bar(f"{what}: at once after", figures["most_after"], 3),
            Bar(f"{what}: answered", figures["answered"], figures["clients"], at_most=False),
        ],
        figures,
    )


def broken():
    figures = in_a_workspace(slots.broken)
    what = "an API that answers 500, the breaker at 5"
    row = [
        what,
        f"{figures['refused']} of 50 refused with 503 within {figures['slowest_refusal_ms']:.0f} ms, "
        f"{figures['asked_while_open']} sent; {figures['probes']} probe among 50; served again "
        f"{figures['served_again_after_s']:.1f} s after it was well",
    ]
    return (
        row,
        [
            Bar(f"{what}: sent while open", figures["asked_while_open"], 0),
            Bar(f"{what}: refused", figures["refused"], figures["clients"], at_most=False),
            Bar(f"{what}: probes among 50", figures["probes"], 1),
            Bar(f"{what}: served again after, s", figures["served_again_after_s"], 4.5),
            at_rest(what, figures),
        ],
        figures,
    )


def probe_leaves():
    figures = in_a_workspace(slots.probe_leaves)
    what = "the probe's client leaves before its answer"
    row = [what, f"the next one is served after {figures['next_after_s']:.1f} s"]
    return row, [at_rest(what, figures), Bar(f"{what}: next after, s", figures["next_after_s"], 2)], figures


def gone_while_open():
    figures = in_a_workspace(slots.gone_while_open, 100)
    what = "clients gone at any byte while it is open, half open, closed again"
    row = [what, f"{figures['ways']} ways; held: {figures['held'] or 0}"]
    return row, [at_rest(what, figures)], figures


def run(context):
    table = Table("Slots and the breaker under faults", ["what", "measured"], [])
    for scenario in (
        kept,
        kept_from_leavers,
        every_byte,
        in_the_queue,
        not_reading,
        reload_and_stop,
        broken,
        probe_leaves,
        gone_while_open,
    ):
        row, bars, figures = scenario()
        context.say(f"{row[0]}: {figures}")
        table.rows.append(row)
        table.bars += bars
    return [table]
