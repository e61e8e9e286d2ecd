"""The agent as the trust parts use it: on ports of the system's choice, with limits, faults and signals;
and the API that misbehaves behind it. Programs end with their Workspace. Standard library and
tests/integration only."""

import http.client
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from good_client import ask  # noqa: E402
from harness import BINARY, SANITIZED, Program, Workspace, parse_metrics, wait_until  # noqa: E402, F401


class FaultUpstream(Program):
    """fault_upstream.py, listening; its paths are /<action>/<number>."""

    def __init__(self, work, *arguments, name="upstream"):
        super().__init__(work, name, [sys.executable, HERE / "fault_upstream.py", *arguments])
        self.port = int(
            self.wait_for(lambda: re.match(r"(\d+)\n", self.out.read_text()), 15, "it listens")[1])
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def counts(self):
        return json.loads(ask(self.url + "/_counts")[2])

    def counts_at_the_end(self):
        """Ends it; for one that speaks TLS, which can't be asked."""
        self.stop()
        return json.loads(self.out.read_text().splitlines()[-1])

    def reset_after(self, size):
        """The next new connection ends after `size` bytes of its request."""
        body = json.dumps({"reset_after": size})
        import http.client
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request("POST", "/_plan", body)
        connection.getresponse().read()
        connection.close()


def settings(upstream, proxy="", apis="", rest=""):
    """A configuration with api `t` in front of `upstream`; `proxy`, `apis` and `rest` add lines to it."""
    return (f"admin: {{listen: '127.0.0.1:0'}}\nproxy:\n  listen: 127.0.0.1:0\n{proxy}"
            f"apis:\n  - {{name: t, exporter: generic, base_url: '{upstream}'}}\n{apis}{rest}")


class Apiquota(Program):
    """`apiquota serve` with this configuration text, ready unless told otherwise."""

    def __init__(self, work, config, *arguments, name="agent", environment=None, prefix=(), ready=True):
        self.config = work.directory / f"{name}.yaml"
        self.config.write_text(config)
        home = {"HOME": str(work.directory), "XDG_STATE_HOME": str(work.directory), "STATE_DIRECTORY": ""}
        super().__init__(work, name, [*prefix, BINARY, "serve", f"--config.file={self.config}", *arguments],
                         {**home, **(environment or {})})
        if ready:
            self.wait_for(lambda: self.said("ready"), 20, "the agent is ready")
            self.proxy, self.admin = self.address("proxy"), self.address("admin")
            self.proxy_url, self.admin_url = f"http://{self.proxy}", f"http://{self.admin}"

    def log(self):
        return self.err.read_text(errors="replace")

    def said(self, event):
        """How many log lines of this event there are, in either format."""
        return len(re.findall(rf'event="?{event}\b|"event":"{event}"', self.log()))

    def address(self, surface):
        line = re.search(rf".*listening.*\b{surface}\b.*", self.log())[0]
        return re.search(r'address"?[=:]"?([^"\s]+)', line)[1]

    def endpoint(self, surface="proxy"):
        host, port = getattr(self, surface).rsplit(":", 1)
        return host, int(port)

    def metrics(self):
        status, _, body = ask(self.admin_url + "/metrics")
        assert status == 200, f"/metrics answered {status} {body[:200]!r}"
        return parse_metrics(body.decode())

    def metric_sum(self, name, **labels):
        return total(self.metrics(), name, **labels)

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hang_up(self):
        os.kill(self.pid, signal.SIGHUP)

    def limit(self, which, value):
        resource.prlimit(self.pid, which, (value, value))

    def kib(self, kind="VmRSS"):
        return proc_status(self.pid, kind)

    def threads(self):
        return proc_status(self.pid, "Threads")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def total(samples, name, **labels):
    return sum(value for sample, have, value in samples if sample == name and labels.items() <= have.items())


def proc_status(pid, kind):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{kind}:\s+(\d+)", text, re.MULTILINE)[1])


def asan_runtime():
    """AddressSanitizer's library, which wants to come first; "" without it."""
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=False).stdout
    found = re.search(r"=> (\S*/libasan\S*)", linked)
    return found[1] if found else ""


class Faults:
    """The page that preload.c maps: how far the clock is off, and what becomes of names."""

    NAMES_WORK, NAMES_FAIL, NAMES_HANG, NAMES_ARE_ADDRESS = 0, 1, 2, 3

    def __init__(self, work):
        self.page = work.directory / "faults"
        self.library = work.directory / "preload.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library, HERE / "preload.c", "-ldl"],
                       check=True)
        self.set()
        self.environment = {"LD_PRELOAD": f"{asan_runtime()} {self.library}", "FAULTS_FILE": str(self.page)}

    def set(self, clock_offset=0, names=NAMES_WORK, address=""):
        with open(self.page, "r+b" if self.page.exists() else "wb") as page:
            page.write(struct.pack("qqq64s", clock_offset, names, 0, address.encode()))

    def connects(self):
        """Attempts since the last set(), counted in NAMES_ARE_ADDRESS."""
        return struct.unpack("qqq64s", self.page.read_bytes())[2]
