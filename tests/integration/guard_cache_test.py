"""A memory of answers before a real agent: identical requests become one, whatever dies at whatever byte, and
a polled list costs what it has changed."""

import unittest

import guard_cache_herd as herd
import guard_cache_polled as polling
from harness import SANITIZED, Workspace

STEP = 37 if SANITIZED else 11
CLIENTS = 30 if SANITIZED else 100


class GuardCacheTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def test_of_identical_requests_one_reaches_the_api(self):
        figures = herd.identical(self.work)
        self.assertEqual((figures["calls"], figures["whole"]), ([1] * 5, 500), figures)

    def test_neither_credentials_nor_what_may_not_be_kept_nor_streams_are_shared(self):
        figures = herd.apart(self.work)
        self.assertEqual(figures["/mine"], {"calls": 2, "served": 40})
        self.assertEqual(figures["/secret"], {"calls": 40, "served": 40})
        self.assertEqual(figures["/events"], {"calls": 40, "served": 40})

    def check_upstream_killed(self, guard):
        figures = herd.upstream_killed(self.work, CLIENTS, STEP, guard)
        self.assertLessEqual(figures["most_calls"], 2, figures)
        # Who asked is told that it failed, or cut off if it had some of its answer already; nobody else is.
        self.assertEqual((figures["stranded"], figures["without_most"] <= 1), (0, True), figures)

    def test_where_the_api_hangs_up_at_any_byte_one_more_is_sent_and_nobody_stranded(self):
        self.check_upstream_killed(None)

    def test_the_same_without_retries(self):
        self.check_upstream_killed(herd.PLAIN)

    def test_where_the_first_client_leaves_at_any_byte_nothing_more_is_sent(self):
        figures = herd.client_killed(self.work, CLIENTS, STEP)
        self.assertEqual((figures["most_calls"], figures["whole"]), (1, figures["others"]), figures)

    def test_a_list_that_is_fresh_is_not_asked_for_again(self):
        figures = polling.polled(self.work, every=0.01)
        self.assertEqual(
            (figures["answered"], figures["asked_upstream"], figures["spent"]), (60, 1, 1), figures
        )
        self.assertEqual(figures["saved_as_told"], 59, figures)

    def test_a_list_that_is_asked_for_with_its_etag_costs_what_it_has_changed(self):
        figures = polling.polled(self.work, every=0.01, max_age=0, changes=2)
        self.assertEqual(
            (figures["answered"], figures["asked_upstream"], figures["versions"]), (60, 60, 3), figures
        )
        self.assertEqual((figures["spent"], figures["saved_as_told"]), (3, 57), figures)


if __name__ == "__main__":
    unittest.main()
