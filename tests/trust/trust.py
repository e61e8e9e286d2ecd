"""Attacks apiquota, and nginx and HAProxy beside it, and ends with one table: our figure, the bar, theirs,
and how to measure it again. Each part is a module here with `def run(context)` that returns rows; the
first line of its docstring is what --help says of it."""

import argparse
import ast
import importlib
import re
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from stand import Context, version_of  # noqa: E402  (first: it finds the integration tests' helpers)

import docs_page  # noqa: E402
from trust_table import Row, as_markdown, as_text  # noqa: E402


def parts():
    """{name: its sentence} of the modules beside this file that can be run, in the order of their names,
    the corpus first."""
    found = {}
    for path in HERE.glob("*.py"):
        tree = ast.parse(path.read_text())
        runs = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
        if runs and [argument.arg for argument in runs[0].args.args] == ["context"]:
            found[path.stem] = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    return dict(sorted(found.items(), key=lambda item: (item[0] != "corpus", item[0])))


def arguments(known):
    listed = "\n".join(f"  {name:14} {sentence}" for name, sentence in known.items())
    parser = argparse.ArgumentParser(prog="scripts/trust", description=__doc__, epilog=f"parts:\n{listed}",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help="what to run; all parts when none is named")
    parser.add_argument("--quick", action="store_true", help="the short form: seconds a part, not minutes")
    parser.add_argument("--minutes", type=float, default=30, help="how long the soak takes (%(default)s)")
    parser.add_argument("--only", metavar="NAMES", default="apiquota,nginx,haproxy",
                        help="whom to attack, parted by commas (default: %(default)s, as far as installed)")
    parser.add_argument("--write-docs", action="store_true", help="write the results into docs/trust.md")
    options = parser.parse_args()
    for name in options.parts:
        if name not in known:
            parser.error(f"no part {name!r}; there are {', '.join(known)}")
    return options


def run_part(name, context):
    """The part's rows; a part that fails is a row that says so, and the others are still run."""
    context.say(f"--- {name}")
    try:
        return importlib.import_module(name).run(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        traceback.print_exc()
        first_line = re.split(r"\n", str(error))[0][:80]
        return [Row("", f"{name} could not be run", first_line, "runs", reproduce=f"scripts/trust {name}")]


def main():
    known = parts()
    options = arguments(known)
    context = Context(quick=options.quick, subjects=tuple(options.only.split(",")), minutes=options.minutes)
    for name in context.subjects:
        if not context.has(name):
            context.say(f"SKIPPED: {name} is not installed")
    rows = [row for name in options.parts or known for row in run_part(name, context)]
    versions = [f"{name} {version_of(name)}" for name in context.subjects if context.has(name)]
    print(as_text(rows) + ", ".join(versions))
    if options.write_docs:
        docs_page.write(as_markdown(rows), rows, context.details, versions)
    return 1 if any(row.passed is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
