"""The judgements of the trust parts, held against what they must find: one that finds nothing is none."""

import base64
import unittest

from stand import Context  # noqa: F401  (first: it finds the integration tests' helpers)

from accounting import OUTCOMES, whole
from fault_upstream import SHORT
from lifecycle_faults import bad_files, damaged
from secrets_canary import canary, forms
from soak import slope
from upstream_faults import HEAD_SIZE, wrong_answer

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno"


class CanaryTest(unittest.TestCase):
    def test_base64_is_found_at_every_alignment(self):
        secret = canary()
        for before in (b"", b"u", b"us", b"user:"):
            text = base64.b64encode(before + secret.encode() + b"behind")
            self.assertTrue(any(needle in text for needle in forms(secret)["base64"]), before)

    def test_hex_url_and_beginning_are_found(self):
        secret = canary()
        self.assertIn(forms(secret)["first 8"][0], secret.encode())
        self.assertTrue(any(needle in secret.encode().hex().encode() for needle in forms(secret)["hex"]))
        self.assertIn(b"%2F%2B", forms(secret)["url"][0])

    def test_nothing_is_found_in_another_text(self):
        text = b"level=info event=ready " + canary().encode()
        self.assertFalse([n for needles in forms(canary()).values() for n in needles if n in text])


class ResetTest(unittest.TestCase):
    def test_a_cut_answer_that_looks_whole_is_wrong(self):
        self.assertIsNotNone(wrong_answer(len(SHORT) - 1, SHORT, "closed"))
        self.assertIsNotNone(wrong_answer(len(SHORT), SHORT[:-1], "closed"))
        self.assertIsNotNone(wrong_answer(HEAD_SIZE - 1, b"", "reset"))
        self.assertIsNotNone(wrong_answer(HEAD_SIZE, BAD_GATEWAY, "hung"))

    def test_what_must_happen_is_not(self):
        self.assertIsNone(wrong_answer(len(SHORT), SHORT, "closed"))
        self.assertIsNone(wrong_answer(0, BAD_GATEWAY, "closed"))
        self.assertIsNone(wrong_answer(HEAD_SIZE + 3, SHORT[:HEAD_SIZE + 3], "reset"))


class StateTest(unittest.TestCase):
    def test_damage_is_spread_over_the_whole_file(self):
        state = bytes(range(256))
        made = damaged(state, 200)
        self.assertEqual(len(made), 200)
        self.assertTrue(all(data != state for _, data in made))
        self.assertLess(min(len(data) for _, data in made), 3)

    def test_there_are_40_bad_files_and_no_two_are_alike(self):
        good = "apis:\n  - {name: t, exporter: generic, base_url: 'http://127.0.0.1:54321'}\n"
        self.assertEqual(len(set(bad_files(good))), 40)


class FigureTest(unittest.TestCase):
    def test_a_slope_is_found_and_noise_is_its_error(self):
        per_hour, error = slope([(second, 20 + second / 3600) for second in range(0, 600, 5)])
        self.assertAlmostEqual(per_hour, 1, places=6)
        self.assertAlmostEqual(error, 0, places=6)

    def test_each_outcome_is_counted_somewhere(self):
        self.assertTrue(all(status or reason for _, status, reason in OUTCOMES.values()))
        self.assertFalse(whole(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"))


if __name__ == "__main__":
    unittest.main()
