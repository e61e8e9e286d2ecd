"""Rules about the C++ of agent/ and tests/: arrows between rooms, whose library is whose, sizes, bans."""

import ast
import re
from pathlib import Path

from cpp_text import code_only, functions, includes
from tree import Finding

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
COLUMNS_MAX = 110

# Whose headers a room may include: Beast's parser is http's; sockets and the loop's system calls are net's.
LIBRARY_ROOMS = [
    (re.compile(r"^boost/beast/http/(basic_parser|error|verb|field|status)\b"), {"http"}),
    (re.compile(r"^boost/(asio|beast)\b"), {"net"}),
    (re.compile(r"^sys/(epoll|eventfd|socket|timerfd)\.h$"), {"net"}),
    (re.compile(r"^openssl/"), {"net"}),
    (re.compile(r"^curl/"), {"net"}),
    (re.compile(r"^(civetweb\.h|CivetServer\.h)$"), {"net"}),
]
PURE_ROOMS = {"http", "provider", "quota"}
IMPURE_HEADERS = {"condition_variable", "filesystem", "fstream", "future", "iostream", "thread"}

# (what, instead, where it is allowed: path prefixes). Names in tests/ are held to the rules that say so.
BANNED = [
    (
        r"\b(system|steady|high_resolution)_clock\s*::\s*now\b",
        "a Clock& or a `now` parameter (base/clock.h)",
        ["agent/base/clock.cc", "tests/"],
    ),
    (
        r"(?<![\w.:>])(?:std\s*::\s*|::\s*)?time\s*\(\s*(NULL|nullptr|0|&)",
        "a Clock& or a `now` parameter (base/clock.h)",
        ["agent/base/clock.cc"],
    ),
    (
        r"\b(gettimeofday|clock_gettime)\s*\(",
        "a Clock& or a `now` parameter (base/clock.h)",
        ["agent/base/clock.cc", "tests/"],
    ),
    (r"\bstd\s*::\s*(basic_)?[sc]?regex\b", "a small hand-written reader (base/text.h)", []),
    (
        r"(?<![\w.])(?:std\s*::\s*)?(printf|fprintf|vfprintf|puts|fputs|putchar)\s*\(",
        "Log() (base/log.h), or the stream a command was given",
        ["agent/base/log.cc", "agent/cli/", "agent/app/", "agent/simulate/", "agent/main.cc", "tests/"],
    ),
    (
        r"\bstd\s*::\s*(cout|cerr|clog)\b",
        "Log() (base/log.h), or the stream a command was given",
        ["agent/cli/", "agent/app/", "agent/simulate/", "agent/main.cc", "tests/"],
    ),
    (r"(?<![\w.])(?:std\s*::\s*)?v?sn?printf\s*\(", "fmt::format", []),
    (
        r"(?<![\w.>])(?:std\s*::\s*)?(strcpy|strncpy|strcat|strncat|strtok|gets|alloca)\s*\(",
        "std::string and std::string_view",
        [],
    ),
    (
        r"(?<![\w.>])(?:std\s*::\s*)?(ato[ilf]|atoll|strto[ld]|strtoul|strtoull|sscanf)\s*\(",
        "the checked readers of base/text.h",
        [],
    ),
    (r"(?<![\w.>])(?:std\s*::\s*)?s?rand\s*\(|\brandom_shuffle\b", "a seeded std::mt19937_64", []),
    (
        r"\bsleep_(for|until)\b|(?<![\w.>])(u|nano)?sleep\s*\(",
        "a timer of the loop, or a wait on a condition",
        ["tests/"],
    ),
    # a thread stuck in getaddrinfo can be neither stopped nor waited for
    (r"\.\s*detach\s*\(\s*\)", "a thread somebody joins", ["agent/net/resolver.cc"]),
    (
        r"(?<![\w.>])close\s*\(",
        "a Descriptor (base/descriptor.h)",
        ["agent/base/descriptor.h", "tests/"],
    ),
    (r"\busing\s+namespace\b", "the names, one by one", []),
]
REAL_CLOCK = (r"\bRealClock\s*\(", "a `now` parameter: this room holds no clock")


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "agent" and len(parts) > 2 else None


def arrows(tree):
    """{room: rooms it may include}, from the one list there is: agent/CMakeLists.txt."""
    rooms = {}
    for call in re.findall(r"apiquota_room\(([^)]*)\)", tree.text("agent/CMakeLists.txt")):
        words = call.split()
        deps = words[words.index("DEPS") + 1 :] if "DEPS" in words else []
        rooms[words[0]] = set(deps[: deps.index("LIBS")] if "LIBS" in deps else deps)
    return rooms


def check_arrows(tree):
    rooms = arrows(tree)
    for path, text in tree.cpp("agent/"):
        room = room_of(path)
        if room is not None and room not in rooms:
            yield Finding(path, 1, f"agent/{room}/ is not a room of agent/CMakeLists.txt")
            continue
        for line, name, quoted in includes(text):
            if quoted:
                yield from check_own_include(tree, rooms, path, line, name)


def check_own_include(tree, rooms, path, line, name):
    room, other = room_of(path), name.split("/")[0]
    if f"agent/{name}" not in tree.files:
        yield Finding(path, line, f'"{name}" is not in agent/; own headers are included as "room/file.h"')
    elif room is None or other == room:
        return
    elif other not in rooms[room]:
        yield Finding(path, line, f"{room} must not include {other} (agent/CMakeLists.txt has no such arrow)")
    elif room == "config" and other != "base" and not name.endswith("/options.h"):
        yield Finding(path, line, f"config may include {other}/options.h and nothing else of {other}")


def check_arrows_are_acyclic(tree):
    rooms, settled = arrows(tree), set()
    while True:
        ready = {room for room, deps in rooms.items() if room not in settled and deps <= settled}
        if not ready:
            break
        settled |= ready
    for room in sorted(set(rooms) - settled):
        yield Finding(
            "agent/CMakeLists.txt", 1, f"{room} is part of a circle of rooms, or depends on an unknown one"
        )


def check_libraries(tree):
    for path, text in tree.cpp("agent/"):
        room = room_of(path)
        for line, name, quoted in includes(text):
            if quoted:
                continue
            if room in PURE_ROOMS and name in IMPURE_HEADERS:
                yield Finding(path, line, f"<{name}> in {room}: it does no I/O and starts no thread")
            allowed = next((rooms for pattern, rooms in LIBRARY_ROOMS if pattern.match(name)), None)
            if allowed is not None and room not in allowed:
                yield Finding(
                    path, line, f"<{name}> belongs to agent/{' and agent/'.join(sorted(allowed))} alone"
                )


def check_banned_calls(tree):
    for path, text in tree.cpp("agent/", "tests/"):
        lines = code_only(text).splitlines()
        banned = [
            (pattern, instead)
            for pattern, instead, allowed in BANNED
            if not any(path.startswith(prefix) for prefix in allowed)
        ]
        if room_of(path) in PURE_ROOMS:
            banned.append(REAL_CLOCK)
        for number, line in enumerate(lines, 1):
            for pattern, instead in banned:
                match = re.search(pattern, line)
                if match:
                    yield Finding(path, number, f"`{match.group().strip()}` is banned here; use {instead}")


def check_headers(tree):
    for path, text in tree.cpp("agent/", "tests/"):
        lines = text.splitlines()
        if path.endswith(".h"):
            code = code_only(text).split("\n")
            first = next((line.strip() for line in code if line.strip()), "")
            if first != "#pragma once":
                yield Finding(path, 1, "a header starts with its contract as a comment, then #pragma once")
            if path.startswith("agent/") and not (lines and lines[0].startswith("//")):
                yield Finding(
                    path, 1, "a header opens with a comment: what it is, thread-safety, ownership, units"
                )


def check_sizes(tree):
    for path, text in tree.under(
        "agent/", "tests/", "scripts/", "dashboards/src/", suffixes={".cc", ".h", ".py", ".mjs", ".ts", ""}
    ):
        if not Path(path).suffix and not path.startswith("scripts/"):
            continue  # a fuzzer's seed, not a source
        lines = text.splitlines()
        if len(lines) > FILE_LINES_MAX:
            yield Finding(
                path, len(lines), f"{len(lines)} lines; at most {FILE_LINES_MAX}: cut along its jobs"
            )
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX and 'R"' not in line:
                yield Finding(path, number, f"{len(line)} columns; at most {COLUMNS_MAX}")
        for name, first, last in function_spans(path, text):
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield Finding(
                    path, first, f"{name} has {last - first + 1} lines; at most {FUNCTION_LINES_MAX}"
                )


def function_spans(path, text):
    if path.endswith((".cc", ".h")):
        return functions(text)
    if path.endswith(".py"):
        return [
            (node.name, node.lineno, node.end_lineno)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
    return []


def check_leftovers(tree):
    for path, text in tree.under("agent/", "tests/", "scripts/", "cmake/", "dashboards/src/"):
        if path.startswith("tests/lint/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            word = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
            if word:
                yield Finding(path, number, f"{word.group()}: do it now, or file it where it will be found")
            if re.search(r"\bNOLINT(NEXTLINE)?\b(?!\([\w.,* -]+\))", line):
                yield Finding(path, number, "NOLINT names the check it silences: NOLINT(check)")


RULES = [
    check_arrows,
    check_arrows_are_acyclic,
    check_libraries,
    check_banned_calls,
    check_headers,
    check_sizes,
    check_leftovers,
]
