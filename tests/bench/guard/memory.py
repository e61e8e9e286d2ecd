"""A memory of answers: identical requests, a leader that dies at every byte, a polled list, and a hit beside
nginx's proxied request."""

import shutil
import statistics
import tempfile
from pathlib import Path

from loads import run_wrk
from stand import Bar, Table
from subjects import Process, completion_body, fill, free_port, make_certificate, nginx_command

import guard_cache_herd as herd
import guard_cache_polled as polling
from guard_own_flask import LIMITER_ALONE
from harness import BINARY, Workspace

CONNECTIONS, ROUNDS, SECONDS = 32, 15, 1
CLIENTS = 100


def in_a_workspace(scenario, *arguments, **named):
    with Workspace() as work:
        return scenario(work, *arguments, **named)


def at_once():
    figures = in_a_workspace(herd.identical, CLIENTS, 10)
    most = max(figures["calls"])
    row = [
        "100 identical GETs at once, 10 times",
        f"{most} sent each time; {figures['whole']:,} of 1,000 whole",
    ]
    return (
        row,
        [
            Bar("identical GETs: sent", most, 1),
            Bar("identical GETs: served", figures["whole"], figures["clients"], at_most=False),
        ],
        figures,
    )


def api_hangs_up(retries):
    figures = in_a_workspace(herd.upstream_killed, CLIENTS, 1, None if retries else herd.PLAIN)
    name = "the API's connection dies at every byte of the first answer" + ("" if retries else ", no retries")
    row = [
        name,
        f"{figures['ways']} ways, 100 clients each: {figures['most_calls']} sent at most, "
        f"{figures['stranded']} stranded, {figures['without_most']} at most without a whole answer",
    ]
    return (
        row,
        [
            Bar(f"{name}: sent", figures["most_calls"], 2),
            Bar(f"{name}: stranded", figures["stranded"], 0),
            Bar(f"{name}: without an answer", figures["without_most"], 1),
        ],
        figures,
    )


def client_leaves():
    figures = in_a_workspace(herd.client_killed, CLIENTS, 1)
    row = [
        "the first client dies at every byte of its request and answer",
        f"{figures['ways']} ways: {figures['most_calls']} sent at most; {figures['whole']:,} of "
        f"{figures['others']:,} others whole",
    ]
    return (
        row,
        [
            Bar("the first client dies: sent", figures["most_calls"], 1),
            Bar("the first client dies: others served", figures["whole"], figures["others"], at_most=False),
        ],
        figures,
    )


def kept_apart():
    figures = in_a_workspace(herd.apart)
    said = ", ".join(f"{path} {one['calls']}" for path, one in figures.items())
    row = [
        "20 clients each of two credentials; /secret may not be kept, /events is a stream",
        f"sent: {said}",
    ]
    served = sum(one["served"] for one in figures.values())
    calls = [figures[path]["calls"] for path in ("/mine", "/secret", "/events")]
    return (
        row,
        [
            Bar("two credentials: sent", calls[0], 2),
            Bar("what may not be shared: sent", min(calls[1:]), 40, at_most=False),
            Bar("two credentials: served", served, 120, at_most=False),
        ],
        figures,
    )


def list_polled(name, spent, **named):
    figures = in_a_workspace(polling.polled, **named)
    row = [
        f"a list polled 60 times, {name}",
        f"asked {figures['asked_upstream']} times, spent {figures['spent']} of the API's count; "
        f"apiquota_quota_saved_total says {figures['saved_as_told']:.0f}",
    ]
    told = abs(figures["saved_as_told"] - (60 - figures["spent"])) if named.get("cache", True) else 0
    return (
        row,
        [
            Bar(f"{row[0]}: spent", figures["spent"], spent),
            Bar(f"{row[0]}: answered", figures["answered"], 60, at_most=False),
            Bar(f"{row[0]}: saved, told wrong", told, 0),
        ],
        figures,
    )


SCENARIOS = [
    at_once,
    lambda: api_hangs_up(True),
    lambda: api_hangs_up(False),
    client_leaves,
    kept_apart,
    lambda: list_polled("no cache", 60, cache=False, every=0.05),
    lambda: list_polled("max-age=60, each second", 1, every=1),
    lambda: list_polled("max-age=1, every 1.5 s", 1, every=1.5, max_age=1),
    lambda: list_polled("no time at all, its ETag only", 1, every=0.1, max_age=0),
    lambda: list_polled("which changes 5 times", 6, every=0.1, max_age=0, changes=5),
]


def proxies(folder, upstream):
    """Each as it is run well for one core: nginx proxies, HAProxy proxies, nginx remembers, and we do."""
    port, remembering, kept = free_port(), free_port(), free_port()
    common = {"DIR": folder, "WORKERS": 1, "SCHEME": "http", "UPSTREAM_HOST": "127.0.0.1"}
    common["UPSTREAM_PORT"] = upstream
    nginx = fill("proxy.nginx.conf", {**common, "PORT": port}, folder / "nginx.conf")
    own = folder / "own"
    own.mkdir()
    (own / "cert.pem").write_bytes((folder / "cert.pem").read_bytes())
    cached = fill("proxy.nginx.conf", {**common, "DIR": own, "PORT": remembering}, folder / "kept.conf")
    zone = (
        f"proxy_cache_path {own}/cache keys_zone=kept:10m; proxy_cache kept; proxy_cache_valid 200 1h;\n"
        "  proxy_ignore_headers Cache-Control;\n  upstream provider"
    )
    cached.write_text(cached.read_text().replace("upstream provider", zone, 1))
    ours = folder / "kept.yaml"
    ours.write_text(
        f"guard: {{{LIMITER_ALONE}, cache: {{size: 64MiB}}}}\n"
        f'admin: {{listen: "127.0.0.1:{free_port()}"}}\n'
        f'proxy: {{listen: "127.0.0.1:{kept}", loops: 1}}\n'
        f'apis: [{{name: bench, exporter: openai, base_url: "http://127.0.0.1:{upstream}", route: /bench}}]\n'
    )
    found = {
        "nginx, proxied": Process("nginx", nginx_command(nginx, folder), port, folder),
        "nginx, remembered": Process("nginx-kept", nginx_command(cached, own), remembering, folder),
        "apiquota, remembered": Process("apiquota", [BINARY, "serve", f"--config.file={ours}"], kept, folder),
    }
    if shutil.which("haproxy"):
        values = {**common, "PORT": free_port(), "HAPROXY_TLS": ""}
        config = fill("haproxy.cfg", values, folder / "haproxy.cfg")
        command = [shutil.which("haproxy"), "-db", "-f", config]
        found["HAProxy, proxied"] = Process("haproxy", command, values["PORT"], folder)
    return found


def hit_rounds(context):
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_certificate(folder)
        ports = {port: free_port() for port in ("PLAIN_PORT", "TLS_PORT", "STREAM_PORT")}
        values = {"DIR": folder, "BODY": completion_body(), **ports}
        config = fill("upstream.nginx.conf", values, folder / "upstream.conf")
        fresh = '      add_header Cache-Control "private, max-age=3600";\n      return 200'
        config.write_text(config.read_text().replace("      return 200", fresh))
        upstream = Process("upstream", nginx_command(config, folder), ports["PLAIN_PORT"], folder)
        subjects = proxies(folder, upstream.port)
        try:
            for subject in subjects.values():
                run_wrk(subject, CONNECTIONS, 1)
            rounds = []
            for number in range(ROUNDS):
                order = list(subjects) if number % 2 == 0 else list(subjects)[::-1]
                rounds.append({who: run_wrk(subjects[who], CONNECTIONS, SECONDS) for who in order})
                context.say(str({who: round(one["rps"]) for who, one in rounds[-1].items()}))
        finally:
            for process in (*subjects.values(), upstream):
                process.stop()
    return rounds


def hits(context):
    table = Table(
        "A hit beside a proxied request",
        ["who, one loop or worker", "requests/s", "of nginx's proxied rate (rounds)", "CPU µs a request"],
        [],
        note=f"wrk, {CONNECTIONS} connections, 1,006 bytes of JSON, {ROUNDS} paired rounds of {SECONDS} s,"
        " the upstream and wrk on the same two cores.",
    )
    if not (shutil.which("wrk") and shutil.which("nginx")):
        table.note = "SKIPPED: wrk or nginx is not installed."
        return table
    rounds = hit_rounds(context)
    middle, cpus = {}, {}
    for who in rounds[0]:
        ratios = [one[who]["rps"] / one["nginx, proxied"]["rps"] for one in rounds]
        rate = statistics.median(one[who]["rps"] for one in rounds)
        cpus[who] = statistics.median(one[who]["cpu_us"] for one in rounds)
        middle[who] = statistics.median(ratios)
        of = f"{middle[who]:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        table.rows.append([who, f"{rate:,.0f}", of, f"{cpus[who]:.1f}"])
    name = "a hit's rate, of nginx's proxied rate"
    table.bars.append(Bar(name, middle["apiquota, remembered"], 2, at_most=False))
    cheaper = cpus["nginx, proxied"] / cpus["apiquota, remembered"]
    table.bars.append(Bar("hits for the CPU time of a request that nginx proxies", cheaper, 2, at_most=False))
    return table


def run(context):
    table = Table("Remembered, and asked once", ["what", "measured"], [])
    table.note = (
        "Spent is what the API itself counts: it speaks of its list as GitHub does, and a 304 is free. A poll"
        " is a connection of its own."
    )
    for scenario in SCENARIOS:
        row, bars, figures = scenario()
        context.say(f"{row[0]}: {figures}")
        table.rows.append(row)
        table.bars += bars
    return [table, hits(context)]
