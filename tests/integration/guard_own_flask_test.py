"""Limits of the operator's own beside Flask-Limiter: a real Flask application under the tutorials' rules, and
the same without them behind the agent at four loops, asked the same."""

import unittest

import guard_own_flask as own
from harness import SANITIZED, Workspace, python_with_flask_limiter

WINDOW = 8 if SANITIZED else 4


class GuardOwnFlaskTest(unittest.TestCase):
    def setUp(self):
        self.work = self.enterContext(Workspace())

    def side_by_side(self, strategy, **rest):
        """On a machine that can't ask in time the windows are longer."""
        for window in (WINDOW, 2 * WINDOW, 4 * WINDOW):
            found = own.side_by_side(self.work, strategy, window, **rest)
            if found["late"] < 0.1:
                return found
        self.fail(f"asked {found['late']:.2f} windows late")

    def check_fields(self, found, resets=True):
        """Both say the same of what is left; when, as well as whole seconds can say it, on a machine on which
        both windows began, and both were asked, at most so late."""
        late = 2 * found["late"] * found["window"]
        self.assertEqual(own.differences(found, lambda said: (said.limit, said.remaining)), [])
        for address, answers in found["flask"].items():
            for flask, ours in zip(answers, found["agent"][address], strict=True):
                if resets and flask.reset is not None:
                    self.assertAlmostEqual(flask.reset, ours.reset, delta=2, msg=(flask, ours))
                if ours.status == 429:  # Flask-Limiter rounds down, so that who obeys comes too early
                    least = flask.retry_after - late if resets else 1
                    self.assertGreaterEqual(ours.retry_after, least, (flask, ours, late))
                    self.assertLessEqual(ours.retry_after, found["window"] + 1)

    def test_the_same_requests_are_refused_in_fixed_windows(self):
        found = self.side_by_side("fixed-window")
        self.assertEqual(own.differences(found), [])
        self.assertGreater(own.counted(found, "agent")[1], 30)
        self.check_fields(found)

    def test_the_same_requests_are_refused_in_moving_windows(self):
        found = self.side_by_side("moving-window")
        self.assertEqual(own.differences(found), [])
        self.assertGreater(own.counted(found, "agent")[1], 30)
        # Flask-Limiter's reset is a window past the newest request, whenever the next one could go.
        self.check_fields(found, resets=False)

    def test_the_same_requests_are_refused_by_a_header_and_its_role(self):
        found = self.side_by_side("fixed-window", rules="roles")
        self.assertEqual(own.differences(found), [])
        self.check_fields(found)


if __name__ == "__main__":
    python_with_flask_limiter()
    unittest.main()
