"""What is measured: the upstream and the proxies in front of it, started on free loopback ports from the
configurations beside this file, and ended by their own process id."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


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
        self.name, self.port = name, port
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise SystemExit(f"{name} did not start:\n{self.log.read_text()}") from None
                time.sleep(0.02)

    def pids(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_seconds(self):
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])  # utime, stime
        return ticks / CLOCK_TICKS

    def resident_mib(self):
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_upstream(folder):
    ports = {"PLAIN_PORT": free_port(), "TLS_PORT": free_port()}
    config = fill(
        "upstream.nginx.conf", {"DIR": folder, "BODY": completion_body(), **ports}, folder / "upstream.conf"
    )
    process = Process(
        "upstream",
        [shutil.which("nginx"), "-p", folder, "-c", config, "-e", "stderr"],
        ports["PLAIN_PORT"],
        folder,
    )
    return process, ports


def command_for(name, config, folder, agent):
    if name == "nginx":
        return [shutil.which("nginx"), "-p", folder, "-c", config, "-e", "stderr"]
    if name == "haproxy":
        return [shutil.which("haproxy"), "-db", "-f", config]
    return [agent, "serve", f"--config.file={config}"]


TEMPLATES = {"nginx": "proxy.nginx.conf", "haproxy": "haproxy.cfg", "apiquota": "apiquota.yaml"}


def start_subject(name, tls, ports, workers, folder, agent):
    """A proxy whose /bench/ leads to the upstream, which is `localhost` for TLS: it is verified by name."""
    values = {
        "DIR": folder,
        "PORT": free_port(),
        "ADMIN_PORT": free_port(),
        "WORKERS": workers,
        "SCHEME": "https" if tls else "http",
        "UPSTREAM_HOST": "localhost" if tls and name == "apiquota" else "127.0.0.1",
        "UPSTREAM_PORT": ports["TLS_PORT" if tls else "PLAIN_PORT"],
        "HAPROXY_TLS": f"ssl verify required ca-file {folder}/cert.pem sni str(localhost)" * tls,
    }
    config = fill(TEMPLATES[name], values, folder / f"{name}-{TEMPLATES[name]}")
    process = Process(name, command_for(name, config, folder, agent), values["PORT"], folder)
    process.admin_port = values["ADMIN_PORT"]
    return process


def ask(port, path):
    """(status, headers, body) of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode()
    finally:
        connection.close()
