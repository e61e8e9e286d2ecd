"""Bars 15, 16 and 18: reloads of good and bad files under load, SIGTERM with requests in flight, and kill
-9 with the state file cut everywhere and each of its bits turned."""

import concurrent.futures
import json
import os
import random
import signal
import socket
import threading
import time

from good_client import Beside, ask
from stand import Stand
from subject import Apiquota, FaultUpstream, settings, wait_until
from trust_table import Row

AGAIN = "scripts/trust lifecycle_faults"
GRACE_S = 3
ANSWER_SIZES = (300_000, 2_000_000, 6_000_000)
# So wide that the upstream has done its part and the client has not.
WIDE = "  buffer_high_bytes: 33554432\n  buffer_low_bytes: 16777216\n"


def bad_files(good):
    """40 files that can't be used: cut ones, and mistakes of each kind."""
    mistakes = [
        "apis: 7\n", "apis: [}\n", "\tx: 1\n", "proxy: {loops: -1}\n", "proxy: {head_timeout: soon}\n",
        "apis:\n  - {name: t, exporter: nobody}\n", "nonsense: 1\n", "state: {file: [1]}\n", "- a\n- b\n",
        good + "apis: []\n", good + "proxy: {}\n",
        good.replace("generic", "genric"),
        good.replace("http://", "ftp://"),
        good.replace("base_url", "bse_url"), good + "\x00"
    ]
    bad = [text for text in mistakes]
    for number in range(40 - len(bad)):
        bad.append(good[:-3 - number])  # within the last line, an api: braces stay open
    return bad


def reload_storm(context, reloads):
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        good = settings(upstream.url)
        bad = bad_files(good)
        agent = Apiquota(stand.work, good, name="agent-reload")
        wrong = []
        with Beside(reloads * 0.06 + 1, [agent.proxy_url + "/t/ok/0"], every=0.004) as beside:
            for number in range(reloads):
                is_bad = number % 2
                text = bad[number // 2 % len(bad)] if is_bad else good + f"# {number}\n"
                agent.config.write_text(text)
                event = "reload_failed" if is_bad else "reloaded"
                before = agent.said(event)
                agent.hang_up()
                try:
                    agent.wait_for(lambda: agent.said(event) > before, 5, event)
                except AssertionError:
                    wrong.append(f"{event} not said for {text[-60:]!r}")
                gauge = agent.metric_sum("apiquota_config_last_reload_successful")
                if gauge != (0 if is_bad else 1):
                    wrong.append(f"the gauge says {gauge} after {event}")
        figures = next(iter(beside.figures.values()))
        ours = (f"{figures['failed']} of {figures['asked']} requests failed, p99 {figures['p99_ms']} ms, "
                f"{len(wrong)} wrong")
        context.say(f"reload storm: {ours} {wrong[:3]} {figures['errors']}")
        return Row("15", f"{reloads} reloads, every other one of a bad file", ours,
                   "0 failed, gauge right each time", reproduce=AGAIN, passed=figures["failed"] == 0
                   and not wrong and agent.alive())


class InFlight:
    """A request on a connection of its own, whose answer is read later."""

    def __init__(self, agent, path):
        self.sock = socket.create_connection(agent.endpoint(), timeout=30)
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def status(self):
        """200 for a whole answer; "cut" or "lost"."""
        data = b""
        try:
            while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < 1000:
                piece = self.sock.recv(65536)
                if not piece:
                    return "cut" if data else "lost"
                data += piece
        except OSError:
            return "cut" if data else "lost"
        finally:
            self.sock.close()
        return int(data.split(b" ")[1])


def drain(context, bar, count, path, kind, expect_whole):
    """SIGTERM with `count` requests under way."""
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        agent = Apiquota(stand.work, settings(upstream.url, f"  drain_timeout: {GRACE_S}s\n"),
                         name="agent-drain")
        flights = [InFlight(agent, path) for _ in range(count)]
        wait_until(lambda: upstream.counts().get("_begun", 0) >= count, 20, "all are under way")
        began = time.monotonic()
        os.kill(agent.pid, signal.SIGTERM)
        ready, ready_s = None, None
        while time.monotonic() - began < 2 and ready != 503:
            ready = ask(agent.admin_url + "/-/ready", timeout=2)[0]
            ready_s = time.monotonic() - began
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            outcomes = list(pool.map(InFlight.status, flights))
        try:
            agent.process.wait(GRACE_S + 10)
        except Exception:  # noqa: BLE001  (the row says so)
            pass
        took = time.monotonic() - began
        whole = outcomes.count(200)
        said = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes), key=str)}
        ours = (f"{said}, /-/ready {ready} after {1000 * ready_s:.0f} ms, exit {agent.process.poll()} "
                f"after {took:.1f} s")
        context.say(f"drain, {kind}: {ours}")
        ended = agent.process.poll() is not None and (context.quick or took <= GRACE_S + 1)
        good = ready == 503 and (context.quick or ready_s <= 0.2) and ended and (whole == count
                                                                                 or not expect_whole)
        return Row(
            bar, f"SIGTERM with {count} {kind}", ours, f"0 lost, 503 at once, exit <= {GRACE_S + 1} s"
            if expect_whole else f"503 at once, exit <= {GRACE_S + 1} s", reproduce=AGAIN, passed=good)


def drain_readers(context, count):
    """SIGTERM while clients, `count` for each size, take their answers, which they then read to the end."""
    with Stand(context) as stand:
        agent = Apiquota(stand.work, settings(FaultUpstream(stand.work).url, WIDE), name="agent-drain")
        readers = []
        for size in ANSWER_SIZES * count:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(20)
            sock.connect(agent.endpoint())
            sock.sendall(f"GET /t/big/{size} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            readers.append((sock, sock.recv(1000), size))
        time.sleep(1)  # the upstream has said all it has to say, as far as buffers reach
        os.kill(agent.pid, signal.SIGTERM)
        time.sleep(0.5)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            whole = sum(pool.map(lambda reader: read_body(*reader) == reader[2], readers))
        ours = f"{whole} of {len(readers)} answers whole"
        context.say(f"drain, slow readers: {ours}")
        return Row("16c", f"SIGTERM, {len(readers)} readers amid an answer", ours, "0 cut", reproduce=AGAIN,
                   passed=whole == len(readers))


def read_body(sock, data, size):
    """The bytes of the body until it is whole or the connection ends."""
    with sock:
        try:
            while piece := sock.recv(65536):
                data += piece
                if len(data) - data.find(b"\r\n\r\n") - 4 >= size:
                    break
        except OSError:
            pass
    return len(data) - data.find(b"\r\n\r\n") - 4


def quotas_of(agent):
    """{what is counted: what is left and of how much}, as the agent says it."""
    document = json.loads(ask(agent.admin_url + "/api/v1/quotas")[2])
    return {(q.get("api"), q.get("key"), q.get("resource"), q.get("quota")):
            (q.get("limit"), q.get("remaining"))
            for q in document["quotas"]}


def damaged(state, count):
    """(name, bytes): cut at every byte, then bits turned, evenly thinned to `count`."""
    cuts = [(f"cut at {n}", state[:n]) for n in range(len(state))]
    flips = [(f"bit {b} of byte {n}", state[:n] + bytes([state[n] ^ 1 << b]) + state[n + 1:])
             for n in range(len(state)) for b in (0, 1, 2)]
    random.Random(1).shuffle(flips)
    half = count // 2
    return [cuts[i * len(cuts) // half] for i in range(half)] + flips[:count - half]


def crash_safety(context, count):
    with Stand(context) as stand:
        upstream = FaultUpstream(stand.work)
        config = settings(upstream.url, rest="state: {file: state.json}\n")
        agent = Apiquota(stand.work, config, name="agent-state")
        for number in range(4):
            ask(agent.proxy_url + "/t/ok/0", headers=f"Authorization: Bearer key-{number}\r\n")
        before = quotas_of(agent)
        agent.stop()
        state = (stand.work.directory / "state.json").read_bytes()
        failed, believed, lock = [], [], threading.Lock()

        def start_with(job):
            slot, name, data = job
            path = stand.work.directory / f"state-{slot}.json"
            path.write_bytes(data)
            try:
                one = Apiquota(stand.work, config.replace("state.json", path.name), name=f"agent-{slot}")
                quotas = quotas_of(one)
                ask(one.proxy_url + "/t/ok/0")
                one.kill()
            except Exception as error:  # noqa: BLE001
                with lock:
                    failed.append(f"{name}: {str(error)[:120]}")
                return
            with lock:
                believed.extend(f"{name}: {key} {value} for {before.get(key)}"
                                for key, value in quotas.items() if before.get(key) != value)

        jobs = [(number, name, data) for number, (name, data) in enumerate(damaged(state, count))]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(start_with, jobs))
        whole = Apiquota(stand.work, config, name="agent-whole")
        kept = quotas_of(whole) == before
        ours = (f"{count} starts: {len(failed)} failed, {len(believed)} believed a wrong figure; "
                f"{'the whole file was taken' if kept else 'the whole file was not taken'}")
        context.say(f"state damaged: {ours} {failed[:3]} {believed[:5]}")
        return Row("18", f"kill -9 x {count}, the state file cut or a bit of it turned", ours,
                   "0 failed starts, 0 wrong figures", reproduce=AGAIN, passed=not failed and not believed
                   and kept)


def run(context):
    quick = context.quick
    return [
        reload_storm(context, 20 if quick else 200),
        drain(context, "16", 100 if quick else 500, "/t/slow/1500", "requests that end within the grace",
              True),
        drain(context, "16b", 20 if quick else 500, "/t/hang/0", "requests that never end", False),
        drain_readers(context, 3 if quick else 20),
        crash_safety(context, 20 if quick else 200)
    ]
