"""Concurrency slots and the breaker, before a real agent, under faults from outside: never more at once than
there are slots, one probe at a time, and nothing held once everybody has gone."""

import unittest

import guard_leavers
import guard_slots as slots
from harness import SANITIZED, Workspace

WRITTEN = ["guard: {concurrency: {max: 4}, breaker: {errors: 5}}"]


class GuardSlotsTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def test_never_more_at_once_than_there_are_slots_and_all_who_stay_are_served(self):
        figures = slots.kept(self.work)
        self.assertLessEqual(figures["most_at_once"], figures["slots"], figures)
        self.assertEqual((figures["served"], figures["held"]), (figures["stayed"], {}), figures)

    def test_all_who_stay_are_served_whoever_leaves(self):
        figures = slots.kept(self.work, leaving=0.5)
        self.assertEqual((figures["served"], figures["held"]), (figures["stayed"], {}), figures)

    def test_who_leaves_at_any_byte_gives_its_slot_back(self):
        figures = guard_leavers.gone_at_every_byte(self.work, step=9 if SANITIZED else 3, settings=WRITTEN)
        self.assertEqual((figures["held"], figures["answered_afterwards"]), ({}, 200), figures)

    def test_who_leaves_the_queue_for_slots_is_not_sent(self):
        figures = guard_leavers.gone_while_waiting(self.work, settings=WRITTEN)
        self.assertEqual(figures, {"stayed": 50, "sent_for_who_left": 0, "held": {}, "too_early": 0})

    def test_who_does_not_read_holds_no_slot_past_its_deadline(self):
        self.assertEqual(guard_leavers.stalled(self.work, settings=WRITTEN)["held"], {})
        figures = slots.stalled_holder(self.work)
        self.assertEqual((figures["status"], figures["held"]), (200, {}), figures)
        self.assertLess(figures["waited_s"], figures["deadline_s"] + (10 if SANITIZED else 3), figures)

    def test_a_reload_changes_the_slots_and_sigterm_ends_the_waiting(self):
        figures = slots.reloaded_and_stopped(self.work)
        self.assertEqual((figures["most_before"], figures["most_after"]), (2, 3), figures)
        self.assertEqual((figures["answered"], figures["exit_code"]), (figures["clients"], 0), figures)

    def test_an_api_that_is_ill_is_asked_by_one_probe_at_a_time(self):
        figures = slots.broken(self.work)
        self.assertEqual(figures["relayed"], [500] * 5)
        self.assertEqual((figures["refused"], figures["asked_while_open"]), (figures["clients"], 0), figures)
        self.assertEqual((figures["probes"], figures["held"]), (1, {}), figures)
        self.assertEqual(figures["served_afterwards"], figures["clients"], figures)
        self.assertLess(figures["served_again_after_s"], 4.5, figures)  # open, doubled once

    def test_a_probe_whose_client_leaves_gives_its_turn_to_the_next_one(self):
        figures = slots.probe_leaves(self.work)
        self.assertEqual((figures["refused"], figures["held"]), (503, {}), figures)
        self.assertLess(figures["next_after_s"], 2, figures)

    def test_who_leaves_an_open_breaker_leaves_nothing_held(self):
        self.assertEqual(slots.gone_while_open(self.work)["held"], {})


if __name__ == "__main__":
    unittest.main()
