"""docs/cache-tests.md, written from what came of the suite."""

import re

INTRODUCTION = """\
# What http-tests/cache-tests finds

The cache of an api (`guard: {{cache: …}}`) is a private one: each credential has its own. This page is
written by `tests/cache_conformance/cache_conformance_test.py --write`, which runs
[http-tests/cache-tests](https://github.com/http-tests/cache-tests) (revision {revision}) through a built
agent.

**Required** tests hold a cache to RFC 9111; a build with one that fails is refused by the same test.
**Optimal** ones ask for what the RFC allows and a good cache does, **checks** only how a cache behaves.
{shared} tests for shared caches and CDNs are left out: `s-maxage`, `private` and `CDN-Cache-Control` are
nothing to a private cache.

| group | required | optimal | checks: yes |
|---|---|---|---|
"""

# Why, by the ids of tests.
REASONS = [
    (r"^partial-",
     "206 is neither kept nor made (RFC 9111 section 3.3 allows it): requests for ranges go to the API"),
    (r"^freshness-expires-wrong-case-",
     "dates are case-sensitive (RFC 9110 section 5.6.7); what is none is past"),
    (r"^stale-while-revalidate",
     "what is stale is asked about first, not given meanwhile (RFC 5861 section 3 leaves it to the cache)"),
    (r"^method-POST$",
     "the answer to a POST is not kept for a GET; POSTs that change nothing are kept by their body, where "
     "the configuration says so"),
    (r"^vary-normalise-lang-",
     "members of Accept-Language are compared as they stand, but for blanks and case"),
    (r"^conditional-lm-fresh-no-lm$",
     "without Last-Modified the Date of what is kept counts (RFC 9111 section 4.3.2), which is later than "
     "the time asked about"),
    (r"^other-cookie$",
     "Cookie is part of the credential: what was kept without one is nothing to a request with one"),
    (r"^headers-store-Transfer-Encoding$",
     "the test's API sends a Transfer-Encoding that is none; the agent refuses such an answer (502)"),
    (r"^headers-omit-headers-listed-in-Cache-Control",
     "no-cache with names of fields is taken for no-cache: all of the answer is asked about"),
    (r"^head-(200|410)-update$",
     "an answer to HEAD is passed on and changes nothing that is kept"),
    (r"^stale-warning-",
     "Warning is obsolete (RFC 9111 section 5.5)"),
    (r"^cc-resp-immutable-",
     "asks for a mode of fetch that only browsers have"),
    (r"^interim-",
     "needs the package undici beside the suite"),
]


def cell(rows, kind, good):
    of_kind = [row for row in rows if row["kind"] == kind]
    return f"{sum(row['alone'] == good for row in of_kind)} of {len(of_kind)}" if of_kind else ""


def counts(rows):
    cells = [cell(rows, "required", "pass"), cell(rows, "optimal", "pass"), cell(rows, "check", "yes")]
    return " | ".join(cells)


def reason(row):
    return next((why for pattern, why in REASONS if re.search(pattern, row["id"])), row["detail"])


def listed(rows):
    """One line for each reason, with the tests that it holds for."""
    by_reason = {}
    for row in rows:
        by_reason.setdefault(reason(row), []).append(f"`{row['id']}`")
    return "".join(f"| {', '.join(ids)} | {why} |\n" for why, ids in by_reason.items())


def render(rows, shared, revision, was_run):
    ran = [row for row in rows if was_run(row)]
    text = INTRODUCTION.format(revision=revision, shared=shared)
    for group in dict.fromkeys(row["group"] for row in ran):
        mine = [row for row in ran if row["group"] == group]
        text += f"| {mine[0]['title']} | {counts(mine)} |\n"
    text += f"| all | {counts(ran)} |\n"
    failed = [row for row in ran if row["kind"] == "required" and row["alone"] != "pass"]
    if failed:
        text += "\n## Required, and failed\n\n| tests | what they say |\n|---|---|\n" + listed(failed)
    missed = [row for row in ran if row["kind"] == "optimal" and row["alone"] != "pass"]
    text += "\n## Optimal, and missed\n\n| tests | why |\n|---|---|\n" + listed(missed)
    others = [row for row in rows if not was_run(row)]
    text += "\n## Not judged\n\nWhat they take for granted was not so.\n\n"
    text += "| tests | why |\n|---|---|\n"
    return text + listed(others)
