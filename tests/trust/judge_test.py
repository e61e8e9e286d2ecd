"""The judge sees what it is there for: each test is an outcome that must not pass for a good one."""

import unittest

import stand  # noqa: F401  (first: it finds the integration tests' helpers)
from corpus_table import parse_line, read
from docs_page import merged
from judge import judge_reply, judge_request
from recording_upstream import SeenRequest
from trust_table import Row, as_markdown
from wire import Talk, parse_answers

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def talk(data, closed=True, methods=(b"GET",)):
    answers, rest = parse_answers(data, closed, methods)
    return Talk(answers, rest, closed)


def seen(head, body=b""):
    return SeenRequest(head, body, complete=True)


REFUSE = parse_line(r"x | refuse 400 MUST | 6.3 | s | - | {get}\r\n")
PASS = parse_line(r"x | pass | 6.3 | s | body hello; has X: y; not X-Hop | {get}\r\n")
EITHER = parse_line(r"x | either | 6.3 | s | - | {get}\r\n")
PLAIN = seen(b"POST /t/x HTTP/1.1\r\nHost: h\r\nX: y\r\nContent-Length: 5", b"hello")


def request_faults(entry, answers, requests, ours=True):
    outcome = judge_request(entry, answers, requests, "", ours)
    return outcome.broken + outcome.missed


class RequestTest(unittest.TestCase):
    def test_good_outcomes_are_good(self):
        self.assertEqual(request_faults(REFUSE, talk(BAD), []), [])
        self.assertEqual(request_faults(PASS, talk(OK, False), [PLAIN]), [])
        self.assertEqual(request_faults(EITHER, talk(BAD), []), [])

    def test_a_refusal_that_leaves_the_connection_open(self):
        self.assertEqual(request_faults(REFUSE, talk(BAD, False), []), ["the connection stays open"])

    def test_a_refused_request_that_arrived_all_the_same(self):
        self.assertEqual(request_faults(REFUSE, talk(BAD), [PLAIN]),
                         ["1 whole requests reached the API, though refused"])

    def test_a_bad_request_that_passes_or_hangs(self):
        self.assertEqual(request_faults(REFUSE, talk(OK), [PLAIN]), ["passed"])
        self.assertEqual(request_faults(REFUSE, talk(b"", False), []), ["waits"])

    def test_two_requests_out_of_one(self):
        hidden = seen(b"GET /t/evil HTTP/1.1\r\nHost: h")
        self.assertEqual(request_faults(EITHER, talk(OK), [PLAIN, hidden])[:2],
                         ["2 requests reached the API, 1 were sent", "a hidden request reached the API"])

    def test_octets_that_belong_in_no_head(self):
        for octets, what in ((b"\0", "NUL"), (b"\r", "bare CR"), (b"\n", "bare LF"),
                             (b"\r\n ", "folded line")):
            request = seen(b"GET /t/x HTTP/1.1\r\nHost: h\r\nX: y" + octets + b"z")
            self.assertIn(f"{what} in the API's head", request_faults(EITHER, talk(OK), [request]))

    def test_both_framings_at_once(self):
        request = seen(b"GET /t/x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked")
        self.assertEqual(request_faults(EITHER, talk(OK), [request]), ["doubly framed towards the API"])

    def test_a_legal_request_that_arrives_changed(self):
        changed = seen(b"POST /t/x HTTP/1.1\r\nX-Hop: z", b"hell")
        self.assertEqual(request_faults(PASS, talk(OK), [changed]),
                         ["body became b'hell'", "X was lost", "X-Hop was passed on"])


def reply_faults(line, answers):
    outcome = judge_reply(parse_line(line), answers, [PLAIN], "", True)
    return outcome.broken + outcome.missed


class ReplyTest(unittest.TestCase):
    def test_a_cut_reply_that_looks_whole(self):
        self.assertEqual(reply_faults("x | abort | 8 | s | - | x", talk(OK)),
                         ["a cut reply looks complete", "relays"])

    def test_an_abort_is_an_abort(self):
        self.assertEqual(reply_faults("x | abort | 8 | s | - | x", talk(OK[:-1])), [])

    def test_octets_behind_a_reply(self):
        self.assertEqual(reply_faults("x | relay | 8 | s | - | x", talk(OK + b"STRAY", False)),
                         ["octets behind the reply reached the client"])

    def test_a_trailer_that_became_a_field(self):
        answer = OK.replace(b"OK\r", b"OK\r\nX-Evil: y\r")
        self.assertEqual(reply_faults("x | relay | 8 | s | - | x", talk(answer)),
                         ["a hidden field or trailer became a field"])


class TablesTest(unittest.TestCase):
    def test_the_corpus_is_as_large_as_promised(self):
        requests, replies = read("requests"), read("replies")
        self.assertGreaterEqual(sum(entry.verdict == "refuse" for entry in requests), 200)
        self.assertGreaterEqual(sum(entry.verdict == "pass" for entry in requests), 80)
        self.assertGreaterEqual(len(replies), 80)

    def test_rows_of_parts_that_were_not_run_stay_on_the_page(self):
        old = as_markdown([Row("4", "kept", "1", "1"), Row("10", "kept, too", "1", "1")]).split("\n")
        new = merged(old, as_markdown([Row("4", "new", "2", "2", passed=True)]))
        self.assertIn("| 4 | new |", new)
        self.assertIn("| 10 | kept, too |", new)
        self.assertNotIn("| 4 | kept |", new)


if __name__ == "__main__":
    unittest.main()
