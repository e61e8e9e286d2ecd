"""What the guard costs: where nothing waits beside the guard off, a decision, and 10,000 that wait."""

import re
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

from loads import run_micro, run_wrk
from stand import Bar, Table
from subjects import Process, completion_body, fill, free_port, make_certificate, nginx_command

from arrivals import burst
from guard_storms import ResettingApi
from guarding import MODE, Api, GuardedAgent
from harness import BINARY, Workspace, wait_until

CONNECTIONS, ROUNDS, SECONDS = 32, 7, 2
WAITERS = 10_000
POST = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer sk-bench"
wrk.body = '{"model": "gpt-4o-mini", "max_tokens": 200, "messages": [{"role": "user", "content": "Now?"}]}'
"""


def start_agent(folder, mode, upstream):
    port, admin = free_port(), free_port()
    config = folder / f"{mode}.yaml"
    guard = "" if MODE == "none" else f"guard: {mode}\n"
    config.write_text(
        f'{guard}admin: {{listen: "127.0.0.1:{admin}"}}\n'
        f'proxy: {{listen: "127.0.0.1:{port}", loops: 1}}\n'
        f'apis: [{{name: bench, exporter: openai, base_url: "http://127.0.0.1:{upstream}", route: /bench}}]\n'
    )
    return Process(f"guard {mode}", [BINARY, "serve", f"--config.file={config}"], port, folder)


def start_upstream(folder):
    make_certificate(folder)
    ports = {name: free_port() for name in ("PLAIN_PORT", "TLS_PORT", "STREAM_PORT")}
    values = {"DIR": folder, "BODY": completion_body(), **ports}
    config = fill("upstream.nginx.conf", values, folder / "upstream.conf")
    # It says the same for ever: so much that what the guard counts itself is never all of it.
    ample = re.sub(r"(x-ratelimit-(?:limit|remaining)-\w+) (\d+)", r"\1 \g<2>000000", config.read_text())
    config.write_text(ample)
    return Process("upstream", nginx_command(config, folder), ports["PLAIN_PORT"], folder)


def paired_rounds(context):
    """[(requests/s with the guard off, on)], and CPU time a request, rounds in alternating order."""
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        script = folder / "post.lua"
        script.write_text(POST)
        upstream = start_upstream(folder)
        subjects = {mode: start_agent(folder, mode, upstream.port) for mode in ("off", "on")}
        try:
            rounds = []
            for subject in subjects.values():
                run_wrk(subject, CONNECTIONS, 1, script)
            for number in range(ROUNDS):
                order = list(subjects) if number % 2 == 0 else list(subjects)[::-1]
                one = {mode: run_wrk(subjects[mode], CONNECTIONS, SECONDS, script) for mode in order}
                context.say(f"guard off {one['off']['rps']:,.0f}/s, on {one['on']['rps']:,.0f}/s")
                rounds.append(one)
        finally:
            for process in (*subjects.values(), upstream):
                process.stop()
    return rounds


def not_waiting(context, table):
    if not (shutil.which("wrk") and shutil.which("nginx")):
        table.note += " SKIPPED, requests/s: wrk or nginx is not installed."
        return
    rounds = paired_rounds(context)
    ratio = statistics.median(one["on"]["rps"] / one["off"]["rps"] for one in rounds)
    cpu = statistics.median(one["on"]["cpu_us"] / one["off"]["cpu_us"] for one in rounds)
    off, on = (statistics.median(one[mode]["rps"] for one in rounds) for mode in ("off", "on"))
    table.rows.append(
        [
            f"requests/s, {CONNECTIONS} connections, {ROUNDS} paired rounds, nothing waits",
            f"off {off:,.0f}, on {on:,.0f}: {ratio:.2f}; CPU time a request {cpu:.2f}",
            "≥ 0.95",
        ]
    )
    table.bars.append(Bar("guard on beside off: requests/s", ratio, 0.95, at_most=False))


def decision(context, table):
    if context.micro_bench is None or not context.micro_bench.exists():
        table.note += " SKIPPED, the decision: micro_bench is not built."
        return
    figures = run_micro(context.micro_bench, "Guard", 0.3)
    for name, figure in figures.items():
        table.rows.append(
            [
                f"`{name}`",
                f"{figure['cpu_ns'] / 1e3:.2f} µs, {figure.get('allocations', 0):.1f} allocations",
                "",
            ]
        )
    for name in ("GuardDecision/windows:3",):
        found = next((figure for key, figure in figures.items() if name in key), None)
        measured = found["cpu_ns"] / 1e3 if found else float("inf")
        table.bars.append(Bar("a decision with three windows, µs", measured, 1))


def memory_kib(pid, kind="VmRSS"):
    return int(re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


def disorder(numbers):
    """How far, at most, one stands behind its place; in places. They leave in order: what overtakes is on its
    way, over connections of its own."""
    place = {number: at for at, number in enumerate(sorted(numbers))}
    return max(at - place[number] for at, number in enumerate(numbers))


def many_waiters(context, table):
    """Their memory, the connection of each included, and the order in which they go."""
    api = ResettingApi(2 * WAITERS, 25)
    settings = f"{{mode: on, queue: {{size: {WAITERS + 10}}}}}"
    with Workspace() as work:
        agent = GuardedAgent(
            work,
            [Api("demo", "github", api.url)],
            guard=settings,
            loops=context.loops,
            proxy="clients_max: 15000",
        )
        burst(agent.proxy, "/demo/items/0", 1)
        wait_until(lambda: agent.sample("apiquota_quota_remaining"), 5, "the first answer is read")
        before = memory_kib(agent.pid)
        answers = []
        paths = [f"/demo/items/{number}" for number in range(WAITERS)]
        thread = threading.Thread(
            target=lambda: answers.extend(burst(agent.proxy, paths, WAITERS, spacing=0.001))
        )
        thread.start()
        wait_until(lambda: agent.total("apiquota_queue_depth") == WAITERS, 40, "all wait")
        each = (memory_kib(agent.pid) - before) / WAITERS
        thread.join()
        time.sleep(1)
        agent.rests()
    api.stop()
    served = sum(answer.status == 200 for answer in answers)
    order = [int(arrival.path.rpartition("/")[2]) for arrival in api.arrivals[1:]]
    behind = disorder(order)
    context.say(f"{served} served, {each:.1f} KiB each, at most {behind} places behind their turn")
    table.rows.append(
        [
            f"{WAITERS:,} waiters",
            f"{each:.1f} KiB each with their connections; {served:,} served, at most {behind} places late",
            "≤ 16 KiB",
        ]
    )
    table.bars += [
        Bar("10,000 waiters: KiB each", each, 16),
        Bar("10,000 waiters: served", served, WAITERS, at_most=False),
        Bar("10,000 waiters: sent before the reset", api.refused, 0),
    ]


def run(context):
    table = Table("Cost", ["what", "measured", "bar"], [])
    not_waiting(context, table)
    decision(context, table)
    many_waiters(context, table)
    return [table]
