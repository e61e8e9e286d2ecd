"""200 event streams at once through the proxy, half of their clients leaving at random: those upstreams are
cancelled within a second, the other streams arrive byte for byte, and nothing is left behind in the agent."""

import asyncio
import os
import random
import re
import time
import unittest
from pathlib import Path

from harness import OPENAI_USAGE, SANITIZED, Agent, Simulator, Workspace, wait_until

STREAMS = 200
LEAVERS = STREAMS // 2
EVENTS = 25
CANCEL_SECONDS = 1.0
REQUEST = (b"GET /demo/v1/stream HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n"
           b"Authorization: Bearer sk-%d\r\n\r\n")


def expected_body(first_event):
    """The whole stream, from the reply that its first event holds."""
    reply = re.match(rb'id: 0\ndata: (\{"simulated":"openai","request":\d+\})\n\n', first_event)
    assert reply, f"not a first event: {first_event[:200]!r}"
    events = b"".join(b"id: %d\ndata: %s\n\n" % (i, reply[1]) for i in range(EVENTS))
    return events + b"data: " + OPENAI_USAGE + b"\n\ndata: [DONE]\n\n", reply[1]


async def read_chunk(reader):
    size = int(await reader.readline(), 16)
    data = await reader.readexactly(size + 2)
    assert data.endswith(b"\r\n"), data
    return data[:-2]


async def open_stream(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST % (b"127.0.0.1:%d" % port, number % 7))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert b"transfer-encoding: chunked\r\n" in head.lower(), head
    return reader, writer


async def stay(port, number):
    """Reads a stream to its end; the reply it was about, and how many pieces it came in."""
    reader, writer = await open_stream(port, number)
    body, pieces = b"", 0
    while chunk := await read_chunk(reader):
        body += chunk
        pieces += 1
    writer.close()
    expected, reply = expected_body(body)
    assert body == expected, f"stream {number}: {len(body)} bytes instead of {len(expected)}"
    return reply, pieces


async def leave(port, number, seconds, abort, left):
    """Reads for a while, then closes the connection, politely or not."""
    reader, writer = await open_stream(port, number)
    try:
        async with asyncio.timeout(seconds):
            while await read_chunk(reader):
                pass
    except TimeoutError:
        pass
    writer.transport.abort() if abort else writer.close()
    left.append(time.monotonic())


class StreamsTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())
        self.simulator = Simulator(self.work, "openai", "--limit", "100000", "--sse", "--chunks", str(EVENTS),
                                   "--chunk-interval", "200ms")
        self.agent = Agent(self.work, apis=[f"demo=openai@{self.simulator.url}"])
        self.port = int(self.agent.proxy_url.rsplit(":", 1)[1])
        self.random = random.Random(20261122)
        self.agent.metrics()  # the admin side's threads and sockets are there
        self.idle_descriptors = self.descriptors() + 4

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.agent.pid}/fd"))

    def resident_bytes(self):
        return int(Path(f"/proc/{self.agent.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    async def watch_cancellations(self, before, left):
        """Whoever left a second ago has been noticed at the upstream."""
        while len(left) < LEAVERS:
            await self.check_cancellations(before, left)
            await asyncio.sleep(0.1)
        await asyncio.sleep(CANCEL_SECONDS)
        await self.check_cancellations(before, left)

    async def check_cancellations(self, before, left):
        due = sum(moment <= time.monotonic() - CANCEL_SECONDS for moment in left)
        stats = await asyncio.to_thread(self.simulator.stats)
        self.assertGreaterEqual(stats["cancelled"] - before, due, "cancelled upstreams")

    async def round(self):
        """STREAMS streams; the replies of those that were read to their end."""
        before = self.simulator.stats()["cancelled"]
        left = []
        leavers = [leave(self.port, i, self.random.uniform(0.3, 3.5), self.random.random() < 0.5, left)
                   for i in range(LEAVERS)]
        stayers = [stay(self.port, LEAVERS + i) for i in range(STREAMS - LEAVERS)]
        async with asyncio.timeout(60):
            results = await asyncio.gather(*stayers, *leavers, self.watch_cancellations(before, left))
        self.assertEqual(self.simulator.stats()["cancelled"] - before, LEAVERS)
        for _, pieces in results[:len(stayers)]:
            self.assertGreater(pieces, EVENTS // 2, "events were held back and joined")
        return [reply for reply, _ in results[:len(stayers)]]

    def test_nothing_is_lost_and_nothing_leaks(self):
        # The first round fills what is filled once: buffers, pools, label sets.
        replies = asyncio.run(self.round())
        resident = self.resident_bytes()
        for _ in range(2):
            replies += asyncio.run(self.round())
        self.assertEqual(len(set(replies)), 3 * (STREAMS - LEAVERS), "each stream is about its own request")

        stats = self.simulator.stats()
        counts = (stats["requests"], stats["cancelled"], stats["active"])
        self.assertEqual(counts, (3 * STREAMS, 3 * LEAVERS, 0))
        total = self.agent.metric_sum
        wait_until(lambda: total("apiquota_proxy_requests_total", api="demo") == 3 * STREAMS, 5,
                   "each of them is counted")
        # Idle upstream connections may stay for pool_idle_timeout, 30 s.
        wait_until(lambda: self.descriptors() <= self.idle_descriptors, 45, "all connections are closed")
        if not SANITIZED:
            self.assertLess(self.resident_bytes() - resident, 4 << 20, "resident memory grew over two rounds")


if __name__ == "__main__":
    unittest.main()
