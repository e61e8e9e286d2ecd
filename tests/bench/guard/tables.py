"""From tables to Markdown: what a person reads, and the section "Measured" of docs/guard.md."""

import re

HEADING = "## Measured"


def cell(value):
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def line(cells):
    return "| " + " | ".join(map(cell, cells)) + " |"


def as_markdown(tables, facts):
    versions = facts["versions"]
    text = [
        HEADING,
        "",
        "With `scripts/bench guard` on {cpu}, {cores} cores, Linux {kernel}, {time}, apiquota "
        "{version}.".format(**facts, version=versions.get("apiquota")),
    ]
    for table in tables:
        text += ["", f"### {table.title}", "", line(table.columns), "|" + "---|" * len(table.columns)]
        text += [line(row) for row in table.rows]
        if table.note:
            text += ["", table.note]
    missed = [bar for table in tables for bar in table.bars if not bar.met]
    held = sum(len(table.bars) for table in tables) - len(missed)
    text += ["", f"{held} bars are reached, {len(missed)} missed" + (":" if missed else ".")]
    if missed:
        text += [""] + [
            f"- {bar.what}: {cell(bar.measured)}, where {'at most' if bar.at_most else 'at least'} "
            f"{cell(bar.bar)} is asked for"
            for bar in missed
        ]
    return "\n".join(text) + "\n"


def write_section(path, text):
    """In place of the section of that heading, which ends at the next one of its rank; at the end if new."""
    whole = path.read_text()
    found = re.search(rf"^{HEADING}\n.*?(?=^## |\Z)", whole, re.MULTILINE | re.DOTALL)
    if found:
        whole = (
            whole[: found.start()] + text + ("\n" if found.end() < len(whole) else "") + whole[found.end() :]
        )
    else:
        whole = whole.rstrip("\n") + "\n\n" + text
    path.write_text(whole)
