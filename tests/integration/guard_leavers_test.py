"""Whoever leaves, wherever, leaves nothing held: clients gone at every byte, in the queue, or not reading;
agents that reload or stop."""

import unittest

import guard_leavers
from harness import SANITIZED, Workspace


class GuardLeaversTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def test_who_leaves_at_any_byte_leaves_nothing_held(self):
        figures = guard_leavers.gone_at_every_byte(self.work, step=5 if SANITIZED else 1)
        self.assertEqual((figures["held"], figures["answered_afterwards"]), ({}, 200), figures)

    def test_who_leads_for_others_and_leaves_at_any_byte_strands_nobody(self):
        figures = guard_leavers.leaders_gone_at_every_byte(self.work, step=5 if SANITIZED else 1)
        self.assertGreater(figures.pop("ways"), 200 if SANITIZED else 1000)
        self.assertEqual(figures, {"held": {}, "unanswered": [], "asked_too_often": []})

    def test_who_leaves_the_queue_is_not_sent(self):
        figures = guard_leavers.gone_while_waiting(self.work)
        self.assertEqual(figures, {"stayed": 50, "sent_for_who_left": 0, "held": {}, "too_early": 0})

    def test_who_does_not_read_holds_nothing_once_it_is_cut_off(self):
        self.assertEqual(guard_leavers.stalled(self.work)["held"], {})

    def test_waiters_outlive_a_reload(self):
        figures = guard_leavers.reloaded(self.work)
        self.assertEqual(figures, {"clients": 30, "served": 30, "held": {}, "too_early": 0})

    def test_waiters_whose_turn_comes_while_the_agent_stops_are_served(self):
        figures = guard_leavers.stopped(self.work, reset_in=3)
        self.assertEqual(
            (figures["served"], figures["exit_code"], figures["too_early"]), (20, 0, 0), figures
        )

    def test_waiters_whose_turn_comes_after_the_agent_has_stopped_are_told_when(self):
        figures = guard_leavers.stopped(self.work, reset_in=40)
        self.assertEqual(
            (figures["told_when"], figures["exit_code"], figures["too_early"]), (20, 0, 0), figures
        )
        self.assertLess(figures["seconds"], 5, figures)


if __name__ == "__main__":
    unittest.main()
