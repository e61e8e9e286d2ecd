"""A small world to look at: OpenAI-, GitHub-, Stripe-like and home-made APIs that `apiquota simulate` plays,
two agents before them, clients of different appetite, and a Prometheus with the shipped rules. The live check
looks at it for a minute; run as a program (scripts/demo-data) it stays.
"""

import argparse
import http.client
import itertools
import json
import math
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from demo_apis import FrontDoor  # noqa: E402
from harness import SOURCE_DIR, Program, Workspace, answers, free_port  # noqa: E402
from serving import LISTEN, Agent  # noqa: E402

CONFIG = """\
state: {file: state-%(name)s.json}
key_salt_file: salt
ledger: {keys_per_api_max: 8}
apis:
  - name: openai-prod
    exporter: openai
    base_url: %(openai)s
    labels: {team: research}
    keys:
      - {name: ci, value_from_env: DEMO_KEY_CI}
      - {name: research, value_from_env: DEMO_KEY_RESEARCH}
    poll: {every: 15s, path: /v1/models}
    guard: shadow
  - name: github
    exporter: github
    base_url: %(github)s
    labels: {team: platform}
    keys: [{name: bot, value_from_env: DEMO_KEY_BOT, inject: default}]
    poll: {every: 10s}
    guard:
      mode: on
      pace: off
      queue: off
      retry: off
      cooldown: off
      limits: [{name: calls, by: [caller], limit: 20, window: 10s}]
  - {name: partner, exporter: generic, base_url: "%(partner)s"}
  - {name: payments, exporter: stripe, base_url: "%(payments)s"}
  - name: mail
    exporter: generic
    base_url: %(mail)s
    guard:
      mode: on
      queue: {size: 10, max_wait: 3s}
      shadow: {queue: {max_wait: 1s}}
      limits:
        - {name: all, by: [key], limit: 60, window: 10s}
        - {name: posts, by: [key], match: {methods: [POST]}, limit: 2, window: 1h}
  - name: news
    exporter: generic
    base_url: %(news)s
    guard:
      mode: on
      queue: {size: 10}
      concurrency: {max: 3}
      breaker: {errors: 3, open: 1s, open_max: 2s}
      cache: {size: 64KiB, stale_if_error: 1m}
callers:
  - {name: deploy, token_from_env: DEMO_TOKEN_DEPLOY, apis: [github]}
  - {name: triage, token_from_env: DEMO_TOKEN_TRIAGE, apis: [github]}
"""
CI, RESEARCH, BOT = "sk-demo-ci", "sk-demo-research", "ghp-demo-bot"
DEPLOY, TRIAGE = "deploy-token-0123456789", "triage-token-0123456789"
SECRETS = {"DEMO_KEY_CI": CI, "DEMO_KEY_RESEARCH": RESEARCH, "DEMO_KEY_BOT": BOT, "DEMO_TOKEN_DEPLOY": DEPLOY,
           "DEMO_TOKEN_TRIAGE": TRIAGE}
CHAT = "/openai-prod/v1/chat/completions"


class Client(threading.Thread):
    """Asks one thing again and again through one agent, more and less often over `period` seconds; leaves
    when it has waited for `patience` seconds."""

    def __init__(self, world, agent, path, token, per_second, period=120, model=None, repeats=False,
                 patience=10):
        super().__init__(daemon=True)
        self.world, self.agent, self.path = world, agent, path
        self.per_second, self.period, self.patience = per_second, period, patience
        self.headers = {"authorization": f"Bearer {token}"}
        if repeats:  # as OpenAI's and Anthropic's libraries say it
            self.headers["x-stainless-retry-count"] = "1"
        self.body = json.dumps({"model": model, "messages": []}) if model else None
        self.start()

    def run(self):
        began = time.monotonic()
        while not self.world.over.is_set():
            phase = 2 * math.pi * (time.monotonic() - began) / self.period
            self.world.over.wait(1 / (self.per_second * (1 + 0.7 * math.sin(phase)) * self.world.haste))
            self.ask()

    def ask(self):
        address = self.world.proxies[self.agent]
        connection = http.client.HTTPConnection(address, timeout=self.patience)
        try:
            method = "POST" if self.body else "GET"
            connection.request(method, self.path, body=self.body, headers=self.headers)
            connection.getresponse().read()
        except OSError:
            pass  # the agent is down, or there is no time left: that is what is to be seen
        finally:
            connection.close()


class World:
    """Everything, started. `scrape` is Prometheus's interval in seconds; `alert_after` replaces the alerts'
    `for` where it is given."""

    def __init__(self, work, scrape, alert_after=None, partner_window="60s", guarded_window="20s",
                 prometheus_port=0):
        self.work, self.scrape, self.alert_after = work, scrape, alert_after
        self.over, self.haste = threading.Event(), 1.0
        self.openai, self.github = FrontDoor(work, "openai"), FrontDoor(work, "github")
        self.partner = FrontDoor(work, "partner", "--window", partner_window)
        self.payments = FrontDoor(work, "payments")
        self.mail = FrontDoor(work, "mail", "--window", guarded_window)
        self.news = FrontDoor(work, "news")
        self.agents = {name: self.start_agent(name) for name in ("a", "b")}
        self.admins = {name: agent.address("admin") for name, agent in self.agents.items()}
        self.proxies = {name: agent.address("proxy") for name, agent in self.agents.items()}
        self.prometheus_url = f"http://127.0.0.1:{prometheus_port or free_port()}"
        self.start_prometheus()
        self.clients = [
            Client(self, "a", CHAT, CI, 1.15, 180, "gpt-4o"),
            Client(self, "b", CHAT, CI, 1.5, 150, "gpt-4o-mini"),
            Client(self, "b", CHAT, RESEARCH, 0.8, 200, "gpt-4o"),
            Client(self, "a", "/github/repos/o/r", DEPLOY, 1.4, 240),
            Client(self, "b", "/github/search/code", TRIAGE, 0.4, 100),
            Client(self, "a", "/partner/items", "partner-token", 1.5, 60),
            Client(self, "b", "/payments/v1/charges", "payments-token", 0.7, 90),
            # Three times what is there, so that there is something to hold back.
            *[Client(self, "a", "/mail/send", "mail-token", 1, 45) for _ in range(2)],
            Client(self, "a", "/mail/send", "mail-token", 1, 45, repeats=True),
            *[Client(self, "a", "/news/today", "news-token", 1, 60) for _ in range(2)],
            Client(self, "a", "/news/archive", "news-token", 1, 60, patience=0.05),
        ]

    def start_agent(self, name, listen=LISTEN):
        config = self.work.directory / f"agent-{name}.yaml"
        config.write_text(CONFIG % {"name": name, "openai": self.openai.url, "github": self.github.url,
                                    "partner": self.partner.url, "payments": self.payments.url,
                                    "mail": self.mail.url, "news": self.news.url})
        return Agent(self.work, f"--config.file={config.name}", name=f"agent-{name}", listen=listen,
                     environment=SECRETS)

    def restart_agent(self, name):
        self.agents[name].stop()
        self.agents[name] = self.start_agent(name, [f"--web.listen-address={self.admins[name]}",
                                                    f"--proxy.listen-address={self.proxies[name]}"])

    def start_prometheus(self):
        folder = self.work.directory
        for rules in (SOURCE_DIR / "alerts").glob("*.rules.yaml"):
            text = rules.read_text()
            if self.alert_after:
                text = re.sub(r"\bfor: \w+", f"for: {self.alert_after}", text)
            (folder / rules.name).write_text(text)
        config = (SOURCE_DIR / "alerts/prometheus.yml").read_text()
        targets = ", ".join(self.admins.values())
        for pattern, replacement in ((r"_interval: 15s", f"_interval: {self.scrape}s"),
                                     (r"127\.0\.0\.1:9429", targets), (r"(?s)^alerting:.*?\n\n", "")):
            config, count = re.subn(pattern, replacement, config, flags=re.M)
            assert count, f"prometheus.yml has no {pattern}"
        (folder / "prometheus.yml").write_text(config)
        self.prometheus = Program(self.work, "prometheus", [
            shutil.which("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=prometheus",
            "--log.level=warn", "--web.listen-address=" + self.prometheus_url.removeprefix("http://")])
        self.prometheus.wait_for(lambda: answers(self.prometheus_url + "/-/ready"), 30, "Prometheus is ready")

    def misbehave(self, seconds):
        """The partner has its bad moments, one every minute and a half, until it is over; the news are in
        trouble in the same ones."""
        end = time.monotonic() + seconds
        for fault in itertools.cycle(("overload", "gibberish", "gone", "credentials", "trouble")):
            if self.over.wait(min(80, max(0, end - time.monotonic()))) or time.monotonic() >= end:
                return
            self.partner.fault, self.news.fault = fault, "trouble"
            self.over.wait(10)
            self.partner.fault = self.news.fault = None

    def stop(self):
        self.over.set()
        for door in (self.openai, self.github, self.partner, self.payments, self.mail, self.news):
            door.stop()
        for client in self.clients:
            client.join(15)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=0, help="0, the default: until interrupted")
    options.add_argument("--prometheus-port", type=int, default=9090)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Workspace() as work:
        world = World(work, scrape=2, prometheus_port=chosen.prometheus_port)
        print(f"Prometheus: {world.prometheus_url}\nagents: " + "  ".join(
            f"http://{admin}/metrics" for admin in world.admins.values()), flush=True)
        try:
            world.misbehave(chosen.minutes * 60 or math.inf)
        except KeyboardInterrupt:
            pass
        world.stop()


if __name__ == "__main__":
    main()
