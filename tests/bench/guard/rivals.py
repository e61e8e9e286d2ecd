"""What tutorials reach for under the same load: limiters in the process, the SDK's retries, apiquota."""

import concurrent.futures
import json
import subprocess
from dataclasses import dataclass

import packages
from stand import HERE, Bar, Table

from guarding import Api, GuardedAgent, Judge, percentile
from harness import Workspace

REQUESTS, TOKENS = 60, 9000  # a window; a call is charged 200 tokens: they bind, at 45 calls
WORKERS = 8
SUBJECTS = {
    "plain": "a plain loop, nothing between",
    "ratelimit": "Python `ratelimit`, `sleep_and_retry`",
    "aiolimiter": "Python `aiolimiter`",
    "openai": "OpenAI's SDK, its own retries",
    "bottleneck": "npm `bottleneck`",
    "p-throttle": "npm `p-throttle`",
    "apiquota": "apiquota, a plain loop",
}
COLUMNS = [
    "",
    "processes",
    "completed",
    "429s the caller saw",
    "wasted calls",
    "share used",
    "p50, p99 wait",
    "tokens over the limit",
]


@dataclass
class Race:
    """One subject in so many processes before an API of its own."""

    name: str
    processes: int
    judge: Judge
    url: str = ""
    running: tuple = ()

    def command(self, seconds, window, python, npm):
        workers = str(WORKERS // self.processes)
        rest = [self.url, str(seconds), workers, str(REQUESTS), str(window)]
        if self.name in packages.NPM:
            return ["node", str(HERE / "rival_client.mjs"), self.name, *rest], npm
        how = "plain" if self.name == "apiquota" else self.name  # the same loop, another URL
        return [python, str(HERE / "rival_client.py"), how, *rest], None

    def start(self, seconds, window, python, npm):
        command, folder = self.command(seconds, window, python, npm)
        self.running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder) for _ in range(self.processes)
        ]

    def finish(self, seconds):
        calls = []
        for process in self.running:
            out, _ = process.communicate(timeout=seconds + 60)
            calls += json.loads(out)
        truth = self.judge.truth()
        by_tokens = next(limit for limit in truth["limits"] if limit["name"] == "tokens")
        each = by_tokens["used"] / max(1, by_tokens["admitted"])
        waits = [took for took, status in calls if status == 200]
        return {
            "name": self.name,
            "processes": self.processes,
            "completed": sum(status == 200 for _, status in calls),
            "seen_429": sum(status == 429 for _, status in calls),
            "wasted": truth["refused"],
            "share": truth["share"],
            "p50_s": percentile(waits, 0.5),
            "p99_s": percentile(waits, 0.99),
            "tokens_over": by_tokens["refused"] * each,
        }


def prepare(work, window, python, npm):
    """The races that can be run here, and the agent before those of apiquota."""
    races = []
    for name in SUBJECTS:
        if (name in packages.NPM and npm is None) or (name in packages.PYPI and python is None):
            continue
        for processes in (1, 2):
            judge = Judge(
                work,
                "openai",
                "--quota",
                f"tokens={TOKENS}/{window:g}s,bucket",
                "--quota",
                f"requests={REQUESTS}/{window:g}s,bucket",
                "--tokens-charged",
                "start",
                name=f"{name}-{processes}",
            )
            races.append(Race(name, processes, judge, judge.url + "/v1"))
    ours = [race for race in races if race.name == "apiquota"]
    agent = GuardedAgent(work, [Api(f"with-{race.processes}", "openai", race.judge.url) for race in ours])
    for race in ours:
        race.url = f"{agent.proxy}/with-{race.processes}/v1"
    return races


def row_of(cell):
    return [
        SUBJECTS[cell["name"]],
        cell["processes"],
        cell["completed"],
        cell["seen_429"],
        cell["wasted"],
        f"{cell['share']:.0%}",
        f"{cell['p50_s']:.1f} s, {cell['p99_s']:.1f} s",
        f"{cell['tokens_over']:,.0f}",
    ]


def run(context):
    python, no_python = packages.python_of(context)
    npm, no_npm = packages.npm_of(context)
    seconds = context.seconds * context.windows
    with Workspace() as work:
        races = prepare(work, context.seconds, python, npm)
        for race in races:
            race.start(seconds, context.seconds, python or "python3", npm)
        with concurrent.futures.ThreadPoolExecutor(len(races)) as pool:  # each asks its judge at its own end
            cells = list(pool.map(lambda race: race.finish(seconds), races))
    table = Table(
        f"Side by side: {WORKERS} workers, {REQUESTS} requests and {TOKENS:,} tokens "
        f"in {context.seconds:g} s",
        COLUMNS,
        [row_of(cell) for cell in cells],
        note="Each before an API of its own, all at once. A wasted call is one that the API refused; "
        "the tokens over the limit are those that such calls asked for.",
    )
    for cell in cells:
        context.say(f"rivals: {cell}")
    for name, why in (("PyPI", no_python), ("npm", no_npm)):
        if why:
            table.note += f" SKIPPED, those of {name}: {why}."
    for cell in cells:
        if cell["name"] == "apiquota":
            what = f"apiquota beside rivals, {cell['processes']} process(es)"
            table.bars += [
                Bar(f"{what}: wasted calls", cell["wasted"], 0),
                Bar(f"{what}: 429s seen", cell["seen_429"], 0),
                Bar(f"{what}: share", cell["share"], 0.93, at_most=False),
            ]
    return [table]
