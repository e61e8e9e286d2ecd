"""How fast limits are: Flask-Limiter in an application, apiquota before it and before nginx, nginx's own."""

import json
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from own_limits import empty_upstream
from stand import Table, python_with
from subjects import Process, free_port

from guard_own_flask import LIMITER_ALONE, TutorialFlask
from harness import BINARY, Workspace

CONNECTIONS, ROUNDS, SECONDS = 8, 5, 2
DECISION = """
import json, timeit
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
found = {}
for kind in (FixedWindowRateLimiter, MovingWindowRateLimiter):
    limiter, item = kind(MemoryStorage()), parse("100 per minute")
    seconds = timeit.timeit(lambda: limiter.hit(item, "203.0.113.1", "/items"), number=50000)
    found[kind.__name__] = seconds / 50000
print(json.dumps(found))
"""


def agent_before(folder, name, upstream, limits):
    port = free_port()
    config = folder / f"{name}.yaml"
    guard = f"guard: {{{LIMITER_ALONE}}}\n" if limits else ""
    rules = ["    guard:", f"      limits: [{', '.join(limits)}]"] if limits else []
    api = ["apis:", "  - name: demo", "    exporter: generic", f"    base_url: {upstream}", *rules]
    config.write_text(
        guard
        + f'admin: {{listen: "127.0.0.1:{free_port()}"}}\n'
        + f'proxy: {{listen: "127.0.0.1:{port}", loops: 1}}\n'
        + "\n".join(api)
        + "\n"
    )
    return Process(name, [BINARY, "serve", f"--config.file={config}"], port, folder)


def nginx_before(folder, upstream, rate):
    """nginx that limits by address."""
    port = free_port()
    (folder / "limit.conf").write_text(f"""worker_processes 1; daemon off; pid {folder}/limit.pid;
error_log /dev/null crit; events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/l1; proxy_temp_path {folder}/l2; fastcgi_temp_path {folder}/l3;
  uwsgi_temp_path {folder}/l4; scgi_temp_path {folder}/l5;
  limit_req_zone $binary_remote_addr zone=each:10m rate={rate}; limit_req_status 429;
  upstream api {{ server {upstream}; keepalive 64; keepalive_requests 100000000; }}
  proxy_http_version 1.1; proxy_set_header Connection "";
  server {{
    listen 127.0.0.1:{port};
    location /demo/ {{ limit_req zone=each burst=1000000 nodelay; proxy_pass http://api/; }}
  }}
}}
""")
    return Process("nginx", [shutil.which("nginx"), "-p", folder, "-c", folder / "limit.conf"], port, folder)


def rate(url, refused=False):
    """Answers a second; all of them refusals, or none."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "10s", url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refusals = int((re.search(r"Non-2xx or 3xx responses: (\d+)", output) or [0, 0])[1])
    requests = int(re.search(r"(\d+) requests in", output)[1])
    if (refusals < 0.9 * requests) if refused else refusals:
        raise SystemExit(f"{url}: {refusals} of {requests} were refused")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def limit(count, window, algorithm="fixed"):
    return f"{{name: each, by: [address], limit: {count}, window: {window}, algorithm: {algorithm}}}"


def subjects(folder, work):
    """{name: (url, all of it is refused)}, and what is to be stopped."""
    plain = TutorialFlask(work, "none", "ample", 60, name="plain")
    ample = TutorialFlask(work, "fixed-window", "ample", 60, name="ample")
    strict = TutorialFlask(work, "fixed-window", "default", 3600, name="strict")
    empty = empty_upstream(folder)
    before = f"http://127.0.0.1:{empty.port}"
    much, little = limit(10**9, "1m"), limit(5, "1h")
    agents = {
        "apiquota's limit before Flask": agent_before(folder, "flask-ample", plain.url, [much]),
        "… of which nothing is left": agent_before(folder, "flask-strict", plain.url, [little]),
        "apiquota before nginx, no limit": agent_before(folder, "nginx-off", before, []),
        "… a fixed one": agent_before(folder, "nginx-fixed", before, [much]),
        "… a sliding one": agent_before(folder, "nginx-sliding", before, [limit(10**9, "1m", "sliding")]),
        "… of which nothing is left, nginx": agent_before(folder, "nginx-strict", before, [little]),
    }
    limiting = nginx_before(folder, f"127.0.0.1:{empty.port}", "100000r/s")
    urls = {
        "Flask alone": (plain.url + "/items", False),
        "Flask-Limiter in it": (ample.url + "/items", False),
        "… of which nothing is left, Flask-Limiter": (strict.url + "/items", True),
        **{
            name: (f"http://127.0.0.1:{agent.port}/demo/items", "nothing is left" in name)
            for name, agent in agents.items()
        },
        "nginx's limit_req before nginx": (f"http://127.0.0.1:{limiting.port}/demo/items", False),
    }
    return urls, [limiting, *agents.values(), empty]


def run(context):
    table = Table(
        "How fast limits are",
        ["what, one loop or worker, wrk with 8 connections", "answers/s"],
        [],
        note=f"Medians of {ROUNDS} rounds in which each had its turn, on a machine that was not quiet.",
    )
    if not (shutil.which("wrk") and shutil.which("nginx")):
        table.note = "SKIPPED: wrk or nginx is not installed."
        return [table]
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name, Workspace() as work:
        folder = Path(name)
        folder.chmod(0o755)
        urls, programs = subjects(folder, work)
        try:
            for url, refused in urls.values():
                if refused:  # until nothing is left
                    subprocess.run(["wrk", "-t1", "-c1", "-d1s", url], capture_output=True, check=True)
            rounds = [{key: rate(*urls[key]) for key in urls} for _ in range(ROUNDS)]
        finally:
            for program in programs:
                program.stop()
    for key in urls:
        table.rows.append([key, f"{statistics.median(one[key] for one in rounds):,.0f}"])
        context.say(str(table.rows[-1]))
    python = python_with("limits")
    said = subprocess.run([python, "-c", DECISION], capture_output=True, text=True, check=True).stdout
    for kind, seconds in json.loads(said).items():
        table.rows.append([f"`{kind}.hit` of its library alone, 100 a minute", f"{1 / seconds:,.0f}"])
    return [table]
