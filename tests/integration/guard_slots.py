"""Concurrency slots and the breaker under faults from outside the agent, as functions that return their
figures: guard_slots_test.py runs them short, scripts/bench guard whole."""

import asyncio
import random
import socket
import threading
import time

from arrivals import NotingApi, address_of, burst, head_of, one
from guard_cache_herd import reset
from guard_leavers import leave
from guarding import Api, GuardedAgent
from harness import wait_until

SLOTS = "guard: {concurrency: {max: %d}, breaker: {errors: 5}}"
BREAKER = "guard: {retry: {mode: off}, breaker: {errors: 5, open: 1s, open_max: 4s}}"


class CountingApi(NotingApi):
    """Takes `seconds` for each answer, and knows how many it had at once."""

    def __init__(self, seconds):
        self.seconds, self.under_way, self.most = seconds, 0, 0
        super().__init__(self.say)

    def say(self, _):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.loop.call_later(self.seconds, self.over)
        return self.seconds, 200, {}, b"{}"

    def over(self):
        self.under_way -= 1


def crowd_of(agent, clients, leaving, seed=1):
    """Clients at once, and a share of as many more that are gone at some moment; what became of those that
    stayed."""
    chance = random.Random(seed)

    async def gone(after):
        _, writer = await asyncio.open_connection(*address_of(agent.proxy))
        writer.write(head_of("GET", "/demo/leaves"))
        await asyncio.sleep(after)
        reset(writer)

    async def all_of_them():
        stay = [
            one(address_of(agent.proxy), number, head_of("GET", "/demo/stays"), timeout=40)
            for number in range(clients)
        ]
        leave_ = [gone(chance.uniform(0, 1.5)) for _ in range(int(clients * leaving))]
        found = await asyncio.gather(*stay, *leave_)
        return found[:clients]

    return asyncio.run(all_of_them())


def kept(work, slots=4, clients=100, leaving=0.0, seconds=0.05):
    """Never more at once at the API than there are slots; everybody who stays is served, whoever else leaves.
    (An API learns a little late that who asked has gone: with `leaving` it may count more.)"""
    api = CountingApi(seconds)
    agent = GuardedAgent(work, [Api("demo", "generic", api.url, [SLOTS % slots])], name="slots")
    burst(agent.proxy, "/demo/first", 1)
    answers = crowd_of(agent, clients, leaving)
    agent.rests()
    figures = {
        "slots": slots,
        "most_at_once": api.most,
        "stayed": clients,
        "served": sum(answer.status == 200 for answer in answers),
        "held": agent.rests(),
    }
    agent.stop()
    api.stop()
    return figures


def stalled_holder(work, deadline=1):
    """The one slot is held by a client that does not read: the next one has it once that is cut off."""
    body = b"x" * 8_000_000
    api = NotingApi(lambda arrival: (200, {}, body if arrival.path == "/large" else b"{}"))
    agent = GuardedAgent(
        work,
        [Api("demo", "generic", api.url, [SLOTS % 1])],
        name="stalled",
        proxy=f"body_idle_timeout: {deadline}s",
    )
    with socket.create_connection(address_of(agent.proxy), timeout=10) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(head_of("GET", "/demo/large"))
        wait_until(lambda: api.times("/large"), 5, "the large one is sent")
        began = time.monotonic()
        (answer,) = burst(agent.proxy, "/demo/small", 1)
        waited = time.monotonic() - began
    agent.rests()
    figures = {"status": answer.status, "waited_s": waited, "deadline_s": deadline, "held": agent.rests()}
    agent.stop()
    api.stop()
    return figures


def reloaded_and_stopped(work, slots=2, clients=60):
    """A reload that changes how many slots there are, then SIGTERM, while some wait for one."""
    api = CountingApi(0.3)
    agent = GuardedAgent(work, [Api("demo", "generic", api.url, [SLOTS % slots])], name="reloaded")
    burst(agent.proxy, "/demo/first", 1)
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(burst(agent.proxy, "/demo/items", clients)))
    thread.start()
    wait_until(lambda: agent.total("apiquota_queue_depth") > 0, 5, "some wait")
    wait_until(lambda: api.most >= slots, 5, "all slots are used")
    agent.config.write_text(agent.config.read_text().replace(f"max: {slots}", f"max: {slots + 1}"))
    most_before = api.most
    agent.hang_up("reloaded")
    wait_until(lambda: api.most == slots + 1, 5, "the new slot is used")
    began = time.monotonic()
    code = agent.stop(20)
    thread.join()
    api.stop()
    return {
        "most_before": most_before,
        "most_after": api.most,
        "clients": clients,
        "answered": sum(answer.status in (200, 503) for answer in answers),
        "served": sum(answer.status == 200 for answer in answers),
        "exit_code": code,
        "seconds": time.monotonic() - began,
    }


class SickApi(NotingApi):
    """Answers with 500 while it is sick; `slow` seconds for each answer."""

    def __init__(self):
        self.sick, self.slow = False, 0.0
        super().__init__(lambda arrival: (self.slow, 500 if self.sick else 200, {}, b"{}"))


def broken(work, clients=50):
    """An API falls ill and recovers: how often it is asked meanwhile, what clients are told, and how soon
    they are served again."""
    api = SickApi()
    agent = GuardedAgent(work, [Api("demo", "generic", api.url, [BREAKER])], name="breaker")
    burst(agent.proxy, "/demo/first", 1)
    api.sick = True
    relayed = [burst(agent.proxy, "/demo/ill", 1)[0].status for _ in range(5)]
    asked = len(api.arrivals)
    refused = burst(agent.proxy, "/demo/open", clients)
    asked_while_open = len(api.arrivals) - asked
    api.slow = 0.3  # all of the next come while one probe is out
    time.sleep(1.3)
    asked = len(api.arrivals)
    half_open = burst(agent.proxy, "/demo/probe", clients)
    probes = len(api.arrivals) - asked
    api.sick, api.slow = False, 0.0
    began = time.monotonic()
    wait_until(lambda: burst(agent.proxy, "/demo/well", 1)[0].status == 200, 10, "it is served again")
    after = time.monotonic() - began
    served = [answer.status for answer in burst(agent.proxy, "/demo/well", clients)]
    agent.rests()
    figures = {
        "relayed": relayed,
        "refused": sum(answer.status == 503 and "retry-after" in answer.fields for answer in refused),
        "clients": clients,
        "asked_while_open": asked_while_open,
        "slowest_refusal_ms": 1000 * max(answer.seconds for answer in refused),
        "probes": probes,
        "probe_answers": sorted({answer.status for answer in half_open}),
        "served_again_after_s": after,
        "served_afterwards": served.count(200),
        "held": agent.rests(),
    }
    agent.stop()
    api.stop()
    return figures


def probe_leaves(work):
    """The probe's client leaves before its answer: the next one has its turn, and the breaker closes."""
    api = SickApi()
    agent = GuardedAgent(work, [Api("demo", "generic", api.url, [BREAKER])], name="probe")
    api.sick = True
    for _ in range(5):
        burst(agent.proxy, "/demo/ill", 1)
    refused = burst(agent.proxy, "/demo/open", 1)[0].status
    api.sick, api.slow = False, 2.0
    time.sleep(1.2)
    asked = len(api.arrivals)
    with socket.create_connection(address_of(agent.proxy), timeout=10) as sock:
        sock.sendall(head_of("GET", "/demo/probe"))
        wait_until(lambda: len(api.arrivals) > asked, 5, "the probe is sent")
    api.slow = 0.0
    began = time.monotonic()
    wait_until(lambda: burst(agent.proxy, "/demo/next", 1)[0].status == 200, 10, "the next one is the probe")
    after = time.monotonic() - began
    agent.rests()
    figures = {"refused": refused, "next_after_s": after, "held": agent.rests()}
    agent.stop()
    api.stop()
    return figures


def gone_while_open(work, ways=40):
    """Clients that leave at any byte while the breaker is open, half open and closed again leave nothing."""
    api = SickApi()
    agent = GuardedAgent(work, [Api("demo", "generic", api.url, [BREAKER])], name="gone")
    request = head_of("GET", "/demo/gone")
    api.sick = True
    for cut in range(ways):
        if cut == ways // 2:
            api.sick = False
        leave(agent.proxy, request[: cut * len(request) // ways], reset=cut % 2 == 0)
        leave(agent.proxy, request, read=cut % 40, reset=cut % 2 == 1)
        time.sleep(0.05)
    wait_until(lambda: burst(agent.proxy, "/demo/after", 1)[0].status == 200, 10, "it is served again")
    agent.rests()
    figures = {"ways": 2 * ways, "held": agent.rests()}
    agent.stop()
    api.stop()
    return figures
