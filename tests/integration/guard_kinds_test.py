"""A client as fast as it can before APIs that enforce, every kind with windows of some seconds, all at once:
no refusal from the API and none of ours. How much is had of each is for scripts/bench guard."""

import subprocess
import sys
import time
import unittest

from guarding import Api, FlaskApi, GuardedAgent, Greedy, Judge, chat_body
from harness import Workspace

WINDOW, SECONDS = 6, 20
KINDS = {
    "fixed": ("github", ["--quota", f"requests=20/{WINDOW}s,fixed"]),
    "aligned": ("github", ["--quota", f"requests=20/{WINDOW}s,aligned"]),
    "ahead": ("github", ["--quota", f"requests=20/{WINDOW}s,fixed", "--skew", "5s"]),
    "behind": ("github", ["--quota", f"requests=20/{WINDOW}s,fixed", "--skew", "-5s"]),
    "sliding": ("generic", ["--quota", f"requests=20/{WINDOW}s,sliding"]),
    "bucket": ("openai", ["--quota", f"requests=20/{WINDOW}s,bucket"]),
    "tokens": (
        "openai",
        ["--quota", f"tokens=6000/{WINDOW}s,bucket", "--quota", "requests=1000/6s,bucket",
         "--tokens-charged", "start"],
    ),
}
STRATEGIES = {
    "flask-fixed": "fixed-window",
    "flask-elastic": "fixed-window-elastic-expiry",
    "flask-moving": "moving-window",
}


def flask_python():
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", "import flask_limiter"], capture_output=True).returncode == 0:
                return python
        except FileNotFoundError:
            pass
    return None


class GuardKindsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        work = cls.enterClassContext(Workspace())
        apis, cls.refused, cls.clients = [], {}, {}
        for name, (exporter, flags) in KINDS.items():
            judge = Judge(work, exporter, *flags, name=name)
            apis.append(Api(name, exporter, judge.url))
            cls.refused[name] = lambda judge=judge: judge.stats()["throttled"]
        python = flask_python()
        for name, strategy in STRATEGIES.items() if python else ():
            judge = FlaskApi(work, python, strategy, f"20 per {WINDOW} seconds", name=name)
            apis.append(Api(name, "generic", judge.url))
            cls.refused[name] = lambda judge=judge: judge.counted()["refused"]
        agent = GuardedAgent(work, apis)
        for api in apis:
            url = f"{agent.proxy}/{api.name}"
            if api.name == "tokens":
                cls.clients[api.name] = Greedy(
                    url + "/v1/chat/completions", 4, "POST", chat_body, {"Content-Type": "application/json"}
                )
            else:
                cls.clients[api.name] = Greedy(url + "/items", 4)
        time.sleep(SECONDS)
        cls.refused = {name: count() for name, count in cls.refused.items()}
        for client in cls.clients.values():
            client.stop()
        agent.rests()

    def test_no_api_had_to_refuse_anything(self):
        self.assertEqual({name: count for name, count in self.refused.items() if count}, {})

    def test_no_loop_met_a_refusal_of_ours_or_no_answer(self):
        found = {
            name: dict(client.statuses())
            for name, client in self.clients.items()
            if set(client.statuses()) != {200}
        }
        self.assertEqual(found, {})

    def test_every_loop_went_on_after_its_first_window(self):
        served = {name: client.statuses()[200] for name, client in self.clients.items()}
        self.assertEqual({name: count for name, count in served.items() if count <= 20}, {}, served)


if __name__ == "__main__":
    unittest.main()
