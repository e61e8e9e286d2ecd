"""The rivals and the SDKs, from PyPI and npm, in folders of their own; where they can't be had, why."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYPI = ["ratelimit", "aiolimiter", "openai", "anthropic", "google-genai", "langchain-openai"]
NPM = ["bottleneck", "p-throttle"]


def try_to(command, seconds=600):
    """ "" or the last line of its complaint."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error).split("\n")[0]
    lines = (done.stderr.strip() or done.stdout.strip() or "no reason said").split("\n")
    return "" if done.returncode == 0 else lines[-1][:160]


def python_of(context):
    """(a Python that has PYPI's packages, "") or (None, why not); made once a run."""
    if context.venv is None:
        folder = Path(tempfile.mkdtemp(prefix="apiquota-venv-"))
        context.temporary.append(folder)
        why = try_to([sys.executable, "-m", "venv", str(folder)])
        why = why or try_to([str(folder / "bin" / "pip"), "install", "-q", *PYPI])
        if why:
            return None, why
        context.venv = folder
    return str(context.venv / "bin" / "python"), ""


def npm_of(context):
    """(a folder whose node_modules has NPM's packages, "") or (None, why not)."""
    if not shutil.which("npm"):
        return None, "npm is not installed"
    if context.npm is None:
        folder = Path(tempfile.mkdtemp(prefix="apiquota-npm-"))
        context.temporary.append(folder)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        why = try_to(["npm", "--prefix", str(folder), "install", "--no-audit", "--no-fund", *NPM])
        if why:
            return None, why
        context.npm = folder
    return str(context.npm), ""
