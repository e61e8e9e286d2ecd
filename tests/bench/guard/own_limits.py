"""Limits of your own beside Flask-Limiter: the tutorials' rules asked the same, edges of windows, many at
once, a million addresses."""

import concurrent.futures
import shutil
import tempfile
from pathlib import Path

from stand import Bar, Table
from subjects import Process, fill, free_port, nginx_command

import guard_own_crowd as crowds
import guard_own_edges as edges
import guard_own_flask as own
from harness import Workspace

ADDRESSES = 1_000_000
MIB_A_RULE = 64
PAIRS = [  # Flask-Limiter's strategy, its rules
    ("fixed-window", "default", "each route 10, /predict 5, by address"),
    ("moving-window", "default", "the same, moving windows"),
    ("fixed-window", "roles", "the role admin 10, others 5, by a header"),
    ("fixed-window", "application", "10 for all routes together, /predict 5 besides"),
]


def in_a_workspace(scenario, *arguments, **named):
    with Workspace() as work:
        return scenario(work, *arguments, **named)


def asked_the_same(context):
    table = Table(
        "Asked the same: Flask-Limiter, and Flask without it behind apiquota",
        ["rules, in a window of %g s" % context.seconds, "requests", "refused by each", "not the same"],
        [],
        note="Four loops; each request on a connection of its own, three addresses at once. Compared are, for"
        " every request of the script, the status and X-RateLimit-Limit and -Remaining. Where two limits hold"
        " at once, Flask-Limiter takes a request that one refuses from the other, apiquota from neither.",
    )
    with concurrent.futures.ThreadPoolExecutor(len(PAIRS)) as pool:
        running = [
            pool.submit(in_a_workspace, own.side_by_side, strategy, context.seconds, rules)
            for strategy, rules, _ in PAIRS
        ]
        found = [one.result() for one in running]
    for (_, rules, name), one in zip(PAIRS, found, strict=True):
        statuses = own.differences(one)
        fields = own.differences(one, lambda said: (said.limit, said.remaining))
        (requests, theirs), (_, ours) = own.counted(one, "flask"), own.counted(one, "agent")
        table.rows.append([name, requests, f"{theirs}; {ours}", f"{len(statuses)}; fields {len(fields)}"])
        context.say(f"{name}: {statuses[:2]} {fields[:2]}")
        if rules != "application":
            table.bars += [
                Bar(f"{name}: refusals that are not the same", len(statuses), 0),
                Bar(f"{name}: fields that are not the same", len(fields), 0),
            ]
    return table


def accuracy(context):
    window = context.seconds / 4
    table = Table(
        "At the edges of windows",
        ["limit of 10 in %g s" % window, "asked", "admitted", "most in any window's span", "200 at once"],
        [],
        note="Bursts of 20 on both sides of each window's end, by 8 threads; counted where they arrive, in"
        " the application.",
    )
    kinds = {  # most in any span that the kind promises
        "fixed-window": ("Flask-Limiter, fixed window", 19),
        "fixed": ("apiquota, fixed", 19),
        "moving-window": ("Flask-Limiter, moving window", 10),
        "sliding": ("apiquota, sliding", 10),
        "gcra": ("apiquota, gcra, burst 5", 15),
    }
    for kind, (name, promised) in kinds.items():
        figures = in_a_workspace(edges.around_edges, kind, window)
        at_once = in_a_workspace(edges.all_at_once, kind)
        context.say(f"{name}: {figures} {at_once}")
        row = [figures["asked"], figures["admitted"], figures["any_span"], at_once["admitted"]]
        table.rows.append([name, *row])
        if not kind.endswith("-window"):
            table.bars.append(Bar(f"{name}: most in any span", figures["any_span"], promised))
            allowed = 5 if kind == "gcra" else 10
            table.bars.append(Bar(f"{name}: of 200 at once", at_once["admitted"], allowed))
    return table


def empty_upstream(folder):
    """nginx that answers with 204."""
    port = free_port()
    ports = {"PLAIN_PORT": port, "TLS_PORT": free_port(), "STREAM_PORT": free_port()}
    config = fill("upstream.nginx.conf", {"DIR": folder, "BODY": "", **ports}, folder / "upstream.conf")
    text = config.read_text().replace("return 200 ''", "return 204")
    kept = [line for line in text.split("\n") if "ssl" not in line and "add_header" not in line]
    config.write_text("\n".join(kept))
    return Process("upstream", nginx_command(config, folder), port, folder)


def million(context):
    table = Table("A million addresses in a limit for each", ["what", "measured", "bar"], [])
    if not shutil.which("nginx"):
        table.note = "SKIPPED: nginx is not installed."
        return table
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name, Workspace() as work:
        folder = Path(name)
        folder.chmod(0o755)
        upstream = empty_upstream(folder)
        try:
            figures = crowds.crowd(work, f"http://127.0.0.1:{upstream.port}", ADDRESSES)
        finally:
            upstream.stop()
    context.say(f"a million: {figures}")
    grown = figures["mib_many"] - figures["mib_few"]
    again = figures["mib_again"] - figures["mib_few"]
    speeds = {load: ADDRESSES / figures[load]["seconds"] for load in ("few", "many", "again")}
    table.rows += [
        ["resident, few addresses", f"{figures['mib_few']:.1f} MiB", ""],
        ["… and 10^6 more", f"{grown:.1f} MiB more", f"{MIB_A_RULE} MiB"],
        ["… and another 10^6", f"{again:.1f} MiB more", f"{MIB_A_RULE} MiB"],
        ["series that came of it", len(figures["new_series"]), "0"],
    ]
    loads = {
        "alone": "nothing else",
        "pages_few": "/metrics and /api/v1/guard, one after the other",
        "few": f"as many requests of 1 % of the addresses, {speeds['few']:,.0f}/s",
        "many": f"10^6 addresses, {speeds['many']:,.0f}/s",
        "again": f"another 10^6, {speeds['again']:,.0f}/s",
        "pages": "/metrics and /api/v1/guard, one after the other, with 10^6 held",
    }
    for load, beside in loads.items():
        times = figures[load]
        said = f"p50 {times['p50_ms']:.2f}, p99 {times['p99_ms']:.1f}, at most {times['longest_ms']:.0f} ms"
        table.rows.append([f"another client beside {beside}", said, ""])
    pages = ", ".join(f"{page} {1000 * took:.0f} ms" for page, took in figures["pages_s"].items())
    table.rows.append(["the slowest of these pages", pages, ""])
    beside_pages = figures["pages"]["p99_ms"] - figures["pages_few"]["p99_ms"]
    worst = max(figures[load]["p99_ms"] for load in ("many", "again"))
    refused = ADDRESSES * 3 - sum(figures[load]["statuses"].get("204", 0) for load in speeds)
    table.bars += [
        Bar("10^6 addresses: MiB", grown, MIB_A_RULE),
        Bar("2 × 10^6 addresses: MiB", again, MIB_A_RULE),
        Bar("10^6 addresses: new series", len(figures["new_series"]), 0),
        Bar("10^6 addresses: not served", refused, 0),
        Bar("pages of 10^6 addresses: p99 of another, ms more", beside_pages, 10),
        Bar("10^6 addresses: p99 of another, of that beside few", worst / figures["few"]["p99_ms"], 1.5),
    ]
    return table


def run(context):
    return [asked_the_same(context), accuracy(context), million(context)]
