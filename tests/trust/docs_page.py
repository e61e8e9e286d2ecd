"""Writes measured results into docs/trust.md, between its markers; prose and the results of parts that
were not run stay as they are."""

import re

from harness import SOURCE_DIR

PAGE = SOURCE_DIR / "docs" / "trust.md"


def between(name):
    return re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)


def replaced(text, name, content):
    """The page with the content of one pair of markers exchanged; ValueError where they are missing."""
    pattern = between(name)
    if not pattern.search(text):
        raise ValueError(f"{PAGE.name} has no markers <!-- {name} --> and <!-- end of {name} -->")
    return pattern.sub(lambda match: f"{match[1]}\n{content.strip()}\n\n{match[2]}", text)


def merged(old, new):
    """Lines of the old table whose bar was not measured now, and the new ones, by bar."""
    def bar(line):
        return line.split("|")[1].strip()

    def order(line):
        return int(re.match(r"\d*", bar(line))[0] or 0), bar(line)

    header, rule, *lines = new.strip().split("\n")
    measured = {bar(line) for line in lines}
    measured_before = [line for line in old if line.startswith("|") and re.match(r"\d", bar(line))]
    kept = [line for line in measured_before if bar(line) not in measured]
    return "\n".join([header, rule, *sorted(kept + lines, key=order)])


def write(table, rows, details, versions):
    text = PAGE.read_text()
    if rows:
        old = between("table").search(text)[0].split("\n")
        text = replaced(text, "table", merged(old, table) + "\n\nMeasured with " + ", ".join(versions) + ".")
    for name, content in details.items():
        if not between(name).search(text):  # the part is new: a place for it, to be moved by hand
            text += f"\n## {name}\n\n<!-- {name} -->\n<!-- end of {name} -->\n"
        text = replaced(text, name, content)
    PAGE.write_text(text)
