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


def inhibitions():
    """[(source, target, equal)] of the file; the first two are lists of (label, operator, value)."""
    matchers = r"_matchers:(?: \[(.+)\]|((?:\n      - .+)+))\n"
    found = re.findall(rf"source{matchers} +target{matchers} +equal: \[(.+)\]", CONFIG)
    read = re.compile(r'(\w+) (=~|!=|=) "([^"]*)"')
    return [(read.findall(source + more), read.findall(target + more_of_target), equal.split(", "))
            for source, more, target, more_of_target, equal in found]


def mutes(source, target):
    """Whether the alert with the one's labels keeps that with the other's quiet."""
    def fits(labels, matchers):
        for label, operator, value in matchers:
            has = labels.get(label, "")
            if {"=": has != value, "!=": has == value, "=~": not re.fullmatch(value, has)}[operator]:
                return False
        return True

    return any(fits(source, one) and fits(target, other) and not fits(source, other)
               and all(source.get(label, "") == target.get(label, "") for label in equal)
               for one, other, equal in inhibitions())


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
        rules = inhibitions()
        self.assertEqual(len(rules), CONFIG.count("source_matchers"))
        for source, target, equal in rules:
            for label in set(equal) - {"resource"}:
                self.assertIn((label, "=~", ".+"), source)
                self.assertIn((label, "=~", ".+"), target)

    def test_an_api_that_is_not_asked_mutes_what_comes_of_that_and_nothing_else(self):
        openai = {"api": "openai", "severity": "warning"}
        breaker = {**openai, "alertname": "ApiBreakerOpen", "severity": "critical"}
        for name in ("ApiServingStale", "ApiRetryStorm", "ApiLatencyHigh", "ApiProviderOverloaded",
                     "ApiBreakerOpen"):
            self.assertTrue(mutes(breaker, {**openai, "alertname": name}), name)
            self.assertFalse(mutes(breaker, {**openai, "alertname": name, "api": "github"}), name)
        for name in ("ApiPollFailing", "ApiReadingsStale"):
            self.assertTrue(mutes(breaker, {**openai, "alertname": name, "key": "ci"}), name)
        for name in ("ApiQueueStuck", "ApiCredentialRejected"):
            self.assertFalse(mutes(breaker, {**openai, "alertname": name, "severity": "critical"}), name)
        for name in ("ApiCallerNearLimit", "ApiQueueSaturated", "ApiReservationsUnsettled"):
            self.assertFalse(mutes(breaker, {**openai, "alertname": name}), name)
        self.assertFalse(mutes(breaker, breaker), "itself")
        flapping = {**breaker, "severity": "warning"}
        self.assertFalse(mutes(flapping, {**openai, "alertname": "ApiPollFailing"}))

    def test_a_stuck_queue_mutes_that_it_is_full_and_an_exhausted_quota_its_cooldown(self):
        stuck = {"alertname": "ApiQueueStuck", "severity": "critical", "api": "openai"}
        full = {"alertname": "ApiQueueSaturated", "severity": "warning", "api": "openai"}
        self.assertTrue(mutes(stuck, full))
        self.assertFalse(mutes(full, stuck))
        exhausted = {"alertname": "ApiQuotaExhausted", "severity": "critical", "api": "openai", "key": "ci",
                     "resource": "gpt-4o", "quota": "tokens", "unit": "tokens"}
        cooldown = {"alertname": "ApiCooldownLong", "severity": "warning", "api": "openai", "key": "ci"}
        self.assertTrue(mutes(exhausted, cooldown))
        self.assertFalse(mutes(exhausted, {**cooldown, "key": "other"}))

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
