"""C++ source, read just closely enough for the rules: without comments and literals, cut into functions."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""//[^\n]*                                    # line comment
      | /\*.*?\*/                                   # block comment
      | R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"  # raw string
      | "(?:\\.|[^"\\\n])*"                         # string
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'         # character; 1'000 is a number
    """,
    re.VERBOSE | re.DOTALL,
)


def code_only(text):
    """The text with comments blanked and literals emptied; every line keeps its number."""

    def blank(match):
        piece = match.group()
        if piece.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", piece)
        lines = piece.count("\n")
        return piece[0] * 2 + "\n" * lines if piece[0] != "R" else '""' + "\n" * lines

    return _TOKEN.sub(blank, text)


def includes(text):
    """(line, name, quoted) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


class Function(NamedTuple):
    name: str
    first_line: int
    last_line: int


def _without_parentheses(text):
    previous = None
    while previous != text:
        previous, text = text, re.sub(r"\([^()]*\)", " ", text)
    return text


def _function_name(head):
    """The name if `head {` opens a function's body at namespace or class level, else None."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.MULTILINE)
    if "(" not in head:
        return None
    bare = _without_parentheses(head)
    if "=" in bare and "operator" not in bare:
        return None  # a table or a lambda's variable
    match = re.search(r"([\w:~]+|operator\s*\S+)\s*\(", head)
    if re.match(r"\s*TEST(_F|_P)?\s*\(", head):
        return re.sub(r"\s+", " ", head).strip()
    return match.group(1) if match else None


def functions(text):
    """Functions at namespace and class level, by their braces. A lambda belongs to the function around it."""
    code = code_only(text)
    found, scopes = [], []  # a scope is (name or None, line its head starts on)
    head, head_line, line = "", None, 1
    for char in code:
        if char == "\n":
            line += 1
        if any(scope[0] for scope in scopes) and char not in "{}":
            continue  # inside a function only braces matter
        if char == "{":
            inside = any(scope[0] for scope in scopes)
            scopes.append((None if inside else _function_name(head), head_line or line))
            head, head_line = "", None
        elif char == "}":
            if scopes:
                name, first = scopes.pop()
                if name:
                    found.append(Function(name, first, line))
            head, head_line = "", None
        elif char == ";" or (char == ":" and head.strip() in ("public", "protected", "private")):
            head, head_line = "", None
        else:
            if head_line is None and not char.isspace():
                head_line = line
            head += char
    return found
