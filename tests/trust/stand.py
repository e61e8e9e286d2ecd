"""What every part of scripts/trust stands on: apiquota, nginx and HAProxy in front of the same recording
upstream, on free loopback ports, in a scratch folder of their own; every program is ended by its own
process id when the block ends, however it ends.

    with Stand(context) as stand:
        upstream = stand.upstream()
        for proxy in stand.proxies(upstream):
            ...  # proxy.port, proxy.name, proxy.rss_kib()
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import BINARY, Program, Workspace, answers, free_port, get  # noqa: E402
from recording_upstream import RecordingUpstream, echo  # noqa: E402
from serving import Agent  # noqa: E402

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
RIVALS = ("nginx", "haproxy")


@dataclass
class Context:
    """What the command line decided; handed to each part's run(context)."""

    quick: bool = False  # the short form of scripts/test: seconds, not minutes
    subjects: tuple = ("apiquota", *RIVALS)  # whom to measure; one that is not installed is left out
    details: dict = field(default_factory=dict)  # longer results for docs/trust.md, by the part's name
    binary: str = BINARY
    minutes: float = 30  # of the soak

    def has(self, name):
        return name in self.subjects and (name == "apiquota" or program_path(name) is not None)

    def say(self, text):
        """Progress, on stderr: stdout is the table's."""
        print(text, file=sys.stderr, flush=True)


def program_path(name):
    return shutil.which(name, path=PATH)


def version_of(name):
    """Such as "1.22.1"; "" where it is not installed."""
    command = {"nginx": [program_path("nginx"), "-v"], "haproxy": [program_path("haproxy"), "-v"],
               "apiquota": [BINARY, "--version"]}[name]
    if not command[0]:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else ""


class Proxy:
    """A running subject. `admin` is the agent's admin URL, None for the others."""

    def __init__(self, name, program, port, admin=None):
        self.name, self.program, self.port, self.admin = name, program, port, admin
        self.url = f"http://127.0.0.1:{port}"

    def pids(self):
        pid = self.program.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def rss_kib(self, kind="VmRSS"):
        """Resident now, children included; VmHWM: at its most since the start."""
        status = [Path(f"/proc/{pid}/status").read_text() for pid in self.pids()]
        return sum(int(re.search(rf"^{kind}:\s+(\d+) kB", text, re.MULTILINE)[1]) for text in status)

    def descriptors(self):
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.pids())

    def alive(self):
        return self.program.process.poll() is None

    def stop(self):
        return self.program.stop()


class Stand:
    def __init__(self, context):
        self.context = context
        self.work = Workspace()
        self.upstreams = []
        self.count = 0

    def __enter__(self):
        self.work.__enter__()
        self.directory = self.work.directory
        return self

    def __exit__(self, *error):
        self.work.__exit__(*error)
        for upstream in self.upstreams:
            upstream.stop()

    def upstream(self, reply=echo):
        self.upstreams.append(RecordingUpstream(reply))
        return self.upstreams[-1]

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def agent(self, upstream=None, *, config=None, settings="", arguments=(), environment=None, name=None):
        """`apiquota serve`, ready. Without `config` it relays /t/… to `upstream` unchanged, by the generic
        exporter; `settings` are further lines of its `proxy:` map, two spaces in."""
        self.count += 1
        if config is None:
            config = ("proxy:\n  hosts: [a, b, other.example]\n" + settings +
                      f'apis:\n  - {{name: t, exporter: generic, base_url: "http://{upstream.address}/t"}}\n')
        path = self.write(f"agent{self.count}.yaml", config)
        program = Agent(self.work, f"--config.file={path}", *arguments, name=name or f"agent{self.count}",
                        environment=environment)
        return Proxy("apiquota", program, int(program.proxy.rsplit(":", 1)[1]), program.admin)

    def rival(self, name, upstream, **values):
        """nginx or HAProxy from its template beside this file; `values` fill further @NAME@s of it."""
        self.count += 1
        folder = self.directory / f"{name}{self.count}"
        folder.mkdir()
        port = free_port()
        user = pwd.getpwuid(os.getuid()).pw_name  # nginx started by root would else not read its own folder
        text = (HERE / {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}[name]).read_text()
        for key, value in {"DIR": folder, "PORT": port, "UPSTREAM": upstream.address, "USER": user,
                           **values}.items():
            text = text.replace(f"@{key}@", str(value))
        config = folder / "config"
        config.write_text(text)
        command = {"nginx": [program_path("nginx"), "-p", folder, "-c", config, "-e", "stderr"],
                   "haproxy": [program_path("haproxy"), "-db", "-f", config]}[name]
        program = Program(self.work, f"{name}{self.count}", command)
        program.wait_for(lambda: answers(f"http://127.0.0.1:{port}/t/ready"), 10, f"{name} is ready")
        return Proxy(name, program, port)

    def proxies(self, upstream, **agent_options):
        """Every subject of the context that this machine has, in front of `upstream`."""
        found = [self.agent(upstream, **agent_options)] if self.context.has("apiquota") else []
        found += [self.rival(name, upstream) for name in RIVALS if self.context.has(name)]
        upstream.clear()
        return found


__all__ = ["Agent", "Context", "Program", "Proxy", "RecordingUpstream", "Stand", "echo", "free_port", "get",
           "program_path", "version_of"]
