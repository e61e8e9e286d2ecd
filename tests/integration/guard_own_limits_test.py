"""What limits of the operator's own let through at the edges of their windows, under many at once, from
forged addresses, and how little a crowd of addresses takes."""

import asyncio
import threading
import unittest

import guard_own_crowd as crowds
import guard_own_edges as edges
from harness import SANITIZED, Workspace, python_with_flask_limiter

ADDRESSES = 4000 if SANITIZED else 20_000
WINDOW = 6 if SANITIZED else 3


class Empty(asyncio.Protocol):
    """Answers each request with 204."""

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        *whole, self.rest = (self.rest + data).split(b"\r\n\r\n")
        self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n" * len(whole))


class EmptyApi:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        server = self.loop.run_until_complete(self.loop.create_server(Empty, "127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


class GuardOwnLimitsTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def test_a_fixed_window_is_kept_and_its_edge_is_as_flask_limiters(self):
        for window in (WINDOW, 2 * WINDOW, 4 * WINDOW):  # longer where the machine can't ask in time
            ours = edges.around_edges(self.work, "fixed", window)
            theirs = edges.around_edges(self.work, "fixed-window", window)
            if ours["in_time"] and theirs["in_time"]:
                break
        self.assertTrue(ours["in_time"] and theirs["in_time"], "not asked in time")
        self.assertEqual((ours["admitted"], ours["any_span"]), (theirs["admitted"], theirs["any_span"]))

    def test_a_sliding_window_holds_in_any_span(self):
        figures = edges.around_edges(self.work, "sliding", WINDOW)
        self.assertLessEqual(figures["any_span"], figures["limit"], figures)
        self.assertGreaterEqual(figures["admitted"], 2 * figures["limit"], figures)

    def test_gcra_lets_its_burst_through_at_an_edge_and_no_more(self):
        figures = edges.around_edges(self.work, "gcra", WINDOW)
        self.assertLessEqual(
            figures["at_an_edge"], 5 + 3, figures
        )  # the burst, and what a quarter brings back
        self.assertLessEqual(figures["any_span"], figures["limit"] + 5, figures)

    def test_of_many_at_once_as_many_as_the_limit_go(self):
        for kind in ("fixed", "sliding"):
            figures = edges.all_at_once(self.work, kind)
            self.assertEqual((figures["admitted"], figures["refused"]), (10, 190), figures)

    def test_nobody_has_another_address_than_its_own(self):
        figures = edges.forged_addresses(self.work)
        self.assertEqual(figures, {"forged": 10, "another_source": 10, "from_the_proxy": 30, "prepended": 10})

    def test_a_crowd_of_addresses_takes_little_and_is_no_series(self):
        api = EmptyApi()
        figures = crowds.crowd(self.work, api.url, ADDRESSES)
        api.stop()
        self.assertEqual(figures["new_series"], [])
        for load in ("few", "many", "again"):
            self.assertEqual(figures[load]["statuses"], {"204": ADDRESSES}, figures)
        if not SANITIZED:
            self.assertLess(figures["mib_again"] - figures["mib_before"], 16, figures)


if __name__ == "__main__":
    python_with_flask_limiter()
    unittest.main()
