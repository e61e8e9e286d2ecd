#!/usr/bin/env python3
"""How many answers does `apiquota explain` read rightly?

    APIQUOTA_BIN=build/apiquota tests/score_answers.py ANSWERS.jsonl [--exporters.dir exporters]

A line is an answer and its right reading: {"id", "exporter", "url", "status", "headers", "body", "now",
"expected": {"quotas", "throttle", "retry_after_seconds"}}. Of a quota what is expected must hold,
in any order.
The exporter is found by host; --named says its name instead.
"""
import argparse
import json
import os
import subprocess
import sys


def equal(want, have):
    numbers = (int, float)
    if isinstance(want, numbers) and isinstance(have, numbers):
        return abs(want - have) < 1e-6 * max(1, abs(want))
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
    if not equal(want.get("retry_after_seconds"), wait):
        yield f"retry_after_seconds {wait}, expected {want.get('retry_after_seconds')}"


def explain(answer, options):
    lines = [f"HTTP/1.1 {answer['status']} X"]
    for name, value in (answer.get("headers") or {}).items():
        lines += [f"{name}: {v}" for v in (value if isinstance(value, list) else [value])]
    text = "\r\n".join(lines) + "\r\n\r\n" + (answer.get("body") or "")
    command = [os.environ.get("APIQUOTA_BIN", "build/apiquota"), "explain",
               "--request-url", answer["url"], "--now", str(answer["now"]), "--format", "json"]
    if options.named:
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
    right = count = 0
    with open(options.answers, encoding="utf-8") as file:
        for line in filter(str.strip, file):
            answer = json.loads(line)
            count += 1
            have, wrong = explain(answer, options)
            found = [wrong] if wrong else list(differences(answer["expected"], have))
            right += not found
            print(f"{'wrong' if found else 'right'}  {answer['id']}")
            for text in found:
                print(f"       {text}")
    print(f"{right} of {count} right")
    return 0 if right == count else 1


if __name__ == "__main__":
    sys.exit(main())
