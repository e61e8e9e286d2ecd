"""Malformed, smuggling and legal requests, hostile and odd replies: who refuses what, and what reaches the
other side."""

import itertools
import random
from dataclasses import replace

from corpus_table import excerpt, read
from judge import judge_reply, judge_request
from recording_upstream import echo
from stand import RIVALS, Stand, version_of
from trust_table import NOT_MEASURED, Row, markdown_table
from wire import converse

AGAIN = "scripts/trust corpus"
NEXT = itertools.count()
GOOD = b"GET /t/first HTTP/1.1\r\nHost: a\r\n\r\n"
ASK = b"%s /t/hostile HTTP/1.1\r\nHost: a\r\n\r\n"


def next_client_fault(proxy):
    """Another client's request behind an entry: it gets its own answer, or what is wrong. When this
    returns, the entry's bytes have left the proxy, but the upstream may still have to read them."""
    target = b"/t/next-%d" % next(NEXT)
    talk = converse(proxy.port, b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % target,
                    enough=lambda talk: False, patience=10)
    if not proxy.alive():
        return "the process ended"
    if not talk.answers or talk.answers[0].status != 200:
        return f"the next client got {talk.statuses or 'nothing'}"
    if talk.answers[0].body != b"answer to " + target or len(talk.answers) > 1:
        return "the next client got another's answer"
    return ""


def of_the_entry(upstream):
    return [request for request in upstream.seen() if not request.target.startswith(b"/t/next-")]


def send_request(proxy, upstream, entry, linger=0.1, cuts=()):
    upstream.clear()
    ours = proxy.name == "apiquota"
    wanted = max(entry.count, 1)

    def enough(talk):
        if entry.verdict == "refuse" and entry.count < len(talk.answers) and not talk.closed:
            return talk.statuses[-1] < 400 or bool(entry.values("keep"))
        return entry.verdict != "refuse" and len(talk.answers) >= wanted and talk.answers[-1].complete

    patience = 10 if ours and entry.verdict != "either" else 1.5
    method = b"HEAD" if entry.bytes.startswith(b"HEAD ") else b"GET"
    talk = converse(proxy.port, entry.bytes, enough=enough, patience=patience, linger=linger,
                    methods=(method,), cuts=cuts)
    fault = next_client_fault(proxy)
    upstream.settle()
    return judge_request(entry, talk, of_the_entry(upstream), fault, ours)


def send_in_pieces(proxy, upstream, entry, linger=0.1):
    """The same octets as up to five segments, cut where a seed of the entry's own says."""
    places = random.Random(entry.id)
    size = len(entry.bytes)
    cuts = sorted({places.randrange(1, size) for _ in range(4)}) if size > 1 else ()
    return send_request(proxy, upstream, entry, linger, tuple(cuts))


def send_behind_another(proxy, upstream, entry, linger=0.1):
    """The same octets behind a good request on its connection, in one write."""
    checks = (("count", b"%d" % (entry.count + 1)), *(check for check in entry.checks if check[0] == "keep"))
    return send_request(proxy, upstream, replace(entry, bytes=GOOD + entry.bytes, checks=checks), linger)


def send_reply(proxy, upstream, entry, linger=0.1):
    upstream.clear()
    usual = b"close" if entry.verdict in ("502", "either") else b"keep"
    reply = (entry.bytes, entry.value("then", usual).decode())
    upstream.reply = lambda request: reply if request.target == b"/t/hostile" else echo(request)
    method = entry.value("method", b"GET")

    def enough(talk):
        return bool(talk.answers) and talk.answers[-1].complete

    patience = 10 if proxy.name == "apiquota" else 2
    talk = converse(proxy.port, ASK % method, enough=enough, patience=patience, linger=linger,
                    methods=(method,))
    seen = of_the_entry(upstream)
    fault = next_client_fault(proxy) or next_client_fault(proxy)
    return judge_reply(entry, talk, seen, fault, proxy.name == "apiquota")


def outcomes(context, entries, what, send):
    """{subject's name: {entry's id: Outcome}}."""
    with Stand(context) as stand:
        upstream = stand.upstream()
        found = {}
        for proxy in stand.proxies(upstream):
            context.say(f"corpus: {len(entries)} {what} through {proxy.name}")
            found[proxy.name] = {}
            for entry in entries:
                found[proxy.name][entry.id] = send(proxy, upstream, entry, 0.02 if context.quick else 0.1)
                if not proxy.alive():
                    break
    return found


def share(entries, results, good):
    """"12 of 13"; NOT_MEASURED without results."""
    if results is None:
        return NOT_MEASURED
    return f"{sum(e.id in results and good(results[e.id]) for e in entries)} of {len(entries)}"


def row(bar, title, entries, found, good):
    """One row of the table; reached when our figure is all of them."""
    ours, nginx, haproxy = (share(entries, found.get(name), good) for name in ("apiquota", *RIVALS))
    all_of_them = f"{len(entries)} of {len(entries)}"
    passed = None if ours == NOT_MEASURED else ours == all_of_them
    return Row(bar, title, ours, f"all of {len(entries)}", nginx, haproxy, AGAIN, passed)


def sound(outcome):
    return outcome.sound


def request_rows(entries, found):
    refuse = [e for e in entries if e.verdict == "refuse"]
    must = [e for e in refuse if e.strength == "MUST"]
    legal = [e for e in entries if e.verdict == "pass"]

    return [
        row("1", "malformed and smuggling requests refused, connection closed", refuse, found, sound),
        row("1b", "legal requests that pass, with the octets the RFC says", legal, found, sound),
        row("2", "of the refusals, those where RFC 9110 and 9112 say MUST", must, found, sound),
        row("3", "one request in, one out: nothing doubly framed, nothing hidden, the next client served",
            entries, found, lambda outcome: not outcome.broken),
    ]


def reply_rows(entries, found):
    return [
        row("4", "hostile and odd replies: relayed, 502 or aborted as they must be", entries, found, sound),
        row("4b", "nothing hidden or left over reaches a client, nothing cut looks whole", entries, found,
            lambda outcome: not outcome.broken),
    ]


def cell(entry, outcome):
    """What the matrix shows; bold where the entry asks for something else."""
    if outcome is None:
        return NOT_MEASURED
    if outcome.sound:
        return outcome.shown
    wrong = (outcome.broken + outcome.missed)[0]
    known = {"passed", outcome.shown}
    return f"**{outcome.shown}**" if wrong in known else f"**{outcome.shown}: {wrong}**"


def wants(entry):
    if entry.verdict == "refuse":
        return f"{entry.strength} refuse"
    return entry.verdict


def matrix(entries, found):
    names = [name for name in ("apiquota", *RIVALS) if name in found]
    header = ["id", "RFC", "what", "expected", *(f"{name} {version_of(name)}" for name in names)]
    lines = [[f"`{e.id}`", e.rfc, e.sentence, wants(e), *(cell(e, found[name].get(e.id)) for name in names)]
             for e in entries]
    return markdown_table(header, lines)


def say_faults(context, entries, found):
    """Each entry that apiquota gets wrong, on stderr."""
    for entry in entries:
        outcome = found.get("apiquota", {}).get(entry.id)
        if outcome is not None and not outcome.sound:
            context.say(f"  {entry.id}: wants {wants(entry)}, {outcome.shown}; "
                        f"{'; '.join(outcome.broken + outcome.missed)}; bytes {excerpt(entry.bytes)}")


def run(context):
    requests, replies = read("requests"), read("replies")
    refused = [entry for entry in requests if entry.verdict == "refuse"]
    runs = [(requests, outcomes(context, requests, "requests", send_request)),
            (requests, outcomes(context, requests, "requests in pieces", send_in_pieces)),
            (refused, outcomes(context, refused, "bad requests behind a good one", send_behind_another)),
            (replies, outcomes(context, replies, "replies", send_reply))]
    for entries, found in runs:
        say_faults(context, entries, found)
    of_requests, in_pieces, behind, of_replies = (found for _, found in runs)
    context.details["corpus"] = (f"### Requests\n\n{matrix(requests, of_requests)}\n"
                                 f"### Replies\n\n{matrix(replies, of_replies)}")
    return request_rows(requests, of_requests) + [
        row("1c", "all of these as segments cut anywhere", requests, in_pieces, sound),
        row("1d", "bad requests behind a good one on its connection", refused, behind, sound),
    ] + reply_rows(replies, of_replies)
