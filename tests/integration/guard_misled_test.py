"""What an API says and is not so must not close it: a Retry-After of a year, a bare 429 while others are
served, a share where a count might be taken for it."""

import unittest

import guard_misled
from harness import Workspace


class GuardMisledTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def test_a_retry_after_of_a_year_does_not_close_an_api_for_a_year(self):
        figures = guard_misled.a_year(self.work)
        self.assertEqual(figures["first"], 429, figures)
        self.assertIsNotNone(figures["served_after_s"], figures)
        self.assertLess(figures["served_after_s"], 4, figures)

    def test_one_wrong_reading_does_not_close_an_api_for_as_long_as_it_says(self):
        figures = guard_misled.one_wrong_reading(self.work)
        self.assertIsNotNone(figures["served_after_s"], figures)
        self.assertLess(figures["served_after_s"], 4, figures)

    def test_a_bare_429_holds_up_nobody_but_the_one_it_hits(self):
        figures = guard_misled.bare_refusals(self.work)
        self.assertEqual((figures["seen_429"], figures["ours"]), (0, 0), figures)
        self.assertLessEqual(figures["held_up"], figures["bare_429"], figures)

    def test_a_quota_that_is_said_as_a_share_is_not_in_the_way(self):
        figures = guard_misled.unified(self.work, requests=50)
        self.assertEqual((figures["served"], figures["delayed"]), (50, 0), figures)


if __name__ == "__main__":
    unittest.main()
