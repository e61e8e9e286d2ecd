"""docker-compose.yml and agent/Dockerfile: valid by docker-compose's own schema, made of files that exist,
closed to the outside, and in step with alerts/. Needs no Docker engine; tests/compose/run starts the stack
on one."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
STACK = SOURCE_DIR / "docs/stack"
# docker-compose brings Debian's python3-yaml with it; the interpreter of this test need not have it.
TO_JSON = ["/usr/bin/python3", "-c",
           "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def compose(*files):
    """What docker-compose makes of the files; it refuses unknown keys, bad types and what nothing defines."""
    arguments = [part for file in files for part in ("-f", str(file))]
    done = run("docker-compose", *arguments, "--profile", "demo", "config", cwd=SOURCE_DIR)
    if done.returncode != 0:
        raise AssertionError(f"docker-compose config: {done.stderr}")
    return json.loads(run(*TO_JSON, input=done.stdout).stdout)


def without_addresses(text):
    """A Prometheus configuration without comments, and with what may differ between machines taken out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    text = re.sub(r"targets: \[.*\]", "targets: []", "\n".join(lines))
    return re.sub(r"rule_files:\n(  - .*\n?)+", "rule_files:\n", text)


class ComposeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.services = compose(SOURCE_DIR / "docker-compose.yml")["services"]

    def test_the_override_of_the_tests_is_valid_too(self):
        both = compose(SOURCE_DIR / "docker-compose.yml", SOURCE_DIR / "tests/compose/override.yml")
        self.assertEqual(set(both["services"]), set(self.services))

    def test_every_mounted_file_is_in_the_tree(self):
        for name, service in self.services.items():
            for volume in service.get("volumes", []):
                source, _, mode = volume.partition(":")
                if source.startswith("/"):
                    self.assertTrue(Path(source).exists(), f"{name}: {source}")
                    self.assertTrue(mode.endswith(":ro"), f"{name}: {volume} can be written to")

    def test_every_port_is_published_once_and_on_loopback(self):
        ports = [port for service in self.services.values() for port in service.get("ports", [])]
        for port in ports:
            self.assertRegex(port, r"^127\.0\.0\.1:\d+:\d+(/tcp)?$")
        self.assertEqual(len(ports), len(set(ports)))

    def test_every_image_has_a_fixed_version(self):
        for name, service in self.services.items():
            self.assertRegex(service["image"], r":v?\d+\.\d+(\.\d+)?(-\w+)?$", name)

    def test_prometheus_and_alertmanager_have_versions_that_tests_run(self):
        built = (SOURCE_DIR / "tests/prometheus3/with_tools.py").read_text()
        version = re.search(r'cmd/prometheus": "([\d.]+)"', built)[1]
        self.assertEqual(self.services["prometheus"]["image"], f"prom/prometheus:v{version}")
        # Prometheus 3.16.0 is the Go module's v0.316.0.
        major, minor, patch = (int(part) for part in version.split("."))
        modules = (SOURCE_DIR / "tests/prometheus3/go.mod").read_text()
        self.assertIn(f"github.com/prometheus/prometheus v0.{major}{minor:02}.{patch} ", modules)
        # Debian 12's, which the integration tests start.
        self.assertEqual(self.services["alertmanager"]["image"], "prom/alertmanager:v0.25.0")

    def test_the_agents_containers_have_no_rights_to_spare(self):
        for name, service in self.services.items():
            if service["image"].startswith("apiquota:"):
                self.assertTrue(service["read_only"], name)
                self.assertEqual(service["cap_drop"], ["ALL"], name)
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"], name)

    def test_the_image_has_the_projects_version(self):
        cmake = (SOURCE_DIR / "CMakeLists.txt").read_text()
        version = re.search(r"project\(apiquota VERSION ([\d.]+)", cmake)[1]
        self.assertEqual(self.services["agent"]["image"], f"apiquota:{version}")

    def test_grafana_gets_every_dashboard(self):
        mounted = {Path(volume.split(":")[0]).name for volume in self.services["grafana"]["volumes"]}
        for dashboard in (SOURCE_DIR / "dashboards").glob("*.json"):
            if "package" not in dashboard.name and dashboard.name != "tsconfig.json":
                self.assertIn(dashboard.name, mounted)


class StackFilesTest(unittest.TestCase):
    def test_the_agent_accepts_its_configuration(self):
        done = run(os.environ["APIQUOTA_BINARY"], "check-config", str(STACK / "apiquota.yaml"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_prometheus_is_configured_as_without_containers(self):
        self.assertEqual(without_addresses((STACK / "prometheus.yml").read_text()),
                         without_addresses((SOURCE_DIR / "alerts/prometheus.yml").read_text()))

    def test_prometheus_accepts_its_configuration_and_finds_the_rules(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(STACK / "prometheus.yml", folder)
            (Path(folder) / "alerts").symlink_to(SOURCE_DIR / "alerts")
            done = run("promtool", "check", "config", "prometheus.yml", cwd=folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for rules in (SOURCE_DIR / "alerts").glob("*.rules.yaml"):
                self.assertIn(f"alerts/{rules.name}", done.stdout)

    def test_the_images_sources_are_sent_to_the_builder(self):
        ignore = (SOURCE_DIR / ".dockerignore").read_text()
        sent = [line[1:] for line in ignore.splitlines() if line.startswith("!")]
        copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (SOURCE_DIR / "agent/Dockerfile").read_text(), re.M)
        for source in (source.rstrip("/") for copy in copies for source in copy.split()):
            self.assertTrue((SOURCE_DIR / source).exists(), source)
            self.assertTrue(any(path == source or path.startswith(source + "/") for path in sent), source)


if __name__ == "__main__":
    for tool in ("docker-compose", "promtool"):
        if not shutil.which(tool):
            print(f"SKIPPED: {tool} is not installed")
            sys.exit(77)
    unittest.main()
