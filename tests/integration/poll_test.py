"""Polling: the schedule, what comes of each kind of answer, reloads, and that no credential shows."""

import os
import signal
import time
import unittest

from harness import Workspace, get, get_json, wait_until
from polled_api import PolledApi
from serving import Agent, Upstream

SECRETS = {"KEY_ONE": "sk-canary-one-7f3a", "KEY_TWO": "sk-canary-two-9b1c"}
QUERY_SECRET = "canary-query-5e2d"


def start(work, apis, more=""):
    """An agent whose configuration holds these lines under `apis:`."""
    config = work.directory / "agent.yaml"
    config.write_text(more + "apis:\n" + apis)
    return Agent(work, f"--config.file={config}", environment=SECRETS), config


def polled(name, url, path="/limits", every="1s", keys=""):
    return (
        f"  - name: {name}\n    exporter: generic\n    base_url: {url}\n{keys}"
        f'    poll: {{every: {every}, jitter: 0%, path: "{path}"}}\n'
    )


def status_of(agent, api):
    found = next(entry for entry in get_json(agent.admin + "/api/v1/apis")["apis"] if entry["name"] == api)
    return found["polls"]


def value(agent, metric, **labels):
    return [number for have, number in agent.sample(metric) if labels.items() <= have.items()]


EXPECTED = {  # fault: (result, success, status)
    "ok": ("ok", True, 200),
    "close": ("ok", True, 200),
    "silent": ("silent", True, 200),
    "throttled": ("throttled", False, 429),
    "wordless": ("throttled", False, 429),
    "rejected": ("rejected", False, 401),
    "broken": ("status", False, 500),
    "redirect": ("status", False, 302),
    "hang": ("first_byte_timeout", False, None),
    "reset": ("closed_early", False, None),
    "garbage": ("bad_response", False, None),
    "truncated": ("truncated", False, None),
}


class PollTest(unittest.TestCase):
    def test_each_key_is_polled_and_its_quota_shown(self):
        with Workspace() as work:
            api = PolledApi()
            keys = (
                "    keys:\n      - {name: one, value_from_env: KEY_ONE}\n"
                "      - {name: two, value_from_env: KEY_TWO}\n"
            )
            agent, _ = start(work, polled("demo", api.url, "/limits?token=" + QUERY_SECRET, keys=keys))
            wait_until(lambda: len(api.polls) >= 8, 20, "eight polls")
            for secret in SECRETS.values():
                times = [poll.at for poll in api.polls if poll.credential == f"Bearer {secret}"]
                gaps = [after - before for before, after in zip(times, times[1:])]
                assert min(gaps) >= 0.98 - api.lag, f"never more often than asked: {gaps}, noted by {api.lag}"
                assert max(gaps) < 3, f"and not much more seldom: {gaps}"
            wait_until(
                lambda: value(agent, "apiquota_quota_remaining", api="demo", key="one") == [42],
                5,
                "a reading",
            )
            assert value(agent, "apiquota_poll_success", api="demo") == [1, 1]
            assert value(agent, "apiquota_poll_interval_seconds", api="demo") == [1, 1]
            assert 0 < value(agent, "apiquota_poll_duration_seconds", api="demo", key="one")[0] < 5
            now = time.time()
            assert (
                now - 5 < value(agent, "apiquota_poll_last_success_timestamp_seconds", key="one")[0] <= now
            )
            status = status_of(agent, "demo")
            assert [poll["key"] for poll in status] == ["one", "two"]
            assert status[0]["path"] == "/limits" and status[0]["last"]["result"] == "ok", status
            agent.stop()  # now nothing moves any more
            head = api.polls[0].head
            assert head.startswith("GET /limits?token=canary"), head
            assert "user-agent: apiquota/" in head.lower() and "\r\naccept:" not in head.lower(), head

    def test_what_is_counted_is_what_was_sent(self):
        with Workspace() as work:
            api = PolledApi()
            agent, _ = start(work, polled("demo", api.url))
            wait_until(lambda: len(api.polls) >= 3, 20, "three polls")

            def counted():
                sent = len(api.polls)
                counts = [
                    value(agent, "apiquota_upstream_requests_total", api="demo", door="poll", code="200"),
                    value(agent, "apiquota_poll_cost_total", api="demo", key="anonymous", unit="requests"),
                ]
                return sent == len(api.polls) and counts == [[sent], [sent]]

            wait_until(counted, 10, "requests and costs equal what the API saw")

    def test_free_polls_cost_0(self):
        with Workspace() as work:
            api = PolledApi()
            free = f"  - {{name: free, exporter: github, base_url: '{api.url}', poll: {{every: 1s}}}}\n"
            agent, _ = start(work, free)
            wait_until(lambda: api.polls, 20, "a poll")
            assert value(agent, "apiquota_poll_cost_total", api="free", unit="requests") == [0]

    def test_every_kind_of_answer_is_told_apart(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: path.removeprefix("/"))
            lines = "".join(polled(fault, api.url, "/" + fault, "1h") for fault in EXPECTED)
            lines += polled("refused", "http://127.0.0.1:1")
            agent, _ = start(work, lines, "poller: {timeout: 1s}\n")
            expected = {**EXPECTED, "refused": ("connect_refused", False, None)}

            def results():
                polls = {
                    entry["name"]: entry["polls"][0]["last"]
                    for entry in get_json(agent.admin + "/api/v1/apis")["apis"]
                }
                return all(polls.values()) and {
                    name: (last["result"], last["success"], last["status"]) for name, last in polls.items()
                }

            wait_until(lambda: results() == expected, 20, "all results")
            for name, (result, success, code) in expected.items():
                assert value(agent, "apiquota_poll_success", api=name) == [int(success)], name
                polls = value(
                    agent, "apiquota_upstream_requests_total", api=name, door="poll", code=str(code)
                )
                if code is None:
                    assert (
                        value(agent, "apiquota_upstream_errors_total", api=name, reason=result)[0] >= 1
                    ), name
                else:
                    assert polls == [1], name
                if not success:
                    line = f"event=poll_failed api={name} key=anonymous result={result}"
                    wait_until(lambda: line in agent.log(), 5, line)
            assert value(agent, "apiquota_auth_failures_total", api="rejected") == [1]
            assert value(agent, "apiquota_throttles_total", api="throttled", scope="primary")[0] == 1
            reason = status_of(agent, "rejected")[0]["last"]["reason"]
            assert reason == "the API rejects the credential (401)", reason

    def test_retry_after_is_obeyed_and_failures_are_retried_more_seldom(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: path.removeprefix("/"), retry_after=4)
            agent, _ = start(
                work, polled("throttled", api.url, "/throttled") + polled("broken", api.url, "/broken")
            )
            wait_until(
                lambda: len(api.of("/throttled")) >= 2 and len(api.of("/broken")) >= 4, 20, "both again"
            )
            first, second = api.of("/throttled")[:2]
            assert second.at - first.at >= 4, "Retry-After"
            times = [poll.at for poll in api.of("/broken")]
            gaps = [after - before for before, after in zip(times, times[1:])]
            least = [0.98 - api.lag, 1.98 - api.lag, 3.98 - api.lag]
            assert all(gap >= at_least for gap, at_least in zip(gaps, least)), (gaps, least)
            assert status_of(agent, "broken")[0]["failures"] >= 4

    def test_a_reload_keeps_the_schedule(self):
        with Workspace() as work:
            api = PolledApi()
            agent, config = start(work, polled("old", api.url, "/old", "1h"))
            wait_until(
                lambda: value(agent, "apiquota_poll_success", api="old") == [1], 10, "the first poll"
            )
            config.write_text(
                "apis:\n" + polled("new", api.url, "/new", "1h") + polled("old", api.url, "/old", "1h")
            )
            agent.hang_up("reloaded")
            wait_until(
                lambda: value(agent, "apiquota_poll_success", api="new") == [1], 10, "the new api's poll"
            )
            assert len(api.of("/old")) == 1, "not polled again"
            assert value(agent, "apiquota_poll_success", api="old") == [1], "what was known is kept"
            config.write_text("apis:\n" + polled("new", api.url, "/new", "1h"))
            agent.hang_up("reloaded")
            wait_until(
                lambda: value(agent, "apiquota_poll_success") == [1],
                10,
                "what is gone is gone from the page",
            )
            assert len(api.polls) == 2

    def test_the_agent_asks_nothing_by_itself(self):
        with Workspace() as work:
            api = PolledApi()
            agent = Agent(work, f"--api=demo=github@{api.url}")
            assert get(agent.proxy + "/demo/user")[0] == 200
            assert agent.sample("apiquota_poll_interval_seconds") == []
            assert [poll.path for poll in api.polls] == ["/user"]

    def test_the_agents_own_listeners_are_never_polled(self):
        with Workspace() as work:
            agent, config = start(work, polled("elsewhere", "http://127.0.0.1:1", every="1h"))
            config.write_text(
                "apis:\n" + polled("admin", agent.admin, "/metrics") + polled("proxy", agent.proxy)
            )
            agent.hang_up("reloaded")
            for name in ("admin", "proxy"):
                wait_until(
                    lambda: (status_of(agent, name)[0]["last"] or {}).get("result") == "address_forbidden",
                    10,
                    "the refusal",
                )

    def test_nothing_of_a_credential_shows(self):
        with Workspace() as work:
            api = PolledApi(fault=lambda path, credential: "rejected" if "one" in credential else "reset")
            keys = (
                "    keys:\n      - {name: one, value_from_env: KEY_ONE}\n"
                "      - {name: two, value_from_env: KEY_TWO}\n"
            )
            agent, _ = start(work, polled("demo", api.url, "/limits?key=" + QUERY_SECRET, keys=keys))
            wait_until(lambda: len(api.polls) >= 4, 10, "a few polls")
            pages = "".join(
                get(agent.admin + page)[2].decode()
                for page in ("/metrics", "/api/v1/apis", "/api/v1/quotas", "/")
            )
            os.kill(agent.pid, signal.SIGTERM)
            agent.process.wait(10)
            for secret in (*SECRETS.values(), QUERY_SECRET, "canary"):
                assert secret not in pages + agent.output(), secret


if __name__ == "__main__":
    unittest.main(verbosity=1)
