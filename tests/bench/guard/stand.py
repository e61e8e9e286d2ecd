"""What every part of `scripts/bench guard` stands on: what the command line decided, and the tables that come
of it."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parents[1] / "integration"), str(HERE.parent)]


@dataclass
class Context:
    """What the command line decided; handed to each part's run(context)."""

    seconds: float = 60  # of a window
    windows: int = 3
    loops: int = 4
    threads: int = 8  # of a greedy client
    venv: Path | None = None  # a Python with the rivals and the SDKs; made if there is none
    npm: Path | None = None  # a folder with node_modules, likewise
    micro_bench: Path | None = None
    only: tuple = ()
    temporary: list = field(default_factory=list)  # folders to remove at the end

    def say(self, text):
        """Progress, on stderr: stdout is the tables'."""
        print(text, file=sys.stderr, flush=True)


@dataclass
class Bar:
    """A figure that is held to something."""

    what: str
    measured: float
    bar: float
    at_most: bool = True

    @property
    def met(self):
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


@dataclass
class Table:
    title: str
    columns: list
    rows: list
    note: str = ""
    bars: list = field(default_factory=list)


def python_with(*modules, candidates=(sys.executable, "/usr/bin/python3")):
    """The first Python that can import them all; None."""
    for python in candidates:
        command = [str(python), "-c", "import " + ",".join(modules)]
        try:
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return str(python)
        except OSError:
            pass
    return None
