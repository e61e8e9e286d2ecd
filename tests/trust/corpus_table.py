"""The corpus as values: requests/*.table and replies/*.table, whose format requests/README.md explains."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from raw_http import unescape  # noqa: E402

BEGINNINGS = {
    "get": r"GET /t/x HTTP/1.1\r\nHost: a\r\n",
    "post": r"POST /t/x HTTP/1.1\r\nHost: a\r\n",
    "chunked": r"POST /t/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "evil": r"GET /t/evil HTTP/1.1\r\nHost: a\r\n\r\n",
}
CHECKS = {"count", "keep", "closes", "target", "body", "has", "not", "status", "method", "then", "whole"}


@dataclass(frozen=True)
class Entry:
    id: str
    verdict: str  # refuse, pass, either; relay, 502, abort, either
    statuses: tuple  # of a refusal
    strength: str  # MUST, SHOULD, MAY; "" where nothing is refused
    section: str
    sentence: str
    checks: tuple  # (kind, value as bytes)
    bytes: bytes = field(repr=False)

    @property
    def rfc(self):
        return self.section if " " in self.section else f"9112 {self.section}"

    def values(self, kind):
        return [value for name, value in self.checks if name == kind]

    def value(self, kind, default=b""):
        return (self.values(kind) or [default])[0]

    @property
    def count(self):
        """How many whole requests of it the upstream may see."""
        return int(self.value("count", b"0" if self.verdict == "refuse" else b"1"))


def expand(text):
    return unescape(re.sub(r"\{(get|post|chunked|evil)\}", lambda m: BEGINNINGS[m[1]], text))


def parse_line(line):
    name, verdict, section, sentence, checks, payload = line.split(" | ", 5)
    words = verdict.split(" ")
    refuse = words[0] == "refuse"
    pairs = []
    for check in checks.split("; ") if checks != "-" else []:
        kind, _, value = check.partition(" ")
        if kind not in CHECKS:
            raise ValueError(f"{name}: no such check: {check!r}")
        pairs.append((kind, expand(value)))
    return Entry(name, words[0], tuple(map(int, words[1].split("/"))) if refuse else (),
                 words[2] if refuse else "", section, sentence, tuple(pairs), expand(payload))


def read(folder):
    """Every entry of one folder ("requests", "replies"), in the order of its files; ids are unique."""
    entries = []
    for path in sorted((HERE / folder).glob("*.table")):
        for line in path.read_text("latin-1").split("\n"):
            if line and not line.startswith("#"):
                entries.append(parse_line(line))
    ids = [entry.id for entry in entries]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise ValueError(f"{folder}: ids used twice: {sorted(twice)}")
    return entries


def excerpt(data, size=60):
    """Bytes for a person, on one line."""
    text = data.decode("latin-1").encode("unicode_escape").decode()
    return text if len(text) <= size else text[: size - 1] + "…"
