"""The arithmetic behind the figures of scripts/bench guard, by hand-computed cases."""

import sys
import tempfile
import unittest
from pathlib import Path

from arrivals import fullest_bin
from guarding import could_have_had, jain, percentile
from harness import SOURCE_DIR

sys.path.insert(0, str(SOURCE_DIR / "tests" / "bench" / "guard"))

from stand import Bar, Table  # noqa: E402
from tables import as_markdown, merge_tables, write_section  # noqa: E402

FACTS = {"cpu": "a CPU", "cores": 2, "kernel": "6.1", "time": "today", "versions": {"apiquota": "1"}}


class GuardFiguresTest(unittest.TestCase):
    def test_what_an_all_knowing_client_has(self):
        self.assertEqual(could_have_had("fixed", 60, 60, 179), 180)
        self.assertEqual(could_have_had("fixed", 60, 60, 181), 240)
        self.assertEqual(could_have_had("aligned", 60, 60, 180, phase=30), 240)
        self.assertEqual(could_have_had("aligned", 60, 60, 180, phase=0), 180)
        self.assertEqual(could_have_had("bucket", 60, 60, 180), 240)

    def test_a_percentile_is_one_of_the_values(self):
        self.assertEqual([percentile([4, 1, 3, 2], share) for share in (0.5, 0.75, 0.99)], [2, 3, 4])
        self.assertEqual(percentile([], 0.5), 0)

    def test_equal_shares_are_fair_and_one_for_all_is_not(self):
        self.assertEqual(jain([5, 5, 5, 5]), 1)
        self.assertEqual(jain([20, 0, 0, 0]), 0.25)
        self.assertEqual(jain([0, 0]), 0)

    def test_a_peak_among_releases_is_seen(self):
        even = [number / 128 for number in range(128)]
        self.assertEqual(fullest_bin(even, width=0.125), (1.0, 8))
        self.assertGreater(fullest_bin(even + [0.55] * 20, width=0.125)[0], 1.9)

    def test_a_missed_bar_is_named(self):
        missed = Bar("429s", 3, 0)
        bars = [missed, Bar("share", 0.98, 0.97, at_most=False)]
        text = as_markdown([Table("T", ["a"], [[1234]], bars=bars)], FACTS)
        self.assertIn("| 1,234 |", text)
        self.assertIn("1 bars are reached, 1 missed:\n\n- 429s: 3, where at most 0 is asked for", text)

    def test_only_the_section_measured_is_written_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "guard.md"
            page.write_text("# The guard\n\nText.\n")
            write_section(page, "## Measured\n\nfirst\n")
            self.assertEqual(page.read_text(), "# The guard\n\nText.\n\n## Measured\n\nfirst\n")
            page.write_text(page.read_text() + "\n## After\n\nText.\n")
            write_section(page, "## Measured\n\nsecond\n")
            self.assertEqual(page.read_text(),
                             "# The guard\n\nText.\n\n## Measured\n\nsecond\n\n## After\n\nText.\n")

    def test_a_table_that_is_measured_again_takes_the_place_of_its_own_only(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "guard.md"
            page.write_text("# The guard\n\n## Measured: own\n\nBy hand.\n\n## After\n\nText.\n")
            for number in (1, 2):
                merge_tables(page, "## Measured: own", [Table("A", ["a"], [[number]])], FACTS)
                missed = [Bar("b", 3, 0)]
                merge_tables(page, "## Measured: own", [Table("B", ["b"], [[3]], bars=missed)], FACTS)
            dated = "Measured on a CPU, 2 cores, Linux 6.1, today, apiquota 1."
            self.assertEqual(
                page.read_text(),
                "# The guard\n\n## Measured: own\n\nBy hand.\n\n"
                f"### A\n\n| a |\n|---|\n| 2 |\n\n{dated}\n\n"
                f"### B\n\n| b |\n|---|\n| 3 |\n\n{dated}\n\n0 bars are reached, 1 missed:\n\n"
                "- b: 3, where at most 0 is asked for\n\n## After\n\nText.\n",
            )


if __name__ == "__main__":
    unittest.main()
