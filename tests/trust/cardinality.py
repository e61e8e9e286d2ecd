"""Bar 14: a million distinct paths, keys, models and resources. The series stay within their cap, memory
and scrapes with them, and what was left out is counted exactly."""

import json
import selectors
import shutil
import socket
import time

from good_client import ask, quantile
from stand import PATH, Program, Stand, free_port
from subject import SANITIZED, Apiquota, FaultUpstream, settings, total, wait_until
from trust_table import Row

AGAIN = "scripts/trust cardinality"
APIS = 30
STATUSES = (200, 201, 400, 401, 404, 429, 500, 503)
SERIES_MAX, PAGE_KIB, SCRAPE_MS, GROWN_MIB = 10000, 1024, 20, 8
UPSTREAM = """worker_processes 1;
daemon off;
pid @DIR@/upstream.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path @DIR@/body;
  proxy_temp_path @DIR@/p;
  fastcgi_temp_path @DIR@/f;
  uwsgi_temp_path @DIR@/u;
  scgi_temp_path @DIR@/s;
  server {
    listen 127.0.0.1:@PORT@;
    add_header X-RateLimit-Limit 5000 always;
    add_header X-RateLimit-Remaining 4999 always;
    add_header X-RateLimit-Reset 3600 always;
    add_header X-RateLimit-Resource $arg_r always;
    add_header X-RateLimit-Limit-Requests 5000 always;
    add_header X-RateLimit-Remaining-Requests 4999 always;
    default_type application/json;
@STATUSES@  }
}
"""
REPLY = '{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'


class QuickUpstream(Program):
    """nginx as an API: the last part of the path is the status, ?r= comes back as the name of a resource."""

    def __init__(self, work):
        self.port = free_port()
        lines = "".join(f"    location ~ /{code}$ {{ return {code} '{REPLY}'; }}\n" for code in STATUSES)
        text = UPSTREAM.replace("@DIR@", str(work.directory)).replace("@PORT@", str(self.port))
        config = work.directory / "upstream.conf"
        config.write_text(text.replace("@STATUSES@", lines))
        super().__init__(
            work, "nginx-upstream",
            [shutil.which("nginx", path=PATH), "-p", work.directory, "-c", config, "-e", "stderr"])
        self.url = f"http://127.0.0.1:{self.port}"
        wait_until(lambda: ask(self.url + "/200")[0] == 200, 10, "nginx answers")


def request(number):
    """The request of that number: a path, a key, a model or a resource that no other has."""
    api, code = number % APIS, STATUSES[number // APIS % len(STATUSES)]
    if number % 11 == 10:
        return f"GET /nowhere-{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    if api % 3 == 0:
        body = f'{{"model":"m-{number}"}}'
        return (
            f"POST /t{api}/p-{number}/{code} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer k-{number}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    method = "GET" if number % 7 else f"M{number}"
    return (f"{method} /t{api}/p-{number}/{code}?r=r-{number} HTTP/1.1\r\nHost: localhost\r\n"
            f"X-Api-Key: k-{number}\r\nUser-Agent: a-{number}\r\n\r\n")


class Flood:
    """Pipelined requests on a few connections; answers are counted by their status lines."""

    DEPTH = 64

    def __init__(self, address, connections=8):
        self.address, self.number, self.answered, self.lost = address, 0, 0, 0
        self.selector = selectors.DefaultSelector()
        for _ in range(connections):
            self.connect()

    def connect(self):
        sock = socket.create_connection(self.address, timeout=20)
        self.selector.register(sock, selectors.EVENT_READ, [0, b""])
        self.send(sock, self.selector.get_key(sock).data)

    def send(self, sock, state):
        batch = "".join(map(request, range(self.number, self.number + self.DEPTH)))
        self.number += self.DEPTH
        state[0] = self.DEPTH
        sock.sendall(batch.encode())

    def run(self, seconds, most):
        deadline = time.monotonic() + seconds
        while self.selector.get_map():
            going_on = time.monotonic() < deadline and self.number < most
            for key, _ in self.selector.select(10) or self.give_up():
                self.read(key.fileobj, key.data, going_on)

    def give_up(self):
        raise AssertionError(f"no answer for 10 s after {self.answered} requests")

    def read(self, sock, state, going_on):
        data = sock.recv(262144)
        text = state[1] + data
        found = text.count(b"HTTP/1.1 ")
        state[1] = text[-8:]
        self.answered += found
        state[0] -= found
        if data and state[0] > 0:
            return
        if data and going_on:
            return self.send(sock, state)
        self.lost += state[0]
        self.selector.unregister(sock)
        sock.close()
        if going_on:
            self.connect()


def settled_kib(agent):
    """Its memory once the last page's buffers are back."""
    readings = []
    for _ in range(10):
        readings.append(agent.kib())
        time.sleep(0.1)
    return min(readings)


def many_of_everything(context, seconds, most):
    with Stand(context) as stand:
        upstream = QuickUpstream(stand.work)
        apis = "".join(
            f"  - {{name: t{n}, exporter: {'openai' if n % 3 == 0 else 'generic'}, "
            f"base_url: '{upstream.url}'}}\n"
            for n in range(APIS))
        agent = Apiquota(stand.work, settings(upstream.url, apis=apis), name="agent-many")
        ask(agent.proxy_url + "/t/200")
        ask(agent.admin_url + "/metrics")
        before = agent.kib()
        flood = Flood(agent.endpoint())
        began = time.monotonic()
        flood.run(seconds, most)
        rate = flood.answered / (time.monotonic() - began)
        flooded = (agent.kib() - before) / 1024
        scrapes = [ask(agent.admin_url + "/metrics") for _ in range(30)]
        page = scrapes[-1][2]
        series = sum(1 for line in page.splitlines() if line and not line.startswith(b"#"))
        p99 = 1000 * quantile([s for _, s, _ in scrapes], 0.99)
        grown = (settled_kib(agent) - before) / 1024
        foreign = sorted({
            labels["method"]
            for name, labels, _ in agent.metrics() if labels.get("method", "").startswith("M")
        })
        ours = (
            f"{flood.answered} requests ({rate:.0f}/s): {series} series, {len(page) / 1024:.0f} KiB, "
            f"p99 {p99:.0f} ms, "
            f"RSS +{flooded:.1f} MiB, +{grown:.1f} MiB after 30 scrapes")
        context.say(f"cardinality: {ours}; lost {flood.lost}, methods {foreign[:3]}")
        good = series <= SERIES_MAX and not foreign and flood.lost == 0 and agent.alive()
        if not context.quick:
            good = good and len(page) <= PAGE_KIB * 1024 and p99 <= SCRAPE_MS and (grown <= GROWN_MIB
                                                                                   or SANITIZED)
        return Row(
            "14", "distinct paths, keys, models, resources, methods", ours,
            f"<= {SERIES_MAX} series, <= {PAGE_KIB} KiB, p99 <= {SCRAPE_MS} ms, RSS <= +{GROWN_MIB} MiB",
            reproduce=AGAIN, passed=good)


def exact_drops(context, count):
    """One api, `count` keys with one quota each: what is shown and what was dropped is all of them."""
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        agent = Apiquota(stand.work, settings(upstream.url), name="agent-drops")
        for number in range(count):
            status, _, _ = ask(agent.proxy_url + "/t/ok/0", headers=f"Authorization: Bearer key-{number}\r\n")
            assert status == 200, status
        samples = agent.metrics()
        shown = len(json.loads(ask(agent.admin_url + "/api/v1/quotas")[2])["quotas"])
        dropped = total(samples, "apiquota_series_dropped_total", family="apiquota_quota")
        counted = total(samples, "apiquota_upstream_requests_total")
        ours = f"{shown} shown + {dropped:.0f} dropped of {count}; {counted:.0f} requests counted"
        context.say(f"drops: {ours}")
        return Row("14b", f"{count} keys on one api", ours,
                   "shown + dropped = all, no request lost from the counts", reproduce=AGAIN,
                   passed=shown + dropped == count == counted)


def run(context):
    rows = [exact_drops(context, 300 if context.quick else 2000)]
    if not shutil.which("nginx", path=PATH):
        return rows
    return [
        *rows,
        many_of_everything(context, 4 if context.quick else 90, 10_000 if context.quick else 1_000_000)
    ]
