"""Runs a test with Prometheus 3's programs before Debian's in PATH: with_tools.py SCRIPT; without SCRIPT it
only sees to it that they are there. go.mod beside this file says which versions. Go builds them into
$APIQUOTA_BUILD_DIR/prometheus3, which takes minutes the first time and is kept. Ends with 77, and says why,
where they can't be had."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD_SECONDS = 840  # CI has a quarter of an hour for this
# package → the version it is to say of itself, which else only the release's own Makefile knows
PROGRAMS = {
    "github.com/prometheus/prometheus/cmd/promtool": "3.16.0",
    "github.com/prometheus/prometheus/cmd/prometheus": "3.16.0",
    "github.com/prometheus/alertmanager/cmd/amtool": "0.35.0",
}
# Without the discovery of targets in clouds, which is most of the program and none of what is tested.
TAGS = "remove_all_sd"


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


def go(*arguments, seconds):
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    return subprocess.run(["go", *arguments], cwd=HERE, env=environment, capture_output=True, text=True,
                          timeout=seconds, check=False)


def wanted(version):
    """What the programs are made of: they are made again when it changes."""
    text = "".join((HERE / name).read_text() for name in ("go.mod", "go.sum", Path(__file__).name))
    return hashlib.sha256((text + version).encode()).hexdigest()


def build(folder):
    # Downloads what is needed and nothing more: what go.mod lists is several times that.
    found = go("list", "-deps", "-tags", TAGS, *PROGRAMS, seconds=BUILD_SECONDS)
    if found.returncode != 0:
        skip("the modules of Prometheus 3 can't be had: " + (found.stderr.strip().splitlines() or ["?"])[-1])
    for package, version in PROGRAMS.items():
        flags = f"-s -w -X github.com/prometheus/common/version.Version={version}"
        built = go("build", "-tags", TAGS, "-ldflags", flags, "-o", str(folder / Path(package).name), package,
                   seconds=BUILD_SECONDS)
        if built.returncode != 0:
            sys.exit(f"{package}\n{built.stdout}{built.stderr}")


def tools():
    """The folder with the programs."""
    if not shutil.which("go"):
        skip("go, which builds Prometheus 3, is not installed")
    folder = Path(os.environ["APIQUOTA_BUILD_DIR"]) / "prometheus3"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "built"
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = wanted(go("version", seconds=60).stdout)
        if not stamp.exists() or stamp.read_text() != digest:
            try:
                build(folder)
            except subprocess.TimeoutExpired:
                skip(f"more than {BUILD_SECONDS} s to build Prometheus 3; the next run goes on from there")
            stamp.write_text(digest)
    return folder


def main():
    folder = tools()
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    for program in ("promtool", "prometheus", "amtool"):
        said = subprocess.check_output([folder / program, "--version"], text=True, timeout=60)
        print(said.splitlines()[0], flush=True)
    if sys.argv[1:]:
        os.execvpe(sys.executable, [sys.executable, *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
