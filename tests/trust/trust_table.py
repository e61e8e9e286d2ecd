"""The one table that scripts/trust ends with: what was promised (the bar), our figure, what nginx and
HAProxy do in the same place on the same machine, and the command that measures it again. Values and text
only, no I/O."""

from dataclasses import dataclass

NOT_MEASURED = "–"
COLUMNS = ("bar", "what", "the bar", "apiquota", "nginx", "haproxy", "", "again with")


@dataclass(frozen=True)
class Row:
    """One line of the table. Figures are text, with their unit; NOT_MEASURED where there is none."""

    bar: str  # the bar's number in docs/trust.md, such as "1" or "14b"
    title: str  # what was measured, one phrase
    ours: str
    bar_text: str  # the figure to reach, such as "<= 50 ms"
    nginx: str = NOT_MEASURED
    haproxy: str = NOT_MEASURED
    reproduce: str = ""  # a command line, from the tree's root
    passed: bool | None = False  # None: could not be measured here, and `ours` says why

    def verdict(self):
        return {True: "ok", False: "MISSED", None: "skipped"}[self.passed]

    def cells(self):
        return (self.bar, self.title, self.bar_text, self.ours, self.nginx, self.haproxy, self.verdict(),
                self.reproduce)


def order(row):
    """1, 2, 10, 10b: by number, then by letter."""
    digits = "".join(c for c in row.bar if c.isdigit())
    return int(digits or 0), row.bar


def as_text(rows):
    """Columns aligned for a terminal."""
    table = [COLUMNS, *(row.cells() for row in sorted(rows, key=order))]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
    lines.insert(1, "  ".join("-" * width for width in widths))
    missed = sum(row.passed is False for row in rows)
    skipped = sum(row.passed is None for row in rows)
    reached = len(rows) - missed - skipped
    lines.append(f"{len(rows)} bars: {reached} reached, {missed} missed, {skipped} skipped")
    return "\n".join(lines) + "\n"


def escape_cell(cell):
    return cell.replace("|", "\\|").replace("\n", " ")


def markdown_table(header, lines):
    """A Markdown table of any header and lines of text cells."""
    out = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    out += ["| " + " | ".join(escape_cell(cell) for cell in line) + " |" for line in lines]
    return "\n".join(out) + "\n"


def as_markdown(rows):
    lines = []
    for row in sorted(rows, key=order):
        cells = list(row.cells())
        cells[-1] = f"`{row.reproduce}`" if row.reproduce else ""
        lines.append(cells)
    return markdown_table(COLUMNS, lines)
