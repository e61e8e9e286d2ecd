"""Storms before a real agent with its guard on, in their short form: an API that refuses everything, waiters
at a reset, a noisy neighbour, clients without patience."""

import unittest

import guard_storms
from harness import SANITIZED, Workspace


class GuardStormTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def test_an_api_that_refuses_everything_is_not_asked_ever_more(self):
        figures = guard_storms.overloaded(self.work, seconds=5, rate=60)
        self.assertEqual((figures["relayed"], figures["posts_twice"]), (figures["requests"], 0), figures)
        self.assertLessEqual(figures["beyond_1.2_per_s"], 3, figures)

    def test_waiters_do_not_leave_all_at_once_when_the_window_resets(self):
        figures = guard_storms.rush_at_reset(self.work, waiters=300 if SANITIZED else 1000, reset_in=3)
        self.assertEqual((figures["served"], figures["too_early"]), (figures["waiters"], 0), figures)
        if not SANITIZED:  # there it is the checks that say how fast they leave
            self.assertLessEqual(figures["fullest_bin_of_mean"], 2, figures)

    def test_a_noisy_neighbour_takes_no_more_than_its_share(self):
        figures = guard_storms.noisy_neighbour(self.work, seconds=8)
        self.assertEqual(figures["upstream_429"], 0, figures)
        self.assertGreaterEqual(figures["jain"], 0.95, figures)

    def test_the_last_urgency_does_not_starve(self):
        figures = guard_storms.last_class(self.work, seconds=8)
        self.assertGreater(figures["served"]["last"], 0, figures)
        self.assertLessEqual(figures["longest_s"]["last"], 8, figures)

    def test_who_cannot_wait_is_refused_at_once_and_nothing_is_sent_for_it(self):
        bound = 500 if SANITIZED else 50
        for _ in range(3):  # a machine that stands still for a moment is not the agent's doing
            with Workspace() as work:
                figures = guard_storms.no_patience(work)
            if figures["slowest_ms"] < bound:
                break
        self.assertLess(figures["slowest_ms"], bound, figures)
        self.assertEqual((figures["refused"], figures["sent_upstream"]), (figures["clients"], 0), figures)
        self.assertRegex(figures["sentence"], r"\bquota\b|\blimit\b", figures)
        self.assertGreater(int(figures["retry_after"]), 30, figures)
        self.assertEqual(figures["waited"], 0, figures)


if __name__ == "__main__":
    unittest.main()
