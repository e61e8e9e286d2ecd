"""Bar 9: secrets of clients, upstreams and the operator, each a canary of its own, through every outcome of
a request, at debug level; then every output of the agent is searched for each of them in five forms.
Nothing may be found."""

import base64
import concurrent.futures
import hashlib
import os
import secrets
import signal
import socket
import string
import subprocess
import urllib.parse

from good_client import ask
from harness import free_port
from stand import Stand
from subject import BINARY, Apiquota, FaultUpstream, wait_until
from trust_table import Row

AGAIN = "scripts/trust secrets_canary"
ALPHABET = string.ascii_letters + string.digits
PAGES = ("/metrics", "/", "/api/v1/quotas", "/api/v1/apis", "/-/healthy", "/-/ready", "/no/such/page")


def canary():
    """Long enough to be nowhere by chance, with what URLs and base64 make something else of."""
    return "".join(secrets.choice(ALPHABET) for _ in range(24)) + "/+" + secrets.token_hex(4)


def forms(secret):
    """{form: needles}: as it is, base64 at each alignment, hex, URL-encoded, its first 8 characters; and
    hashes without a salt, which anyone can recompute."""
    raw = secret.encode()
    aligned = [base64.b64encode(b"x" * pad + raw)[[0, 4, 4][pad]:-4] for pad in range(3)]
    hashes = [hashlib.new(name, raw).hexdigest()[:8].encode() for name in ("md5", "sha1", "sha256")]
    return {
        "plain": [raw], "base64": aligned, "hex": [raw.hex().encode(),
                                                   raw.hex().upper().encode()], "url":
        [urllib.parse.quote(secret, safe="").encode()], "first 8": [raw[:8]], "hash": hashes
    }


def check_the_search():
    """A search that finds nothing must have been able to."""
    secret = canary()
    for pad in range(3):
        assert any(n in base64.b64encode(b"x" * pad + secret.encode() + b"tail")
                   for n in forms(secret)["base64"])
    assert urllib.parse.quote(f"key={secret}&x", safe="").encode().find(forms(secret)["url"][0]) > 0


# place: (request target's additions, fields, body) with the canary in them
PLACES = {
    "Authorization: Bearer":
    lambda c: ("", [f"Authorization: Bearer {c}"], ""), "Authorization: Basic":
    lambda c: ("", [f"Authorization: Basic {base64.b64encode(f'u:{c}'.encode()).decode()}"], ""),
    "Authorization: Digest":
    lambda c: ("", [f'Authorization: Digest username="u", response="{c}"'], ""), "X-Api-Key":
    lambda c: ("", [f"X-Api-Key: {c}"], ""), "api-key":
    lambda c: ("", [f"api-key: {c}"], ""), "Cookie":
    lambda c: ("", [f"Cookie: session={c}"], ""), "?key=":
    lambda c: (f"?key={c}", [], ""), "userinfo":
    lambda c: (f"\0{c}", [], ""), "JSON body":
    lambda c: ("", ["Content-Type: application/json"], f'{{"key": "{c}"}}'), "caller token":
    lambda c: ("", [f"Authorization: Bearer {c}"], ""), "caller token, twice":
    lambda c: ("", [f"Authorization: Bearer {c}", f"X-Api-Key: {c}"], ""), "caller token, elsewhere":
    lambda c: ("", [f"X-Other: {c}"], ""),
}

# outcome: (api, path); an api with an injected key has the same name with "i" behind it
OUTCOMES = {
    "200": ("t", "/ok/0"), "401": ("t", "/status/401"), "429": ("t", "/throttle/7"), "500":
    ("t", "/status/500"), "timeout": ("t", "/hang/0"), "refused": ("r", "/ok/0"), "TLS failure":
    ("s", "/ok/0"), "bad URL": ("t", "/%00/ok/0"), "client gone": ("t", "/slow/700"), "truncated":
    ("t", "/cut/20"),
}


class Round:
    """One run of the agent: the canaries, where each was put, and what was found where."""

    def __init__(self, stand, log_format):
        self.work = stand.work
        self.planted = {}  # secret: where
        self.found = []
        self.own_answers = b""
        make_certificate(self.work.directory)
        self.token = self.plant("caller token")
        self.upstream = FaultUpstream(self.work, "--watch", self.token, "--header",
                                      f"X-Reply-Token: {self.plant('reply header')}", "--header",
                                      f"Set-Cookie: s={self.plant('reply cookie')}", "--body",
                                      f'{{"error": {{"message": "bad key {self.plant("reply body")}"}}}}',
                                      name=f"upstream-{log_format}")
        self.tls = FaultUpstream(self.work, "--tls", self.work.directory / "cert.pem",
                                 self.work.directory / "key.pem", name=f"upstream-tls-{log_format}")
        environment = {
            "KEY_IN_ENV": self.plant("value_from_env"), "TOKEN_IN_ENV": self.token, "SSLKEYLOGFILE":
            str(self.work.directory / "tls-secrets")
        }
        self.agent = Apiquota(self.work, self.config(), "--log.level=debug", f"--log.format={log_format}",
                              "--web.enable-lifecycle", name=f"agent-{log_format}", environment=environment)

    def plant(self, where):
        secret = canary()
        self.planted[secret] = where
        return secret

    def config(self):
        (self.work.directory / "key").write_text(self.plant("value_from_file"))
        os.chmod(self.work.directory / "key", 0o600)
        urls = {
            "t": self.upstream.url, "r": f"http://127.0.0.1:{free_port()}", "s":
            f"https://localhost:{self.tls.port}"
        }
        apis = ""
        for name, url in urls.items():
            keys = "[{name: k, value_from_file: key, inject: default}, {name: e, value_from_env: KEY_IN_ENV}]"
            apis += (f"  - {{name: {name}, exporter: generic, base_url: '{url}'}}\n"
                     f"  - {{name: {name}i, exporter: openai, base_url: '{url}', keys: {keys},\n"
                     "     poll: {every: 10s, path: /status/401}}\n")
        return (
            "admin: {listen: '127.0.0.1:0'}\nproxy: {listen: '127.0.0.1:0', first_byte_timeout: 2s}\n"
            f"apis:\n{apis}callers: [{{name: c, token_from_env: TOKEN_IN_ENV}}]\n"
            "state: {file: state.json}\n"
        )

    def ask_all(self):
        tasks = [(place, outcome) for place in PLACES for outcome in OUTCOMES]
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            list(pool.map(lambda task: self.ask(*task), tasks))
        return len(tasks)

    def ask(self, place, outcome):
        secret = self.token if place.startswith("caller token") else self.plant(f"{place}, {outcome}")
        api, path = OUTCOMES[outcome]
        api += "i" * place.startswith("caller token")
        added, fields, body = PLACES[place](secret)
        target = f"/{api}{path}{added}"
        if added.startswith("\0"):
            target = f"http://u:{secret}@{self.agent.proxy}/{api}{path}"
        head = "\r\n".join([
            f"{'POST' if body else 'GET'} {target} HTTP/1.1", f"Host: {self.agent.proxy}",
            f"Content-Length: {len(body)}", "Connection: close", *fields
        ])
        with socket.create_connection(self.agent.endpoint(), timeout=15) as sock:
            sock.sendall(f"{head}\r\n\r\n{body}".encode())
            if outcome == "client gone":
                # Once one of them has come through: leaving at once may be faster than the agent.
                self.agent.wait_for(lambda: self.upstream.counts().get("slow"), 5, "a slow request arrives")
                return
            answer = b""
            try:
                while piece := sock.recv(65536):
                    answer += piece
            except OSError:
                pass
        if b"X-Reply-Token" not in answer:
            self.own_answers += answer

    def sinks(self):
        """{sink: bytes}, the agent stopped at last, so that the state file is written."""
        pages = {page: ask(self.agent.admin_url + page)[2] for page in PAGES}
        self.agent.hang_up()
        self.agent.wait_for(lambda: self.agent.said("reloaded"), 10, "it has reloaded")
        self.agent.stop(10)
        found = {
            "stdout": self.agent.out.read_bytes(), "stderr": self.agent.err.read_bytes(), "own answers":
            self.own_answers, **pages
        }
        known = {self.agent.out, self.agent.err, self.agent.config, self.work.directory / "key"}
        for path in self.work.directory.rglob("*"):
            if path.is_file() and path not in known and not path.name.startswith("upstream"):
                found[f"file {path.name}"] = path.read_bytes()
        return found

    def search(self):
        sinks = self.sinks()
        if "file tls-secrets" in sinks:
            self.found.append("TLS secrets were written to SSLKEYLOGFILE")
        for secret, where in self.planted.items():
            for form, needles in forms(secret).items():
                self.found += [
                    f"{where} in {sink} ({form})" for sink, text in sinks.items()
                    if any(needle in text for needle in needles)
                ]
        return len(sinks)

    def tokens_at_the_provider(self):
        return self.upstream.counts().get("_watched", 0)

    def nothing_was_missed(self):
        """The search is worth something only if the requests went their ways."""
        counts = self.upstream.counts()
        return all(counts.get(action) for action in ("ok", "status", "throttle", "hang", "cut", "slow"))


def make_certificate(folder):
    subprocess.run([
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"
    ], check=True, capture_output=True)


def operator_mistakes(work):
    """What messages repeat of a secret that the operator put where it does not belong."""
    leaks = []
    mistakes = {
        "keys: SECRET":
        "apis:\n  - {name: a, exporter: github, keys: '@'}\n", "keys: [SECRET]":
        "apis:\n  - {name: a, exporter: github, keys: ['@']}\n", "value_from_file: SECRET":
        "apis:\n  - {name: a, exporter: github, keys: [{name: k, value_from_file: '@'}]}\n",
        "value_from_env: SECRET":
        "apis:\n  - {name: a, exporter: github, keys: [{name: k, value_from_env: '@'}]}\n", "value: SECRET":
        "apis:\n  - {name: a, exporter: github, keys: [{name: k, value: '@'}]}\n", "route: SECRET":
        "apis:\n  - {name: a, exporter: github, route: '@ x'}\n", "base_url: SECRET":
        "apis:\n  - {name: a, exporter: github, base_url: 'http://u:@@127.0.0.1:1/'}\n",
        "token_from_env: SECRET":
        "callers: [{name: c, token_from_env: '@'}]\n", "inject: SECRET":
        "apis:\n  - {name: a, exporter: github, keys: [{name: k, value_from_env: HOME, inject: '@'}]}\n",
    }
    for name, text in mistakes.items():
        secret = canary()
        path = work.directory / "mistake.yaml"
        path.write_text(text.replace("@", secret, 1))
        leaks += leak_of(name, secret, [BINARY, "check-config", path], work)
    for name, url in {
            "probe userinfo": "http://u:@@127.0.0.1:1/", "probe ?key=": "http://127.0.0.1:1/?key=@"
    }.items():
        secret = canary()
        leaks += leak_of(name, secret, [BINARY, "probe", url.replace("@", secret, 1)], work)
    return leaks, len(mistakes) + 2


def leak_of(name, secret, command, work):
    done = subprocess.run(command, capture_output=True, timeout=30, check=False, cwd=work.directory)
    text = done.stdout + done.stderr
    return [f"{name} ({form})" for form, needles in forms(secret).items() if any(n in text for n in needles)]


def core_dump(stand):
    """SIGABRT with cores allowed: none may be written."""
    work = stand.work
    agent = Apiquota(work, "admin: {listen: '127.0.0.1:0'}\nproxy: {listen: '127.0.0.1:0'}\n",
                     name="agent-core", prefix=("prlimit", "--core=unlimited:unlimited"))
    os.kill(agent.pid, signal.SIGABRT)
    wait_until(lambda: agent.process.poll() is not None, 20, "it ends")
    return [
        path.name for path in work.directory.glob("*core*")
        if path.name not in ("agent-core.yaml", ) and not path.name.startswith("agent-core.")
    ]


def run(context):
    check_the_search()
    rows = []
    with Stand(context) as stand:
        asked, found, sinks, alive, tokens = 0, [], 0, True, 0
        for log_format in ("logfmt", ) if context.quick else ("logfmt", "json"):
            canaries = Round(stand, log_format)
            asked += canaries.ask_all()
            alive = alive and canaries.agent.alive() and canaries.nothing_was_missed()
            tokens += canaries.tokens_at_the_provider()
            sinks = canaries.search()
            found += canaries.found
        leaks, tried = operator_mistakes(stand.work)
        cores = core_dump(stand)
    for hit in (*found, *leaks, *cores):
        context.say(f"secret found: {hit}")
    rows.append(
        Row("9",
            f"{asked} requests with secrets in {len(PLACES) + 5} places, {len(OUTCOMES)} outcomes, 6 forms",
            f"{len(found)} hits in {sinks} outputs{'' if alive else '; requests were lost'}", "0 hits",
            reproduce=AGAIN, passed=not found and alive))
    rows.append(
        Row("9b", f"{tried} mistakes of an operator with a secret in them", f"{len(leaks)} hits in messages",
            "0 hits", reproduce=AGAIN, passed=not leaks))
    rows.append(
        Row("9c", "SIGABRT with cores allowed", f"{len(cores)} core files", "none", reproduce=AGAIN,
            passed=not cores))
    rows.append(
        Row("9d", "a caller's token in its own field, in a second one, in any other",
            f"{tokens} requests brought it to the provider", "0", reproduce=AGAIN, passed=tokens == 0))
    return rows
