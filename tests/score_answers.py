#!/usr/bin/env python3
"""How many answers does `apiquota explain` read rightly?

    APIQUOTA_BIN=build/apiquota tests/score_answers.py ANSWERS.jsonl [--exporters.dir exporters]

A line is an answer and its right reading: {"id", "exporter", "url", "status", "headers", "body", "now",
"expected": {"quotas", "throttle", "retry_after_seconds"}}. Of a quota what is expected must hold,
in any order. The exporter is found by host; --named says its name instead.

Or it is a captured head, whose "expected" is the list of its quotas alone: {"id", "provider", "host",
"status", "now_unix_ms", "headers", "expected": [{"limit", "remaining", "used", "unit", "window_s",
"reset_unix_ms", "reset_delta_s", "policies": [[limit, window], …]}]}. Null means "not said" there; quotas are
told apart by their numbers, since captures name them in words of their own. Without a URL the host is asked,
without a host the file of the provider's name, without that the headers.
"""
import argparse
import json
import os
import subprocess
import sys


EXPORTERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "exporters")


def equal(want, have, slack=1e-6):
    numbers = (int, float)
    if isinstance(want, numbers) and isinstance(have, numbers):
        return abs(want - have) < max(slack, 1e-9 * abs(want))
    return want == have


NAMES = {"reset_epoch_s": "reset_at", "window_s": "window_seconds"}


def matches(want, have):
    return all(equal(value, have.get(NAMES.get(key, key))) for key, value in want.items())


def differences(want, have):
    left = list(have.get("quotas") or [])
    for quota in want.get("quotas") or []:
        found = next((q for q in left if matches(quota, q)), None)
        if found is None:
            yield f"quota {json.dumps(quota)} lacks"
        else:
            left.remove(found)
    for quota in left:
        yield f"quota {json.dumps(quota)} too many"
    wanted, throttle = want.get("throttle"), have.get("throttle")
    for key in ("scope", "signal"):
        if (wanted or {}).get(key) != (throttle or {}).get(key):
            yield f"throttle {json.dumps(throttle)}, expected {json.dumps(wanted)}"
            break
    wait = have.get("retry_after_seconds")
    if not equal(want.get("retry_after_seconds"), wait, slack=1e-3):
        yield f"retry_after_seconds {wait}, expected {want.get('retry_after_seconds')}"


# Captures without a time were taken at any: what is said relative to it can be judged still.
ANY_TIME_MS = 1_750_000_000_000
# Where captures and exporter files count the same thing in different words.
UNITS = {"concurrent-requests": "requests"}


def captured_number(name, want, quota):
    return want.get(name) is None or equal(want[name], quota.get(name))


def captured_reset(want, quota, now_ms):
    reset_ms = want.get("reset_unix_ms")
    if reset_ms is None and want.get("reset_delta_s") is not None:
        reset_ms = now_ms + want["reset_delta_s"] * 1000
    if reset_ms is None:
        return True
    said = quota.get("reset_at")
    either = [reset_ms, want.get("alt_reset_unix_ms")]
    return said is not None and any(t is not None and abs(said * 1000 - t) < 1.5 for t in either)


def captured_matches(want, quota, now_ms):
    unit = UNITS.get(want.get("unit"), want.get("unit"))
    return (all(captured_number(name, want, quota) for name in ("limit", "remaining", "used"))
            and unit in (None, UNITS.get(quota.get("unit"), quota.get("unit")))
            and (want.get("window_s") is None or equal(want["window_s"], quota.get("window_seconds")))
            and captured_reset(want, quota, now_ms))


def captured_differences(answer, have):
    left = list(have.get("quotas") or [])
    also = [policy for want in answer["expected"] for policy in want.get("policies") or []]
    for want in answer["expected"]:
        found = next((q for q in left if captured_matches(want, q, answer["now_unix_ms"])), None)
        if found is None:
            yield f"quota {json.dumps(want)} lacks"
        else:
            left.remove(found)
    for quota in left:
        if [quota.get("limit"), quota.get("window_seconds")] not in also:
            yield f"quota {json.dumps(quota)} too many"
    if (have.get("throttle") is not None) != (answer["status"] == 429):
        yield f"throttle {json.dumps(have.get('throttle'))} with status {answer['status']}"


def as_captured(answer, exporters):
    answer["now_unix_ms"] = answer.get("now_unix_ms") or ANY_TIME_MS
    answer["now"] = answer["now_unix_ms"] / 1000
    host = (answer.get("host") or "").replace("*", "any")
    answer["url"] = answer.get("url") or (f"https://{host}/" if host else None)
    if answer["url"] is None and answer["provider"] in exporters:
        answer["exporter"] = answer["provider"]


def explain(answer, options):
    lines = [f"HTTP/1.1 {answer['status']} X"]
    for name, value in (answer.get("headers") or {}).items():
        lines += [f"{name}: {v}" for v in (value if isinstance(value, list) else [value])]
    text = "\r\n".join(lines) + "\r\n\r\n" + (answer.get("body") or "")
    command = [os.environ.get("APIQUOTA_BIN", "build/apiquota"), "explain",
               "--now", str(answer["now"]), "--format", "json"]
    if answer["url"]:
        command += ["--request-url", answer["url"]]
    if answer.get("exporter") and (options.named or not answer["url"]):
        command += ["--exporter", answer["exporter"]]
    if options.exporters_dir:
        command += ["--exporters.dir", options.exporters_dir]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    try:
        return json.loads(done.stdout), None
    except ValueError:
        return {}, done.stderr.decode().strip() or "no JSON"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers")
    parser.add_argument("--exporters.dir", dest="exporters_dir")
    parser.add_argument("--named", action="store_true", help="say the exporter's name instead of finding it")
    options = parser.parse_args()
    exporters = {os.path.splitext(name)[0] for name in os.listdir(EXPORTERS)}
    right = count = 0
    with open(options.answers, encoding="utf-8") as file:
        for line in filter(str.strip, file):
            answer = json.loads(line)
            count += 1
            captured = isinstance(answer["expected"], list)
            if captured:
                as_captured(answer, exporters)
            have, wrong = explain(answer, options)
            judged = captured_differences(answer, have) if captured else differences(answer["expected"], have)
            found = [wrong] if wrong else list(judged)
            right += not found
            print(f"{'wrong' if found else 'right'}  {answer['id']}")
            for text in found:
                print(f"       {text}")
    print(f"{right} of {count} right")
    return 0 if right == count else 1


if __name__ == "__main__":
    sys.exit(main())
