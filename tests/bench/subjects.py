"""What is measured: the upstreams and the proxies in front of them, started on free loopback ports from the
configurations beside this file, and ended by their own process id."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def completion_body(size=1006):
    """A chat completion of exactly `size` bytes, its usage at the end as OpenAI sends it."""
    message = {"role": "assistant", "content": ""}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1718236800,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 19, "completion_tokens": 237, "total_tokens": 256},
    }
    message["content"] = "a word ".ljust(size - len(json.dumps(body)), "-")
    return json.dumps(body)


def make_certificate(folder):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )


def fill(template, values, target):
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    target.write_text(text)
    return target


class Process:
    """A program of ours: its children count as it, and it is gone when the block ends."""

    def __init__(self, name, command, port, folder):
        self.name, self.port, self.prefix = name, port, "/bench"
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port or self.port_said()), timeout=1).close()
                return
            except (OSError, ValueError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise SystemExit(f"{name} did not start:\n{self.log.read_text()}") from None
                time.sleep(0.02)

    def port_said(self):
        """For a program that chooses its port and says it first."""
        self.port = int(self.log.read_text().split("\n")[0])
        return self.port

    def pids(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_seconds(self):
        """On a core, by the scheduler's own account: ticks of utime and stime miss what is shorter."""
        threads = [thread for pid in self.pids() for thread in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def memory_mib(self, kind="VmRSS"):
        """Resident now; VmHWM: at its most since the start."""
        status = [Path(f"/proc/{pid}/status").read_text() for pid in self.pids()]
        pattern = re.compile(rf"^{kind}:\s+(\d+) kB", re.MULTILINE)
        return sum(int(pattern.search(text).group(1)) for text in status) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Direct:
    """No proxy at all: the client speaks to the upstream."""

    name, prefix = "direct", ""

    def __init__(self, port):
        self.port = port

    def cpu_seconds(self):
        return 0.0

    def memory_mib(self, _kind="VmRSS"):
        return 0.0

    def stop(self):
        pass


class Upstreams:
    """nginx with the fixed answer, plain and TLS, and the server of streams."""

    def __init__(self, folder, stream_load, plan=()):
        self.processes = []
        streams = Process("streams", [stream_load, *plan, "serve"], 0, folder)
        self.processes.append(streams)
        self.stream_port, self.plain_port, self.tls_port = streams.port, free_port(), free_port()
        values = {
            "DIR": folder,
            "BODY": completion_body(),
            "PLAIN_PORT": self.plain_port,
            "TLS_PORT": self.tls_port,
            "STREAM_PORT": self.stream_port,
        }
        config = fill("upstream.nginx.conf", values, folder / "upstream.conf")
        self.processes.append(Process("upstream", nginx_command(config, folder), self.plain_port, folder))

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def nginx_command(config, folder):
    return [shutil.which("nginx"), "-p", folder, "-c", config, "-e", "stderr"]


def command_for(name, config, folder, agent):
    if name == "nginx":
        return nginx_command(config, folder)
    if name == "haproxy":
        return [shutil.which("haproxy"), "-db", "-f", config]
    return [agent, "serve", f"--config.file={config}"]


TEMPLATES = {"nginx": "proxy.nginx.conf", "haproxy": "haproxy.cfg", "apiquota": "apiquota.yaml"}


def start_subject(name, upstream_port, tls, options, folder, keys_max=100):
    """A proxy whose /bench/ leads to the upstream, which is `localhost` for TLS: it is verified by name."""
    if name == "direct":
        return Direct(upstream_port)
    values = {
        "DIR": folder,
        "PORT": free_port(),
        "ADMIN_PORT": free_port(),
        "WORKERS": options.workers,
        "SCHEME": "https" if tls else "http",
        "UPSTREAM_HOST": "localhost" if tls and name == "apiquota" else "127.0.0.1",
        "UPSTREAM_PORT": upstream_port,
        "HAPROXY_TLS": f"ssl verify required ca-file {folder}/cert.pem sni str(localhost)" * tls,
        "KEYS_MAX": keys_max,
        "QUOTAS_MAX": 10 * keys_max,
        "SERIES_MAX": max(10_000, 100 * keys_max),
    }
    config = fill(TEMPLATES[name], values, folder / f"{name}-{TEMPLATES[name]}")
    process = Process(name, command_for(name, config, folder, options.agent), values["PORT"], folder)
    process.admin_port = values["ADMIN_PORT"]
    return process


def ask(port, path, headers=None):
    """(status, headers, body) of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()
