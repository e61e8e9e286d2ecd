#!/usr/bin/env python3
"""http-tests/cache-tests through the agent: no test that it requires of a private cache may fail.

APIQUOTA_CACHE_TESTS=FOLDER cache_conformance_test.py [--write]

FOLDER is a clone of https://github.com/http-tests/cache-tests; with `npm install undici` in it no test is
left out. --write puts what came of it into docs/cache-tests.md.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import SOURCE_DIR, Program, Workspace, free_port, require_program, skip  # noqa: E402
from serving import Agent  # noqa: E402
from report import render  # noqa: E402

DOCUMENT = SOURCE_DIR / "docs" / "cache-tests.md"
SECONDS = 280

# The cache, and as little else as can be. Stale answers while the API fails are for tests that ask for them.
CONFIG = """
guard: {{mode: on, pace: {{mode: off}}, queue: {{mode: off}}, retry: {{mode: off}}, cooldown: {{mode: off}}}}
apis:
  - name: suite
    exporter: generic
    base_url: http://127.0.0.1:{port}
    route: /
    guard: {{cache: {{size: 64MiB}}}}
  - name: stale
    exporter: generic
    base_url: http://127.0.0.1:{port}
    route: /stale
    guard: {{cache: {{size: 64MiB, stale_if_error: 60s}}}}
"""


def run_suite(folder, node):
    with Workspace() as work:
        port = free_port()
        origin = Program(work, "origin", [node, HERE / "run_suite.mjs", folder, "--server"],
                         {"npm_config_protocol": "http", "npm_config_port": str(port),
                          "npm_config_pidfile": str(work.directory / "pid")})
        origin.wait_for(lambda: "Listening on" in origin.out.read_text(), 10, "the suite's server listens")
        config = work.directory / "apiquota.yaml"
        config.write_text(CONFIG.format(port=port))
        agent = Agent(work, f"--config.file={config}")
        command = [node, "--no-warnings", HERE / "run_suite.mjs", folder, agent.proxy, agent.proxy + "/stale"]
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=SECONDS, check=True)
        return json.loads(done.stdout)


def is_shared(row):
    """Of caches that many share. Ours is private: what is kept for one credential is nobody else's."""
    return row["cdn"] or bool(re.search(r"\bshared\b", row["name"], re.IGNORECASE))


def was_run(row):
    return row["alone"] not in ("untested", "setup_fail") and "'undici'" not in row["detail"]


def revision(folder):
    command = ["git", "-C", folder, "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def main(arguments):
    folder = os.environ.get("APIQUOTA_CACHE_TESTS", "")
    if not folder:
        skip("APIQUOTA_CACHE_TESTS names no clone of https://github.com/http-tests/cache-tests")
    if not (Path(folder) / "tests" / "index.mjs").is_file():
        skip(f"APIQUOTA_CACHE_TESTS={folder} is no clone of https://github.com/http-tests/cache-tests")
    rows = run_suite(str(Path(folder).resolve()), require_program("node", "nodejs"))
    private = [row for row in rows if not is_shared(row)]
    failed = [row for row in private if row["kind"] == "required" and row["alone"] == "fail" and was_run(row)]
    passed = [row for row in private if row["kind"] == "required" and row["alone"] == "pass"]
    for row in failed:
        print(f"FAILED {row['id']}: {row['name']}: {row['detail']}")
    print(f"cache-tests: of those required of a private cache {len(passed)} pass, {len(failed)} fail")
    if "--write" in arguments:
        DOCUMENT.write_text(render(private, len(rows) - len(private), revision(folder), was_run))
    return 1 if failed or len(passed) < 100 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
