"""Many who ask the same at once, before a real agent with a cache, and what becomes of them when the
connection to the API, or the client of the one that asks, dies at any byte: as functions that return their
figures. guard_cache_test.py runs them short, scripts/bench guard at every byte."""

import asyncio
import contextlib
import json
import socket
import struct

from arrivals import address_of, head_of, one, read_head
from guard_own_flask import LIMITER_ALONE
from guarding import Api, GuardedAgent
from harness import breaks

BODY = json.dumps({"items": list(range(20))}).encode()
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: private, max-age=60\r\n"
    b'ETag: "v1"\r\nContent-Length: %d\r\n\r\n' % len(BODY)
)
ANSWER = HEAD + BODY
FIELDS = {"Authorization": "Bearer one"}
CACHE = ("guard: {cache: {mode: on, size: 64MiB}}",)


class HeldApi:
    """In the loop of its test. `pieces(path, nth)` says what it does: bytes are sent, seconds and events
    waited for, and None resets the connection."""

    def __init__(self, pieces=lambda path, nth: [ANSWER]):
        self.pieces, self.asked, self.server = pieces, {}, None
        self.arrived = asyncio.Event()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
        return self

    async def serve(self, reader, writer):
        try:
            while await self.answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:
            breaks(error)
        writer.close()

    async def answer(self, reader, writer):
        """One request; whether the connection goes on."""
        line, _ = await read_head(reader)
        path = line.split(" ")[1]
        self.asked[path] = nth = self.asked.get(path, 0) + 1
        self.arrived.set()
        for piece in self.pieces(path, nth):
            if piece is None:
                reset(writer)
                return False
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            else:
                await (piece.wait() if isinstance(piece, asyncio.Event) else asyncio.sleep(piece))
        return True


def reset(writer):
    """Ends the connection by RST, as a process that was killed does."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def ask_all(agent, path, clients, fields=None, timeout=30):
    """What became of as many who ask the same."""
    head = head_of("GET", "/demo" + path, fields=fields or FIELDS)
    address = address_of(agent.proxy)
    return await asyncio.gather(*(one(address, number, head, timeout=timeout) for number in range(clients)))


def caching_agent(work, url, settings=CACHE, name="caching", guard=None, exporter="generic", **rest):
    return GuardedAgent(work, [Api("demo", exporter, url, list(settings))], name=name, guard=guard, **rest)


def told(answers, body=BODY):
    """(served whole, aborted, stranded, anything else)"""
    whole = sum(answer.status == 200 and answer.body == body for answer in answers)
    stranded = sum(answer.status == 0 and answer.seconds > 20 for answer in answers)
    aborted = sum(answer.status == 0 for answer in answers) - stranded
    return {
        "whole": whole,
        "aborted": aborted,
        "stranded": stranded,
        "other": len(answers) - whole - aborted - stranded,
    }


def added(figures, more):
    for name, value in more.items():
        figures[name] = figures.get(name, 0) + value


def identical(work, clients=100, rounds=5):
    """As many identical requests at once; how often the API was asked in each round."""

    async def scenario():
        api = await HeldApi(lambda path, nth: [0.2, ANSWER]).start()
        agent = await asyncio.to_thread(caching_agent, work, api.url)
        figures = {}
        for number in range(rounds):
            added(figures, told(await ask_all(agent, f"/items/{number}", clients)))
        await asyncio.to_thread(agent.rests)
        figures.update(calls=list(api.asked.values()), clients=clients * rounds)
        agent.stop()
        return figures

    return asyncio.run(scenario())


def apart(work, clients=20):
    """Who must not share: other credentials; answers that may not be kept, and streams."""
    secret = ANSWER.replace(b"private, max-age=60", b"no-store")
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 10\r\n\r\ndata: 1\n\n\n"

    async def scenario():
        answers = {"/secret": secret, "/events": events}
        api = await HeldApi(lambda path, nth: [0.2, answers.get(path, ANSWER)]).start()
        agent = await asyncio.to_thread(caching_agent, work, api.url)
        found = {}
        for path in ("/mine", "/secret", "/events"):
            asking = [
                ask_all(agent, path, clients, {"Authorization": f"Bearer {who}"}) for who in ("one", "two")
            ]
            both = [answer for answers in await asyncio.gather(*asking) for answer in answers]
            found[path] = {"calls": api.asked[path], "served": sum(answer.status == 200 for answer in both)}
        await asyncio.to_thread(agent.rests)
        agent.stop()
        return found

    return asyncio.run(scenario())


def upstream_killed(work, clients=100, step=1, guard=None):
    """The upstream's connection dies behind every byte of its first answer."""

    def pieces(path, nth):
        cut = int(path.rpartition("/")[2])
        return [0.03, ANSWER] if nth > 1 else [0.03, ANSWER[:cut], 0.002, None]

    async def scenario():
        api = await HeldApi(pieces).start()
        agent = await asyncio.to_thread(caching_agent, work, api.url, guard=guard)
        figures, without_most, ways = {}, 0, 0
        for cut in range(0, len(ANSWER), step):
            became = told(await ask_all(agent, f"/items/{cut}", clients))
            without_most = max(without_most, clients - became["whole"])
            added(figures, became)
            ways += 1
        await asyncio.to_thread(agent.rests)
        figures.update(ways=ways, most_calls=max(api.asked.values()), without_most=without_most)
        agent.stop()
        return figures

    return asyncio.run(scenario())


async def leading_client_leaves(agent, api, path, sent=None, gate=None):
    """Asks first, and is gone behind `sent` bytes of its request, or once some of the answer has come."""
    reader, writer = await asyncio.open_connection(*address_of(agent.proxy))
    request = head_of("GET", "/demo" + path, fields=FIELDS)
    writer.write(request[:sent])
    await writer.drain()
    if sent is None:
        while path not in api.asked:
            api.arrived.clear()
            await asyncio.wait_for(api.arrived.wait(), 10)
        await asyncio.sleep(0.03)  # the others have come meanwhile
        gate.set()
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(reader.read(65536), 0.005)
    reset(writer)


def client_killed(work, clients=100, step=1):
    """The client of the one that asks dies behind every byte of its request, then before every byte of the
    answer; the API is asked once for all others."""
    gates, rests = {}, {}

    def pieces(path, nth):
        cut = int(path.rpartition("/")[2])
        if path.startswith("/sent"):
            return [0.02, ANSWER]
        return [gates[path], ANSWER[:cut], rests[path], ANSWER[cut:]]

    async def scenario():
        api = await HeldApi(pieces).start()
        agent = await asyncio.to_thread(caching_agent, work, api.url)
        figures, ways = {}, 0

        async def round_of(path, sent=None):
            gates[path], rests[path] = asyncio.Event(), asyncio.Event()
            leading = asyncio.ensure_future(leading_client_leaves(agent, api, path, sent, gates[path]))
            if sent is None:
                while path not in api.asked:
                    await asyncio.sleep(0.001)
            others = asyncio.ensure_future(ask_all(agent, path, clients - 1))
            await leading
            await asyncio.sleep(0.002)
            rests[path].set()
            added(figures, told(await others))

        for cut in range(1, len(head_of("GET", "/demo/sent/100", fields=FIELDS)), step):
            await round_of(f"/sent/{cut}", sent=cut)
            ways += 1
        for cut in range(0, len(ANSWER), step):
            await round_of(f"/items/{cut}")
            ways += 1
        await asyncio.to_thread(agent.rests)
        figures.update(ways=ways, most_calls=max(api.asked.values()), others=ways * (clients - 1))
        agent.stop()
        return figures

    return asyncio.run(scenario())


PLAIN = f"{{{LIMITER_ALONE}}}"  # without retries: what is asked again is the followers' own
