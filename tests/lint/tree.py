"""The project as the rules see it: paths and texts. Rules are functions from a Tree to findings; they open no
file themselves, so that their tests can hand them small bad trees."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

TEXT_SUFFIXES = {
    ".cc",
    ".h",
    ".cmake",
    ".css",
    ".html",
    ".http",
    ".js",
    ".json",
    ".jsonl",
    ".md",
    ".tmpl",
    ".mjs",
    ".py",
    ".sh",
    ".ts",
    ".txt",
    ".yaml",
    ".yml",
    "",
}
BINARY_SUFFIXES = {".png"}  # known by name, so that links to them are held to it
LEFT_OUT = {".git", "node_modules", "__pycache__"}


class Finding(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


class Tree:
    def __init__(self, files):
        self.files = dict(sorted(files.items()))  # path from the root, with "/" → text

    def text(self, path):
        return self.files.get(path, "")

    def under(self, *prefixes, suffixes=None):
        """(path, text) of the files below any of the prefixes ("" is everything), by suffix if given."""
        for path, text in self.files.items():
            if not any(path.startswith(prefix) for prefix in prefixes):
                continue
            if suffixes is None or Path(path).suffix in suffixes:
                yield path, text

    def cpp(self, *prefixes):
        return self.under(*prefixes, suffixes={".cc", ".h"})


def listed_files(root):
    """What git tracks or would track; without git (an unpacked archive), everything that isn't built."""
    listing = (
        subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=False,
        )
        if (root / ".git").exists() and shutil.which("git")
        else None
    )
    if listing is not None and listing.returncode == 0:
        return [name for name in listing.stdout.split("\0") if name]
    found = []
    for folder, subfolders, names in os.walk(root):
        at_root = Path(folder) == root
        subfolders[:] = [
            s for s in subfolders if s not in LEFT_OUT and not (at_root and s.startswith("build"))
        ]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names]
    return found


def load_tree(root):
    files = {}
    for name in listed_files(root):
        path = root / name
        if path.is_file() and path.suffix in TEXT_SUFFIXES:
            files[name] = path.read_bytes().decode("utf-8", errors="replace")
        elif path.is_file() and path.suffix in BINARY_SUFFIXES:
            files[name] = ""
    return Tree(files)
