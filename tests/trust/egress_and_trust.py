"""Bars 10, 11 and 12: names that lead inside, the agent's own ports, redirects, and certificates that must
not be trusted. Nothing is connected to, followed or sent."""

import subprocess

from good_client import ask
from stand import Stand, free_port
from subject import Apiquota, FaultUpstream, Faults, settings, wait_until
from trust_table import Row

AGAIN = "scripts/trust egress_and_trust"
FORBIDDEN = ("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
             "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.0.1",
             "100.64.0.1", "100.127.255.255", "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.255.255.255",
             "240.0.0.1", "255.255.255.255", "::1", "::", "fc00::1", "fdff::1", "fe80::1", "febf::1",
             "ff02::1", "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
             "::ffff:192.168.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
             "2002:a9fe:a9fe::1", "::127.0.0.1", "fec0::1", "64:ff9b::a00:1", "2002:a00:1::1",
             )
NAMED = ("/openai/v1/models", "/github/user")
YEAR = 365 * 86400


def forbidden_addresses(context):
    """Names of built-in exporters that turn out to be an address inside."""
    with Stand(context) as stand:
        faults = Faults(stand.work)
        reached, other = [], []
        for address in FORBIDDEN[::8 if context.quick else 1]:
            # A program of its own for each: what was found once is remembered for a while.
            agent = Apiquota(stand.work, "admin: {listen: '127.0.0.1:0'}\nproxy: {listen: '127.0.0.1:0'}\n",
                             name="agent-inside", environment=faults.environment)
            faults.set(names=Faults.NAMES_ARE_ADDRESS, address=address)
            status, _, body = ask(agent.proxy_url + NAMED[len(address) % 2])
            if faults.connects():
                reached.append(address)
            if status != 502 or not agent.metric_sum("apiquota_upstream_errors_total",
                                                     reason="address_forbidden"):
                other.append(f"{address}: {status} {body[:60]!r}")
            agent.kill()
        tried = len(FORBIDDEN[::8 if context.quick else 1])
        ours = f"{tried - len(reached)}/{tried} blocked, {len(other)} for another reason"
        context.say(f"addresses inside: {ours} {reached} {other[:4]}")
        return Row("10", f"{tried} addresses inside, behind a public name", ours,
                   "all blocked, 0 connections", reproduce=AGAIN, passed=not reached and not other)


def own_ports(context):
    """An api whose base URL is the agent itself: its admin side, and its proxy."""
    with Stand(context) as stand:
        admin, proxy = free_port(), free_port()
        config = (f"admin: {{listen: '127.0.0.1:{admin}'}}\nproxy: {{listen: '127.0.0.1:{proxy}'}}\napis:\n"
                  f"  - {{name: own, exporter: generic, base_url: 'http://127.0.0.1:{admin}'}}\n"
                  f"  - {{name: loop, exporter: generic, base_url: 'http://127.0.0.1:{proxy}/loop'}}\n")
        agent = Apiquota(stand.work, config, name="agent-own", ready=False)
        ended = wait_until(lambda: agent.said("ready") or not agent.alive(), 15,
                           "it is ready, or refuses") and not agent.alive()
        if ended:
            ours = "refused at the start"
            shown, looped = False, True
        else:
            status, _, page = ask(f"http://127.0.0.1:{proxy}/own/metrics")
            shown = status == 200 and b"apiquota_build_info" in page
            loop_status = ask(f"http://127.0.0.1:{proxy}/loop/x")[0]
            looped = loop_status in (502, 508)
            ours = f"own admin side: {status}{', shown' if shown else ''}; loop: {loop_status}"
        context.say(f"own ports: {ours}")
        return Row("10b", "its own ports as an upstream", ours, "refused", reproduce=AGAIN, passed=not shown
                   and looped)


def redirects(context):
    """Neither the proxy nor the poller follows; the client is told, the other server is not asked."""
    with Stand(context) as stand:
        upstream, other = FaultUpstream(stand.work), FaultUpstream(stand.work, name="other")
        polled = (f"  - {{name: p, exporter: generic, base_url: '{upstream.url}', "
                  f"poll: {{every: 1s, path: /redirect/{other.port}}}}}\n")
        agent = Apiquota(stand.work, settings(upstream.url, apis=polled), name="agent-redirect")
        status, _, _ = ask(f"{agent.proxy_url}/t/redirect/{other.port}",
                           headers="Authorization: Bearer x\r\nX-Api-Key: y\r\n")
        wait_until(lambda: upstream.counts().get("redirect", 0) >= 2, 10, "the poller has asked")
        asked = other.counts().get("_begun", 0)
        ours = f"relayed as {status}, the other server was asked {asked} times"
        context.say(f"redirects: {ours}")
        return Row("11", "redirects to another origin, proxied and polled", ours,
                   "302 relayed, 0 requests elsewhere", reproduce=AGAIN, passed=status == 302 and asked == 0)


class Authority:
    """Makes certificates with openssl: an authority of its own in `folder`, and what it signs."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.run("req", "-x509", *self.key(name), "-out", self.path(name, "pem"), "-days", "30", "-subj",
                 f"/CN={name}")

    def path(self, name, kind):
        return self.folder / f"{name}.{kind}"

    def key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                self.path(name, "key"))

    def run(self, *command):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, timeout=60)

    def sign(self, name, *extensions):
        """(certificate, key) for a server."""
        self.run("req", *self.key(name), "-out", self.path(name, "csr"), "-subj", "/CN=localhost")
        self.path(name, "ext").write_text("\n".join(extensions) + "\n")
        self.run("x509", "-req", "-in", self.path(name, "csr"), "-CA", self.path(self.name, "pem"), "-CAkey",
                 self.path(self.name, "key"), "-CAcreateserial", "-days", "30", "-out",
                 self.path(name, "pem"), "-extfile", self.path(name, "ext"))
        return self.path(name, "pem"), self.path(name, "key")


def certificates(context):
    """What must be refused before a byte of the request is sent, and a certificate that is good."""
    with Stand(context) as stand:
        folder, faults = stand.work.directory, Faults(stand.work)
        ours, other = Authority(folder), Authority(folder, "other-ca")
        san = "subjectAltName=DNS:localhost"
        good = ours.sign("good", san)
        cases = {  # name: (certificate and key, more arguments, clock offset)
            "expired": (good, (), YEAR), "not yet valid": (good, (), -YEAR),
            "for another name": (ours.sign("name", "subjectAltName=DNS:elsewhere.test"), (), 0),
            "named by CN alone (RFC 9525 6.3)": (ours.sign("cn", "basicConstraints=CA:FALSE"), (), 0),
            "of an unknown authority": (other.sign("foreign", san), (), 0),
            "for clients only": (ours.sign("client", san, "extendedKeyUsage=clientAuth"), (), 0),
            "self-signed": ((folder / "other-ca.pem", folder / "other-ca.key"), (), 0),
            "TLS 1.1": (good, ("--tls-max", "TLSv1_1"), 0),
        }
        wrong = []
        for name, (pair, arguments, offset) in {"good": (good, (), 0), **cases}.items():
            upstream = FaultUpstream(stand.work, "--tls", *pair, *arguments, name="upstream-tls")
            faults.set(clock_offset=offset)
            config = settings(f"https://localhost:{upstream.port}",
                              f"  tls: {{ca_file: {folder / 'ca.pem'}}}\n")
            agent = Apiquota(stand.work, config, name="agent-tls", environment=faults.environment)
            status, _, _ = ask(agent.proxy_url + "/t/ok/0")
            agent.kill()
            asked = upstream.counts_at_the_end().get("_begun", 0)
            if (status, asked) != ((200, 1) if name == "good" else (502, 0)):
                wrong.append(f"{name}: {status}, {asked} requests sent")
        text = f"{len(cases) - len(wrong)}/{len(cases)} refused" + (f"; {wrong}"
                                                                    if wrong else ", a good one is taken")
        context.say(f"certificates: {text}")
        return Row("12", "bad certificates and TLS 1.1", text, "8/8 refused before a request byte",
                   reproduce=AGAIN, passed=not wrong)


def run(context):
    return [forbidden_addresses(context), own_ports(context), redirects(context), certificates(context)]
