"""What came of one entry of the corpus, judged: which invariants were broken, and whether the outcome is
what the entry asks for. Values in, values out."""

import re
from dataclasses import dataclass, field

REFUSED, PASSED, WAITS, DROPS = "refused", "passed", "waits", "drops"
RELAYED, ABORTED, RAW = "relayed", "aborted", "octets without a head"
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


@dataclass
class Outcome:
    """`shown` is the matrix' cell: a status, or one of the words above."""

    kind: str
    shown: str
    broken: list = field(default_factory=list)  # invariants, one phrase each
    missed: list = field(default_factory=list)  # what the entry asks for and did not happen

    @property
    def sound(self):
        return not self.broken and not self.missed


def head_faults(head, whose):
    """Bytes that no head on a wire may hold."""
    faults = []
    if b"\0" in head:
        faults.append(f"NUL in {whose} head")
    if b"\r" in head.replace(b"\r\n", b""):
        faults.append(f"bare CR in {whose} head")
    if b"\n" in head.replace(b"\r\n", b""):
        faults.append(f"bare LF in {whose} head")
    if re.search(rb"\r\n[ \t]", head):
        faults.append(f"folded line in {whose} head")
    return faults


def double_framing(fields, whose):
    names = [name for name, _ in fields]
    both = names.count(b"content-length") + names.count(b"transfer-encoding")
    return [f"doubly framed {whose}"] if both > 1 else []


def malformed_lines(head):
    """Lines behind the first that are no fields, by name."""
    lines = head.split(b"\r\n")[1:]
    return [line for line in lines if not TOKEN.match(line.split(b":", 1)[0]) or b":" not in line]


def upstream_faults(entry, seen):
    """What no request of a careful proxy does, whatever it was sent."""
    faults = []
    sent = entry.count + (entry.verdict == "refuse")  # the bad one, should it be taken for good
    if len(seen) > sent:
        faults.append(f"{len(seen)} requests reached the API, {sent} were sent")
    for request in seen:
        if b"evil" in request.line:
            faults.append("a hidden request reached the API")
        if request.junk:
            faults.append("framing that makes no sense reached the API")
        faults += head_faults(request.head, "the API's")
        faults += double_framing(request.fields(), "towards the API")
    return sorted(set(faults))


def arrived_as_asked(entry, seen):
    """The checks of an entry against what the API received."""
    missed = []
    if len(seen) != entry.count:
        missed.append(f"{len(seen)} requests reached the API, not {entry.count}")
    for request in seen[:1]:
        for wanted in entry.values("target"):
            if re.sub(rb"^https?://[^/]*", b"", request.target, flags=re.IGNORECASE) != wanted:
                missed.append(f"target became {request.target[:60]!r}")
        for wanted in entry.values("body"):
            if request.body != wanted:
                missed.append(f"body became {request.body[:40]!r}")
        missed += field_checks(entry, request.fields())
    return missed


def field_checks(entry, fields):
    missed = []
    for wanted in entry.values("has"):
        name, _, value = wanted.partition(b":")
        values = [have for key, have in fields if key == name.lower()]
        if not values or (value.strip() not in values and value.strip() != b"*"):
            missed.append(f"{name.decode('latin-1')} was {values if values else 'lost'}")
    for name in entry.values("not"):
        if any(key == name.lower() for key, _ in fields):
            missed.append(f"{name.decode()} was passed on")
    return missed


def judge_request(entry, talk, seen, next_fault, ours):
    """`next_fault`: what went wrong with another client's request afterwards; `ours`: our own statuses."""
    refusals = [status for status in talk.statuses if status >= 400]
    passed = [status for status in talk.statuses if status < 400]
    if refusals:
        outcome = Outcome(REFUSED, str(refusals[0]))
        if not talk.closed:
            outcome.shown += ", open"
    elif talk.answers:
        outcome = Outcome(PASSED, "passes")
    elif talk.rest:
        outcome = Outcome(PASSED, "passes, no head")
    else:
        outcome = Outcome(DROPS, "drops") if talk.closed else Outcome(WAITS, "waits")
    outcome.broken = upstream_faults(entry, seen) + ([next_fault] if next_fault else [])
    if entry.verdict == "refuse":
        outcome.missed = refusal_misses(entry, talk, seen, outcome, len(passed), ours)
    elif entry.verdict == "pass" or outcome.kind == PASSED:
        outcome.missed = passing_misses(entry, talk, seen, refusals)
    return outcome


def refusal_misses(entry, talk, seen, outcome, passed, ours):
    if not ours and entry.strength == "MAY" and outcome.kind == PASSED:
        return soundness_misses(entry, talk, seen)
    if not ours and outcome.kind == DROPS:
        return []
    if outcome.kind != REFUSED:
        return [outcome.kind]
    missed = []
    if ours and int(outcome.shown.split(",")[0]) not in entry.statuses:
        missed.append(f"answered {outcome.shown}")
    whole = sum(request.complete for request in seen)
    if whole > entry.count:
        missed.append(f"{whole} whole requests reached the API, though refused")
    if passed != entry.count:
        missed.append(f"{passed} answers before the refusal, not {entry.count}")
    if not talk.closed and not entry.values("keep"):
        missed.append("the connection stays open")
    if any(not answer.complete for answer in talk.answers):
        missed.append("the answer was cut")
    return missed


def passing_misses(entry, talk, seen, refusals):
    if refusals:
        return [f"refused with {refusals[0]}"]
    if len(talk.answers) != entry.count or not all(answer.complete for answer in talk.answers):
        return [f"{len(talk.answers)} answers, not {entry.count}"]
    return arrived_as_asked(entry, seen) + soundness_misses(entry, talk, seen)


def soundness_misses(entry, talk, seen):
    """Of what went on: nothing malformed, and where the framing was in doubt, nothing behind it."""
    missed = []
    if entry.values("closes") and not talk.closed:
        missed.append("the connection stays open")
    malformed = [line for request in seen for line in malformed_lines(request.head)]
    if malformed:
        missed.append(f"a malformed line was passed on: {malformed[0][:40]!r}")
    return missed


def judge_reply(entry, talk, seen, next_fault, ours):
    answers = talk.answers
    wanted = int(entry.value("status", b"200"))
    first = answers[0] if answers else None
    if first is None and talk.rest:
        outcome = Outcome(RAW, RAW)
    elif first is None:
        outcome = Outcome(ABORTED, "drops") if talk.closed else Outcome(WAITS, "waits")
    elif first.status >= 500 and first.status != wanted:
        outcome = Outcome(REFUSED, str(first.status))
    elif first.complete:
        outcome = Outcome(RELAYED, "relays")
    else:
        outcome = Outcome(ABORTED, "aborts") if talk.closed else Outcome(WAITS, "waits")
    outcome.broken = reply_faults(entry, talk, seen) + ([next_fault] if next_fault else [])
    outcome.missed = reply_misses(entry, outcome, first, wanted, ours)
    return outcome


def reply_faults(entry, talk, seen):
    """What may reach no client, whatever the API answered."""
    faults = []
    for answer in talk.answers:
        faults += head_faults(answer.head, "the client's")
        faults += double_framing(answer.fields, "towards the client")
        if answer.values(b"x-evil"):
            faults.append("a hidden field or trailer became a field")
        if answer.complete and answer.status < 400 and entry.verdict == "abort" and not entry.values("whole"):
            faults.append("a cut reply looks complete")
        if b"STRAY" in answer.body:
            faults.append("octets behind the reply reached the client")
    if len(talk.answers) > 1 or (talk.answers and talk.rest):
        faults.append("octets behind the reply reached the client")
    if len(seen) > 1 and entry.verdict != "502" and entry.value("then") == b"":
        faults.append("the request was sent twice")
    return sorted(set(faults))


def reply_misses(entry, outcome, first, wanted, ours):
    allowed = {"502": {REFUSED}, "abort": {ABORTED, REFUSED}, "relay": {RELAYED},
               "either": {RELAYED, REFUSED, ABORTED}}[entry.verdict]
    if outcome.kind not in allowed | ({RELAYED} if entry.values("whole") and not ours else set()):
        return [outcome.shown]
    if ours and entry.verdict == "502" and outcome.shown not in ("502", "504"):
        return [f"answered {outcome.shown}"]
    if outcome.kind != RELAYED:
        return []
    missed = field_checks(entry, first.fields)
    if entry.verdict == "relay" and first.status != wanted:
        missed.append(f"status became {first.status}")
    missed += [f"body became {first.body[:40]!r}" for body in entry.values("body") if first.body != body]
    return missed
