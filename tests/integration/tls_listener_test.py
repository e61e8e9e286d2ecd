"""The proxy's own door: TLS and client certificates as exporter-toolkit's web configuration says them,
certificates that change while the agent runs, and Unix sockets; as curl and openssl see them."""

import http.client
import os
import ssl
import stat
import subprocess
import unittest

from harness import BINARY, Program, require_program, wait_until
from serving import Agent, ServingTest

CURL = require_program("curl", "curl")
OPENSSL = require_program("openssl", "openssl")

POLICY = """tls_server_config:
  cert_file: server.crt
  key_file: server.key
"""


class ListenerTest(ServingTest):
    def run_openssl(self, *arguments, given=b""):
        return subprocess.run([OPENSSL, *arguments], cwd=self.work.directory, input=given,
                              capture_output=True, timeout=20)

    def make_certificate(self, name, issuer=None, subject_names="DNS:localhost,IP:127.0.0.1"):
        """NAME.crt and NAME.key; signed by `issuer`, else by itself."""
        signed_by = ["-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key"] if issuer else []
        made = self.run_openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", f"subjectAltName={subject_names}",
            "-keyout", f"{name}.new.key", "-out", f"{name}.new.crt", *signed_by)
        self.assertEqual(made.returncode, 0, made.stderr.decode())
        for ending in ("key", "crt"):  # the way certificates are renewed: whole files at once
            os.replace(self.work.directory / f"{name}.new.{ending}", self.work.directory / f"{name}.{ending}")

    def serve(self, *arguments, **options):
        return Agent(self.work, f"--api=demo=github@{self.upstream.url}", *arguments, **options)

    def curl(self, *arguments):
        """(status, what went wrong)"""
        done = subprocess.run(
            [CURL, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", *arguments],
            cwd=self.work.directory, capture_output=True, text=True, timeout=20)
        return int(done.stdout), done.stderr

    def url(self, agent):
        return agent.proxy.replace("http:", "https:") + "/demo/x"

    def assert_logged(self, agent, why):
        line = f'reason=tls_handshake status=400 detail="the client\'s TLS handshake failed: {why}"'
        wait_until(lambda: line in agent.log(), 10, "the log says why the handshake failed")

    def test_clients_speak_tls_and_http_1_1(self):
        self.make_certificate("server")
        agent = self.serve(f"--proxy.config.file={self.write('web.yml', POLICY)}")
        self.assertIn("tls=on", agent.log())
        self.assertEqual(self.curl("--cacert", "server.crt", self.url(agent)), (200, ""))
        self.assertEqual(self.curl("--cacert", "server.crt", "--http2", self.url(agent)), (200, ""))
        self.assertEqual(self.curl(agent.proxy + "/demo/x")[0], 0, "plain HTTP is not served there")
        self.assert_logged(agent, "it spoke plain HTTP; an https:// URL is needed")
        address = agent.proxy.removeprefix("http://")
        seen = self.run_openssl("s_client", "-connect", address, "-alpn", "h2,http/1.1").stdout.decode()
        self.assertIn("ALPN protocol: http/1.1", seen)
        self.assertIn("TLSv1.3", seen)
        old = self.run_openssl("s_client", "-connect", address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.assertNotEqual(old.returncode, 0)
        self.assertEqual([path for path, _ in self.upstream.seen], ["/x", "/x"])

    def test_a_client_without_a_trusted_certificate_reaches_no_api(self):
        self.make_certificate("server")
        self.make_certificate("ca")
        self.make_certificate("friend", "ca", "URI:spiffe://here/friend")
        self.make_certificate("other", "ca", "URI:spiffe://here/other")
        self.make_certificate("stranger")
        config = self.write("apiquota.yaml", "proxy: {web_config_file: web.yml}\n")
        self.write("web.yml", POLICY + "  client_auth_type: RequireAndVerifyClientCert\n"
                                       "  client_ca_file: ca.crt\n"
                                       "  client_allowed_sans: [spiffe://here/friend]\n")
        agent = self.serve(f"--config.file={config}")
        ask = ["--cacert", "server.crt", self.url(agent)]
        self.assertEqual(self.curl(*ask)[0], 0)
        self.assert_logged(agent, "peer did not return a certificate")
        for name in ("stranger", "other"):
            self.assertEqual(self.curl("--cert", f"{name}.crt", "--key", f"{name}.key", *ask)[0], 0, name)
        self.assertEqual(self.upstream.seen, [])
        self.assertEqual(self.curl("--cert", "friend.crt", "--key", "friend.key", *ask), (200, ""))

    def test_a_renewed_certificate_is_served_without_a_restart(self):
        self.make_certificate("server")
        agent = self.serve(f"--proxy.config.file={self.write('web.yml', POLICY)}")
        self.assertEqual(self.curl("--cacert", "server.crt", self.url(agent))[0], 200)
        self.make_certificate("server")
        wait_until(lambda: self.curl("--cacert", "server.crt", self.url(agent))[0] == 200, 10,
                   "the new certificate is served")
        served = (self.work.directory / "server.crt").read_bytes()
        self.write("server.crt", "nothing")
        wait_until(lambda: self.curl("-k", self.url(agent))[0] == 200
                   and "event=certificate_not_renewed" in agent.log(), 10, "the change is seen")
        (self.work.directory / "kept.crt").write_bytes(served)
        self.assertEqual(self.curl("--cacert", "kept.crt", self.url(agent))[0], 200)

    def test_what_a_proxy_cannot_have_is_refused_at_the_start(self):
        self.write("web.yml", "basic_auth_users:\n"
                              "  a: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n")
        done = subprocess.run([BINARY, "serve", "--proxy.config.file=web.yml"], cwd=self.work.directory,
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr,
                         "--proxy.config.file: basic_auth_users can't be had on the proxy: the Authorization "
                         "header "
                         "belongs to the API; expected client certificates, or \"callers\" with tokens\n")

    def test_the_proxy_listens_on_a_unix_socket(self):
        path = self.work.directory / "proxy.sock"
        listen = ["--web.listen-address=127.0.0.1:0", f"--proxy.listen-address=unix:{path}"]
        agent = self.serve(listen=listen)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o660)
        for host in ("localhost", "api.github.com"):  # the file's mode says who may, not the Host
            self.assertEqual(self.curl("--unix-socket", str(path), f"http://{host}/demo/x"), (200, ""))
        second = subprocess.run([BINARY, "serve", *listen], capture_output=True, text=True, timeout=20)
        self.assertEqual((second.returncode, second.stderr),
                         (2, f"unix:{path}: the address is in use by another program\n"))
        agent.process.kill()
        agent.process.wait()
        self.assertTrue(path.exists(), "nobody could remove it")
        third = self.serve(listen=listen, name="third")
        self.assertEqual(self.curl("--unix-socket", str(path), "http://localhost/demo/x"), (200, ""))
        self.assertEqual(third.stop(), 0)
        self.assertFalse(path.exists())

    def test_tls_works_on_a_unix_socket(self):
        self.make_certificate("server")
        path = self.work.directory / "proxy.sock"
        self.serve(f"--proxy.config.file={self.write('web.yml', POLICY)}",
                   listen=["--web.listen-address=127.0.0.1:0", f"--proxy.listen-address=unix:{path}"])
        self.assertEqual(self.curl("--unix-socket", str(path), "--cacert", "server.crt",
                                   "https://localhost/demo/x"), (200, ""))

    def test_secrets_of_tls_are_not_written_to_sslkeylogfile(self):
        self.make_certificate("server")
        agent = self.serve(f"--proxy.config.file={self.write('web.yml', POLICY)}")
        keys = self.work.directory / "keys.log"
        probe = Program(self.work, "probe", [BINARY, "probe", "--exporter=github", self.url(agent)],
                        {"SSLKEYLOGFILE": str(keys)})
        probe.process.wait(20)
        self.assertIn("event=key_log_ignored variable=SSLKEYLOGFILE", probe.output())
        self.assertFalse(keys.exists(), "TLS began, and its secrets are on disk")

    def test_connections_are_kept_over_tls(self):
        self.make_certificate("server")
        agent = self.serve(f"--proxy.config.file={self.write('web.yml', POLICY)}")
        context = ssl.create_default_context(cafile=self.work.directory / "server.crt")
        host, port = agent.proxy.removeprefix("http://").split(":")
        connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
        connection.connect()
        kept = connection.sock
        for _ in range(3):
            connection.request("GET", "/demo/x")
            self.assertEqual(connection.getresponse().read(), b"hello\n")
            self.assertIs(connection.sock, kept)
        connection.close()


if __name__ == "__main__":
    unittest.main()
