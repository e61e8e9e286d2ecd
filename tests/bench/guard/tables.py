"""From tables to Markdown: what a person reads, and the sections "Measured" of docs/guard.md."""

import re

HEADING = "## Measured"


def cell(value):
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def line(cells):
    return "| " + " | ".join(map(cell, cells)) + " |"


def stamp(facts):
    version = facts["versions"].get("apiquota")
    return "on {cpu}, {cores} cores, Linux {kernel}, {time}, apiquota {version}".format(
        **facts, version=version
    )


def lines_of(table):
    text = ["", f"### {table.title}", "", line(table.columns), "|" + "---|" * len(table.columns)]
    text += [line(row) for row in table.rows]
    return text + (["", table.note] if table.note else [])


def verdict(bars):
    missed = [bar for bar in bars if not bar.met]
    text = [
        "",
        f"{len(bars) - len(missed)} bars are reached, {len(missed)} missed" + (":" if missed else "."),
    ]
    if missed:
        text += [""] + [
            f"- {bar.what}: {cell(bar.measured)}, where {'at most' if bar.at_most else 'at least'} "
            f"{cell(bar.bar)} is asked for"
            for bar in missed
        ]
    return text


def as_markdown(tables, facts):
    text = [HEADING, "", f"With `scripts/bench guard` {stamp(facts)}."]
    for table in tables:
        text += lines_of(table)
    text += verdict([bar for table in tables for bar in table.bars])
    return "\n".join(text) + "\n"


def with_verdict(table, facts):
    """A table that stands for itself: when it was measured, and what of it is missed."""
    text = [*lines_of(table), "", f"Measured {stamp(facts)}."]
    return "\n".join((text + verdict(table.bars) if table.bars else text)[1:]) + "\n"


def merge_tables(path, heading, tables, facts):
    """Into the section of that heading, each in place of the table of its title; the others stay."""
    whole = path.read_text()
    found = re.search(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", whole, re.MULTILINE | re.DOTALL)
    intro, *parts = re.split(r"^(?=### )", found[0] if found else heading + "\n\n", flags=re.MULTILINE)
    kept = {part.split("\n")[0]: part.rstrip("\n") + "\n" for part in parts}
    kept.update({f"### {table.title}": with_verdict(table, facts) for table in tables})
    text = "\n".join([intro.rstrip("\n") + "\n", *kept.values()])
    if found:
        rest = whole[found.end() :]
        whole = whole[: found.start()] + text + ("\n" if rest else "") + rest
    else:
        whole = whole.rstrip("\n") + "\n\n" + text
    path.write_text(whole)


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
