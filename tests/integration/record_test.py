"""`apiquota record` of a live answer: what is asked, what is written, and by which exit code."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BINARY
from polled_api import PolledApi

CANARY = "sk-canary-record-4d1f"


class RecordTest(unittest.TestCase):
    def setUp(self):
        self.api = PolledApi(fault=lambda path, credential: path.split("?")[0].removeprefix("/"))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def record(self, *arguments):
        done = subprocess.run(
            [BINARY, "record", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=30,
            env={"MY_KEY": CANARY},
            stdin=subprocess.DEVNULL,
        )
        written = [path.read_text() for path in self.folder.rglob("*") if path.is_file()]
        for text in (done.stdout, done.stderr, *written):
            self.assertNotIn(CANARY, text)
        return done

    def test_an_answer_is_asked_for_and_written_without_the_key(self):
        (self.folder / "tests/providers").mkdir(parents=True)
        url = f"{self.api.url}/ok?appid={CANARY}"
        done = self.record("github", url, "--key-from-env=MY_KEY", "-H", f"X-Other: {CANARY}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(CANARY, self.api.polls[0].head, "the API was asked with it")
        recording = (self.folder / "tests/providers/github/ordinary.http").read_text()
        self.assertRegex(recording, r"^# source: inferred from a live answer of \d{4}-\d\d-\d\d\n"
                                    r"# request: GET https://example.com/ok\nHTTP/1.1 200\ndate: ")
        self.assertIn("\nx-ratelimit-limit: 60\nx-ratelimit-remaining: 42\n", recording)
        expected = json.loads((self.folder / "tests/providers/github/ordinary.json").read_text())
        self.assertEqual((expected["exporter"], expected["quotas"][0]["remaining"]), ("github", 42))

    def test_without_a_tree_of_recordings_it_is_written_here(self):
        done = self.record("generic", self.api.url + "/throttled")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("HTTP/1.1 429\n", (self.folder / "throttled.http").read_text())
        self.assertEqual(self.record("generic", self.api.url + "/throttled").returncode, 2)

    def test_an_answer_that_is_not_understood_yet_is_written_too(self):
        done = self.record("generic", self.api.url + "/silent")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertTrue((self.folder / "ordinary.json").exists())

    def test_no_answer_is_four_and_nothing_is_written(self):
        done = self.record("generic", self.api.url + "/reset")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"^apiquota record: no answer \([a-z_]+\): ")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
