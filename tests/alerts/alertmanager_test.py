"""The Alertmanager's configuration: who hears of what, what keeps quiet, and how it reads. Delivery itself is
tests/integration's."""

import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("APIQUOTA_SOURCE_DIR", Path(__file__).resolve().parents[2]))
ALERTS = SOURCE_DIR / "alerts"
CONFIG = (ALERTS / "alertmanager.yml").read_text()

DESCRIPTION = ("openai-prod: 92% of the tokens quota of gpt-4o (key ci) is used; "
               "2400 of 30000 tokens are left; it resets in 51m 0s.")
TEXT = f"""FIRING: openai-prod (key ci): An API quota is nearly used up.

critical: {DESCRIPTION}
  since      2026-03-01 10:00:00 UTC
  look       /d/apiquota-api?var-api=openai-prod&var-key=ci
  what to do alerts/runbook.md#apiquotacritical
  query      http://prometheus:9090/graph?g0.expr=up

resolved: Much of an API quota is used. Quota requests.
  from 2026-03-01 09:00:00 to 2026-03-01 09:42:00 UTC
"""
SLACK = f"""*critical* {DESCRIPTION}
</d/apiquota-api?var-api=openai-prod&var-key=ci|dashboard> · <alerts/runbook.md#apiquotacritical|runbook> · \
<http://prometheus:9090/graph?g0.expr=up|query>
_resolved_ Much of an API quota is used. Quota requests.
"""


def amtool(*arguments):
    done = subprocess.run(["amtool", *arguments], cwd=ALERTS, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


def rendered(text, kind="text"):
    return amtool("template", "render", "--template.glob=*.tmpl", f"--template.type={kind}",
                  f"--template.data={SOURCE_DIR}/tests/alerts/page.json", f"--template.text={text}")


class AlertmanagerTest(unittest.TestCase):
    def test_amtool_accepts_the_configuration_and_its_templates(self):
        said = amtool("check-config", "alertmanager.yml")
        self.assertIn("1 templates", said)

    def test_team_and_severity_choose_the_receiver(self):
        for receiver, *labels in (
                ("page", "severity=critical", "api=github", "key=ci"),
                ("queue", "severity=warning", "api=github", "key=ci"),
                ("digest", "severity=info", "api=github", "key=ci"),
                ("queue", "severity=warning", "job=apiquota", "instance=a"),
                ("page", "severity=critical", "alertname=ApiQuotaAgentDown", "job=apiquota", "instance=a"),
                ("page", "severity=critical", "team=sales", "api=crm"),
                ("queue", "api=github"),
                ("platform-pager", "severity=critical", "team=platform", "api=github"),
                ("platform-channel", "severity=warning", "team=platform", "api=github"),
                ("platform-channel", "severity=info", "team=platform", "api=github")):
            with self.subTest(labels):
                amtool("config", "routes", "test", "--config.file=alertmanager.yml",
                       f"--verify.receivers={receiver}", *labels)

    def test_what_a_page_mutes_has_the_labels_it_is_compared_by(self):
        # Two alerts that both lack a label count as equal in it: one such rule can silence everything.
        rules = re.findall(r"source_matchers: \[(.+)\]\n +target_matchers: \[(.+)\]\n +equal: \[(.+)\]",
                           CONFIG)
        self.assertEqual(len(rules), CONFIG.count("source_matchers"))
        for source, target, equal in rules:
            for label in set(equal.split(", ")) - {"resource"}:
                self.assertIn(f'{label} =~ ".+"', source)
                self.assertIn(f'{label} =~ ".+"', target)

    def test_the_alerts_it_names_exist(self):
        rules = "".join(file.read_text() for file in ALERTS.glob("*.rules.yaml"))
        names = set(re.findall(r"- alert: (\w+)", rules))
        named = re.findall(r'alertname \S+ "([\w|]+)"', CONFIG)
        self.assertEqual(set("|".join(named).split("|")) - names, set())

    def test_secrets_are_in_files(self):
        secrets = re.findall(r"(\w*(?:key|api_url|password|credentials)\w*): \S+", CONFIG)
        self.assertEqual(sorted(set(secrets)), sorted({name for name in secrets if name.endswith("_file")}))
        self.assertGreaterEqual(len(set(secrets)), 4)

    def test_a_notification_reads_well(self):
        self.assertEqual(rendered('{{ template "apiquota.text" . }}').strip(), TEXT.strip())
        self.assertEqual(rendered('{{ template "apiquota.slack" . }}').strip(), SLACK.strip())
        self.assertEqual(rendered('{{ template "apiquota.title" . }}'), TEXT.splitlines()[0])
        self.assertEqual(rendered('{{ template "apiquota.color" . }}'), "danger")
        self.assertEqual(rendered('{{ template "apiquota.list" .Alerts.Firing }}').strip(),
                         f"[critical] {DESCRIPTION}")

    def test_the_html_of_a_mail_has_the_numbers_and_the_links(self):
        html = rendered('{{ template "apiquota.html" . }}', "html")
        self.assertIn(DESCRIPTION, html)
        for link in ("/d/apiquota-api?var-api=openai-prod&amp;var-key=ci",
                     "alerts/runbook.md#apiquotacritical", "http://prometheus:9090/graph?g0.expr=up"):
            self.assertIn(f'<a href="{link}">', html)


if __name__ == "__main__":
    if not shutil.which("amtool"):
        print("SKIPPED: amtool is not installed (Debian package prometheus-alertmanager)")
        sys.exit(77)
    unittest.main()
