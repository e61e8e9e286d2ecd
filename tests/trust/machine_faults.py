"""Bars 21 and 23: clocks that jump by hours and a year, a log that can't be written or that nobody reads, a
state file without a place. Requests under way go on, figures are right again at once, and SIGTERM still
ends it."""

import json
import os
import shutil
import signal
import subprocess
import time

from good_client import ask
from lifecycle_faults import InFlight
from stand import Stand, free_port
from subject import Apiquota, FaultUpstream, Faults, settings, wait_until
from trust_table import Row

AGAIN = "scripts/trust machine_faults"
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400  # a provider's Date corrects a clock by up to a day
JUMPS = {
    "+1 h": HOUR, "back": 0, "-1 h": -HOUR, "back again": 0, "+1 y": YEAR, "back from +1 y": 0, "-1 y": -YEAR,
    "at last": 0
}


def figures(agent):
    """{quota: (limit, remaining)} of api t."""
    document = json.loads(ask(agent.admin_url + "/api/v1/quotas")[2])
    return {q["quota"]: (q.get("limit"), q.get("remaining")) for q in document["quotas"] if q["api"] == "t"}


class Clock:
    """An agent that polls, has a declared limit and requests under way, while its clock jumps."""

    def __init__(self, stand, patience):
        self.patience = patience  # seconds that a loaded machine may take longer
        self.faults = Faults(stand.work)
        self.upstream = FaultUpstream(stand.work)
        declared = (f"  - {{name: d, exporter: generic, base_url: '{self.upstream.url}',\n"
                    "     limits: [{quota: declared, limit: 60, window: 2s}]}\n"
                    f"  - {{name: p, exporter: generic, base_url: '{self.upstream.url}',\n"
                    "     poll: {every: 1s, path: /slow/1}}\n")
        self.agent = Apiquota(stand.work,
                              settings(self.upstream.url, apis=declared, rest="state: {file: state.json}\n"),
                              name="agent-clock", environment=self.faults.environment)
        self.wrong = []

    def jump(self, name, offset):
        flights = [InFlight(self.agent, "/t/later/400") for _ in range(5)]
        time.sleep(0.1)
        polls = self.polls()
        self.faults.set(clock_offset=offset)
        began = time.monotonic()
        outcomes = [flight.status() for flight in flights]
        self.expect(name, outcomes == [200] * 5, f"requests under way: {outcomes}")
        status, seconds, _ = ask(self.agent.proxy_url + "/t/ok/0")
        self.expect(name, status == 200 and seconds < self.patience,
                    f"a request: {status} in {seconds:.2f} s")
        shown = figures(self.agent).get("requests")
        self.expect(name, shown == (5000, 4999) or shown is None and abs(offset) > DAY, f"figures: {shown}")
        while self.polls() == polls and time.monotonic() - began < 12:
            time.sleep(0.05)
        waited = time.monotonic() - began
        self.expect(name, waited < 2.5 + self.patience, f"the next poll came after {waited:.1f} s, not 1")
        self.declared(name)

    def declared(self, name):
        """The count of what was sent is right within two windows."""
        deadline = time.monotonic() + 6
        left = None
        while time.monotonic() < deadline:
            ask(self.agent.proxy_url + "/d/status/204")
            document = json.loads(ask(self.agent.admin_url + "/api/v1/quotas")[2])
            left = [
                q.get("remaining") for q in document["quotas"] if q["api"] == "d" and q["quota"] == "declared"
            ]
            if left and left[0] is not None and 0 <= left[0] < 60:
                return
            time.sleep(0.1)
        self.expect(name, False, f"a declared limit of 60 shows {left} for 6 s")

    def polls(self):
        return self.upstream.counts().get("slow", 0)

    def expect(self, name, good, text):
        if not good:
            self.wrong.append(f"{name}: {text}")


def clock_jumps(context):
    with Stand(context) as stand:
        clock = Clock(stand, 8 if context.quick else 1)
        ask(clock.agent.proxy_url + "/t/ok/0")
        for name, offset in list(JUMPS.items())[:2 if context.quick else None]:
            clock.jump(name, offset)
            if not clock.agent.alive():
                clock.wrong.append(f"{name}: the agent ended")
                break
        for wrong in clock.wrong:
            context.say(f"clock: {wrong}")
        return Row("21", "the clock jumps by 1 h and by 1 y, both ways", f"{len(clock.wrong)} wrong" +
                   (f", first {clock.wrong[0]}" if clock.wrong else ""), "0 wrong, no wait > 1 s longer",
                   reproduce=AGAIN, passed=not clock.wrong)


def ended_by_sigterm(agent, seconds):
    os.kill(agent.pid, signal.SIGTERM)
    began = time.monotonic()
    try:
        agent.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - began


def log_nobody_takes(context, kind, shell):
    """stderr is /dev/full, or a pipe that nobody reads, while every request is worth a line."""
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        ports = "--web.listen-address=127.0.0.1:{0} --proxy.listen-address=127.0.0.1:{1}"
        admin, proxy = free_port(), free_port()
        agent = Apiquota(stand.work,
                         settings(upstream.url).split("\n", 3)[3], "--log.level=debug",
                         *ports.format(admin, proxy).split(), name="agent-log", ready=False,
                         prefix=("python3", "-c", shell))
        url = f"http://127.0.0.1:{proxy}"
        wait_until(lambda: ask(f"http://127.0.0.1:{admin}/-/ready", timeout=2)[0] == 200, 15,
                   "the agent is ready")
        asked = 700 if context.quick else 2000
        statuses = [ask(f"{url}/t/throttle/{'1' * (number % 9 + 1)}")[0] for number in range(asked)]
        answered = sum(status == 429 for status in statuses)
        metrics = ask(f"http://127.0.0.1:{admin}/metrics")[2].decode()
        dropped = [line for line in metrics.splitlines() if line.startswith("apiquota_log_dropped_total")]
        took = ended_by_sigterm(agent, 40)
        ours = (
            f"{answered} of {asked} answered, {dropped[0].split()[-1] if dropped else '?'} lines dropped, " +
            (f"ended in {took:.1f} s" if took is not None else "not ended by SIGTERM in 40 s"))
        context.say(f"log, {kind}: {ours}")
        return Row("23c" if "full" in kind else "23d", f"the log is {kind}", ours,
                   "all answered, SIGTERM ends it in 5 s", reproduce=AGAIN, passed=answered == asked
                   and took is not None and took <= 5)


def no_place_for_state(context):
    """The folder of the state file goes away, and comes back."""
    with Stand(context) as stand:
        folder = stand.work.directory / "kept"
        folder.mkdir()
        upstream = FaultUpstream(stand.work)
        agent = Apiquota(stand.work, settings(upstream.url, rest="state: {file: kept/state.json}\n"),
                         name="agent-disk")
        ask(agent.proxy_url + "/t/ok/0")
        shutil.rmtree(folder)
        folder.write_text("in the way")
        served = ask(agent.proxy_url + "/t/ok/0")[0]
        took = ended_by_sigterm(agent, 10)
        told = agent.said("state_not_saved")
        ours = f"served {served}, told {told} times, exit {agent.process.poll()}"
        context.say(f"no place for state: {ours}")
        return Row("23e", "the state file can't be written", ours, "goes on, told once, ends at SIGTERM",
                   reproduce=AGAIN, passed=served == 200 and told == 1 and took is not None)


FULL = "import os,sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 2); os.execvp(sys.argv[1], sys.argv[1:])"
UNREAD = ("import os,sys; r, w = os.pipe(); os.set_inheritable(r, True); os.dup2(w, 2); os.close(w); "
          "os.execvp(sys.argv[1], sys.argv[1:])")


def run(context):
    return [
        clock_jumps(context),
        log_nobody_takes(context, "/dev/full", FULL),
        log_nobody_takes(context, "a pipe that nobody reads", UNREAD),
        no_place_for_state(context)
    ]
