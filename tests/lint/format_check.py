#!/usr/bin/env python3
"""Every C++ file as clang-format 19 lays it out. Exit 77 (skipped) where it is not installed: another version
would disagree about details."""

import shutil
import subprocess
import sys
from pathlib import Path

from tree import listed_files

SKIPPED = 77
FORMATTER = "clang-format-19"


def main(root):
    if not shutil.which(FORMATTER):
        print(f"SKIPPED: {FORMATTER} is not installed (Debian package {FORMATTER})")
        return SKIPPED
    files = [name for name in listed_files(root) if Path(name).suffix in (".cc", ".h")]
    files = [name for name in files if (root / name).is_file()]
    command = [FORMATTER, "--dry-run", "--Werror", "--ferror-limit=1", *files]
    return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
