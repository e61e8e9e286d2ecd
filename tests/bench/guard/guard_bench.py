#!/usr/bin/env python3
"""The guard beside what it replaces, against APIs that enforce: `apiquota simulate` and a real Flask-Limiter
application. Every part is a module here with `run(context)` that returns tables; a bar that is missed ends
the program with exit code 1. The load stays on the loopback and is bounded in time."""

import argparse
import ast
import dataclasses
import importlib
import json
import shutil
import sys
import traceback
from pathlib import Path

from stand import HERE, ROOT, Bar, Context, Table  # first: it finds the other folders' helpers

from report import machine
from tables import as_markdown, merge_tables, write_section

FIRST = ["kinds", "locust_drives", "rivals", "storms", "leavers", "sdks", "cost"]
# Whose tables stand one by one in a section of their own, each with its date.
OWN = ["own_limits", "limiter_rates", "slots_kept", "memory", "instructions"]
OWN_HEADING = "## Measured: limits of your own, slots, breaker, cache"
ORDER = FIRST + OWN


def parts():
    """{name: its sentence} of the modules beside this file that can be run."""
    found = {}
    for path in HERE.glob("*.py"):
        tree = ast.parse(path.read_text())
        runs = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
        if runs and [argument.arg for argument in runs[0].args.args] == ["context"]:
            found[path.stem] = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    return dict(sorted(found.items(), key=lambda item: ORDER.index(item[0])))


def arguments(known):
    listed = "\n".join(f"  {name:14} {sentence}" for name, sentence in known.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench guard",
        description=__doc__,
        epilog=f"parts:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="part", help="what to run; all parts when none is named")
    parser.add_argument("--quick", action="store_true", help="windows of 20 s: the whole in some minutes")
    parser.add_argument("--seconds", type=float, help="of a window (default 60)")
    parser.add_argument("--windows", type=int, default=3, help="of a run (default %(default)s)")
    parser.add_argument(
        "--only", default="", help="rows whose names hold one of these words, parted by commas"
    )
    parser.add_argument(
        "--venv", type=Path, help="Python with the rivals' packages (default: made from PyPI)"
    )
    parser.add_argument("--npm", type=Path, help="a folder with their node_modules (default: made from npm)")
    parser.add_argument("--json", type=Path, help="also write the machine and every figure to this file")
    parser.add_argument("--write-docs", action="store_true", help="write the tables into docs/guard.md")
    parser.add_argument("--agent", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--micro-bench", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.parts:
        if name not in known:
            parser.error(f"no part {name!r}; there are {', '.join(known)}")
    if not 5 <= (options.seconds or 60) <= 600 or not 1 <= options.windows <= 20:
        parser.error("a window is 5 to 600 seconds, a run 1 to 20 windows")
    return options


def run_part(name, context):
    """Its tables; a part that fails is a bar that is missed, and the others are still run."""
    context.say(f"--- {name}")
    try:
        return importlib.import_module(name).run(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        traceback.print_exc()
        first_line = str(error).split("\n")[0][:200]
        failed = Bar(f"{name} could not be run: {first_line}", 1, 0)
        return [Table(name, ["what", "why"], [["could not be run", first_line]], bars=[failed])]


def write_docs(found, facts):
    page = ROOT / "docs" / "guard.md"
    first = [table for name in found if name in FIRST for table in found[name]]
    if first:
        write_section(page, as_markdown(first, facts))
    # A part that could not be run says so under its own name; what was measured before stays.
    own = [table for name in found if name in OWN for table in found[name] if table.title != name]
    if own:
        merge_tables(page, OWN_HEADING, own, facts)


def main():
    known = parts()
    options = arguments(known)
    seconds = options.seconds or (20 if options.quick else 60)
    context = Context(
        seconds=seconds,
        windows=options.windows,
        venv=options.venv,
        npm=options.npm,
        micro_bench=options.micro_bench,
        only=tuple(word for word in options.only.split(",") if word),
    )
    facts = machine(options.agent)
    try:
        found = {name: run_part(name, context) for name in options.parts or known}
    finally:
        for folder in context.temporary:
            shutil.rmtree(folder, ignore_errors=True)
    tables = [table for of_part in found.values() for table in of_part]
    print(as_markdown(tables, facts))
    if options.write_docs:
        write_docs(found, facts)
    if options.json:
        whole = {"machine": facts, "tables": [dataclasses.asdict(table) for table in tables]}
        options.json.write_text(json.dumps(whole, indent=1) + "\n")
    return 0 if all(bar.met for table in tables for bar in table.bars) else 1


if __name__ == "__main__":
    sys.exit(main())
