"""Official Python clients and plain curl through every rule: they work unchanged, streams stay streams."""

import json
import shutil
import subprocess
import time

import packages
from sdk_api import TEXT, SdkApi
from stand import HERE, Bar, Table

from arrivals import NotingApi
from guarding import Api, GuardedAgent
from harness import Workspace

RULES = ["plain", "stream", "refused once", "drained", "impatient"]
COLUMNS = [
    "client",
    "as ever",
    "a stream, its pieces over",
    "refused once by the API",
    "nothing left for 2 s",
    "2 s of patience, nothing for 60 s",
]


def run_clients(python, agent):
    done = subprocess.run(
        [python, str(HERE / "sdk_calls.py"), agent.proxy],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().split("\n")[-1])
    return [json.loads(line) for line in done.stdout.splitlines()]


def curl(agent, rule, stream=False, most="60"):
    """What plain curl makes of it, in the shape of sdk_calls.py's lines."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Now?"}], "stream": stream}
    command = ["curl", "-sSN", "--fail-with-body", "-m", most, "-H", f"Authorization: Bearer curl-{rule}",
               "-H", "Content-Type: application/json", "-d", json.dumps(body),
               f"{agent.proxy}/openai/v1/chat/completions"]  # fmt: skip
    started, times, text = time.monotonic(), [], ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            times.append(time.monotonic())
            text += line
    seconds = time.monotonic() - started
    if process.returncode != 0:
        return {"error": f"curl {process.returncode}", "sentence": text, "seconds": seconds}
    if stream:
        pieces = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
        value = "".join(piece["choices"][0]["delta"].get("content", "") for piece in pieces)
        return {"value": value, "seconds": seconds, "spread_s": times[-1] - times[0]}
    return {"value": json.loads(text)["choices"][0]["message"]["content"], "seconds": seconds}


def run_curl(agent):
    yield {"client": "curl", "rule": "plain", **curl(agent, "plain")}
    yield {"client": "curl", "rule": "stream", **curl(agent, "plain", stream=True)}
    yield {"client": "curl", "rule": "refused once", **curl(agent, "refused")}
    curl(agent, "drained")
    yield {"client": "curl", "rule": "drained", **curl(agent, "drained")}


def in_words(said):
    if said is None:
        return ""
    if "error" in said:
        return f"`{said['error']}` after {said['seconds'] * 1e3:.0f} ms"
    if "spread_s" in said:
        return f"{said['spread_s']:.1f} s"
    return f"after {said['seconds']:.2f} s"


def bars_of(client, said):
    whole = "".join(TEXT)
    right = [rule for rule in RULES[:4] if rule in said and said[rule].get("value") == whole]
    asked = [rule for rule in RULES[:4] if rule in said]
    found = [
        Bar(f"{client}: rules through which its calls work", len(right), len(asked), at_most=False),
        Bar(
            f"{client}: seconds between a stream's pieces",
            said["stream"].get("spread_s", 0),
            0.25,
            at_most=False,
        ),
    ]
    if "impatient" in said:
        found.append(Bar(f"{client}: refused within, s", said["impatient"]["seconds"], 0.5))
        found.append(
            Bar(f"{client}: refused by an error of its own", "error" in said["impatient"], 1, False)
        )
    return found


def run(context):
    table = Table("Official clients, unchanged, their own retries off", COLUMNS, [])
    python, why = packages.python_of(context)
    api = NotingApi(SdkApi())
    with Workspace() as work:
        exporters = {"openai": "openai", "anthropic": "anthropic", "gemini": "google-gemini"}
        agent = GuardedAgent(work, [Api(name, exporter, api.url) for name, exporter in exporters.items()])
        lines = run_clients(python, agent) if python else []
        if shutil.which("curl"):
            lines += run_curl(agent)
        time.sleep(2.5)  # whatever would be sent for who has left
        agent.rests()
    sent = sum(count - 1 for key, count in api.answer.asked.items() if key.endswith("-empty"))
    for client in dict.fromkeys(line["client"] for line in lines):
        said = {line["rule"]: line for line in lines if line["client"] == client}
        context.say(f"{client}: {said}")
        table.rows.append([client, *(in_words(said.get(rule)) for rule in RULES)])
        table.bars += bars_of(client, said)
    table.bars.append(Bar("sent upstream for clients that had left", sent, 0))
    sentences = {
        line["client"]: line["sentence"] for line in lines if line["rule"] == "impatient" and "error" in line
    }
    table.note = " ".join(f"{client} says: “{text}”." for client, text in sentences.items())
    if why:
        table.note += f" SKIPPED, the clients from PyPI: {why}."
    api.stop()
    return [table]
