"""What a limit, and a hit, cost in instructions of the agent's, counted by callgrind."""

import email.utils
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from stand import Bar, Table
from subjects import completion_body, free_port

from guard_own_flask import LIMITER_ALONE
from harness import BINARY

FEW, MANY = 500, 2500  # requests; the difference knows no start and no end
HEADERS = (
    b"x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-reset-requests: 6ms\r\nx-ratelimit-limit-tokens: 2000000\r\n"
    b"x-ratelimit-remaining-tokens: 1999900\r\nx-ratelimit-reset-tokens: 3ms\r\n"
)
ASKING = (
    b"GET /t/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-abcdefghijk\r\n"
    b"User-Agent: x\r\nAccept: */*\r\n\r\n"
)
BARE = f"{LIMITER_ALONE}"


def rules(count, algorithm="fixed", by="address"):
    extra = ", burst: 1000000" if algorithm == "gcra" else ""
    each = "{name: n%d, by: [%s], limit: 1000000, window: 1h, algorithm: %s%s}"
    limits = ", ".join(each % (number, by, algorithm, extra) for number in range(count))
    return f"{{{BARE}, limits: [{limits}]}}"


class Answering:
    """An API in a thread: one head and one body for every request."""

    def __init__(self, cacheable):
        body = completion_body().encode()
        kept = b"Cache-Control: private, max-age=86400\r\n" if cacheable else b""
        date = email.utils.formatdate(usegmt=True).encode()
        head = b"HTTP/1.1 200 OK\r\nDate: " + date + b"\r\nContent-Type: application/json\r\n"
        self.answer = head + kept + HEADERS + b"Content-Length: %d\r\n\r\n" % len(body) + body
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        data = b""
        while piece := sock.recv(65536):
            data += piece
            while b"\r\n\r\n" in data:
                data = data.split(b"\r\n\r\n", 1)[1]
                sock.sendall(self.answer)


def ask(sock, times):
    for _ in range(times):
        sock.sendall(ASKING)
        got = b""
        while b"\r\n\r\n" not in got:
            got += sock.recv(65536)
        head, _, body = got.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"callgrind: {head[:60]!r}")
        left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
        while left > 0:
            left -= len(sock.recv(left))


def counted(guard, requests, cacheable):
    """Instructions of a whole run."""
    api = Answering(cacheable)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="apiquota-bench-") as name:
        folder = Path(name)
        config = folder / "agent.yaml"
        config.write_text(
            (f"guard: {guard}\n" if guard else "")
            + f'admin: {{listen: "127.0.0.1:{free_port()}"}}\n'
            + f'proxy: {{listen: "127.0.0.1:{port}", loops: 1}}\n'
            + f'apis: [{{name: t, exporter: openai, base_url: "http://127.0.0.1:{api.port}"}}]\n'
        )
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", BINARY, "serve"]
        log = folder / "log"
        with log.open("wb") as err:
            agent = subprocess.Popen(
                [*command, f"--config.file={config}"],
                stderr=err,
                env={**os.environ, "HOME": name, "STATE_DIRECTORY": name},
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                sock = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                if agent.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"callgrind:\n{log.read_text()[-2000:]}") from None
                time.sleep(0.1)
        with sock:
            sock.settimeout(60)
            ask(sock, requests)
        time.sleep(0.3)
        agent.terminate()
        agent.wait(60)
        api.listener.close()
        return int(re.search(r"Collected : (\d+)", log.read_text())[1])


def each(guard, cacheable=False):
    """Instructions a request."""
    few, many = (counted(guard, requests, cacheable) for requests in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def run(context):
    table = Table(
        "Instructions a request (callgrind)",
        ["what", "instructions", "more, of a proxied one"],
        [],
        note=f"GETs on one kept connection, a kilobyte of JSON in the answer; {MANY} requests less {FEW}.",
    )
    if not shutil.which("valgrind"):
        table.note = "SKIPPED: valgrind is not installed."
        return [table]
    settings = {
        "guard off": ("", False),
        "limits: none, the guard on for nothing": (f"{{{BARE}}}", False),
        "one limit, by address": (rules(1), False),
        "three": (rules(3), False),
        "five": (rules(5), False),
        "one sliding limit": (rules(1, "sliding"), False),
        "one gcra limit": (rules(1, "gcra"), False),
        "one limit, by key": (rules(1, by="key"), False),
        "a cache, answers that may not be kept": (f"{{{BARE}, cache: {{size: 64MiB}}}}", False),
        "a cache, hits": (f"{{{BARE}, cache: {{size: 64MiB}}}}", True),
    }
    if context.only:
        settings = {name: one for name, one in settings.items() if any(word in name for word in context.only)}
        settings.setdefault("guard off", ("", False))
    found = {}
    for name, (guard, cacheable) in settings.items():
        found[name] = each(guard, cacheable)
        off = found.get("guard off", found[name])
        context.say(f"{name}: {found[name]:,.0f}")
        table.rows.append([name, f"{found[name]:,.0f}", f"{(found[name] - off) / off:+.1%}"])
    if "five" in found and "one limit, by address" in found:
        a_rule = (found["five"] - found["one limit, by address"]) / 4 / found["guard off"]
        further = a_rule * found["guard off"]
        table.rows.append(["a further limit, by address", f"{further:,.0f} more", f"{a_rule:+.1%}"])
        table.bars.append(Bar("a further limit: % of a proxied request's instructions", 100 * a_rule, 3))
    return [table]
