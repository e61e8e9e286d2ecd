#!/usr/bin/env python3
"""Each rule of project_rules.py against a small tree that breaks it, and its neighbour that doesn't."""

import unittest

import project_rules
from tree import Tree


def found(rule, files):
    return [str(finding) for finding in rule(Tree(files))]


class ProjectTest(unittest.TestCase):
    def test_a_metric_that_is_not_golden_is_found(self):
        golden = "# TYPE apiquota_limit gauge\n# TYPE apiquota_delay_seconds histogram\n"
        text = "apiquota_limit apiquota_delay_seconds_bucket apiquota_limits apiquota_limit_sum\n"
        files = {"tests/golden/metrics.txt": golden, "alerts/x.rules.yaml": text}
        self.assertEqual(
            [
                "alerts/x.rules.yaml:1: apiquota_limits is not in tests/golden/metrics.txt",
                "alerts/x.rules.yaml:1: apiquota_limit_sum is not in tests/golden/metrics.txt",
            ],
            found(project_rules.check_metric_names, files),
        )
        del files["tests/golden/metrics.txt"]
        self.assertEqual(1, len(found(project_rules.check_metric_names, files)))

    def test_an_exporter_has_recordings_and_one_throttle(self):
        def recordings(**files):
            return found(
                project_rules.check_recordings,
                {
                    "exporters/x.yaml": "",
                    **{f"tests/providers/x/{name.replace('_', '.')}": text for name, text in files.items()},
                },
            )

        self.assertEqual(["exporters/x.yaml:1: has no recording in tests/providers/x/"], recordings())
        self.assertEqual(
            ["exporters/x.yaml:1: none of its recordings in tests/providers/x/ is a throttle"],
            recordings(ok_http="", ok_json='{"throttle": null}'),
        )
        self.assertIn(
            "tests/providers/x/ok.http:1: has no expectation beside it (tests/providers/x/ok.json)",
            recordings(ok_http=""),
        )
        self.assertEqual([], recordings(ok_http="", ok_json='{"throttle": {"scope": "primary"}}'))

    def test_an_alert_without_a_runbook_entry_is_found(self):
        files = {
            "alerts/x.rules.yaml": "  - alert: High\n  - alert: Low\n  - alert: Held\n",
            "alerts/runbook.md": "## High\n",
            "alerts/runbook-guard.md": "## Held\n",
        }
        self.assertEqual(
            ["alerts/x.rules.yaml:2: Low has no heading in alerts/runbook*.md"],
            found(project_rules.check_alerts_documented, files),
        )

    def test_traces_of_a_machine_are_found(self):
        for line in (
            "see /" + "work/x",
            "cd /" + "home/ann/x",
            "https://registry." + "npmjs.org/x",
            '"reso' + 'lved": "https://x"',
        ):
            with self.subTest(line):
                self.assertEqual(1, len(found(project_rules.check_machine_traces, {"README.md": line})))
        self.assertEqual(
            [], found(project_rules.check_machine_traces, {"README.md": "app/workers/ network/x\n"})
        )

    def test_links_lead_somewhere(self):
        files = {
            "docs/a.md": "# Top\n[b](../b.md#two-words) [self](#top) [out](https://example.com) `[x](y)`\n",
            "b.md": "## Two words!\n",
        }
        self.assertEqual([], found(project_rules.check_links, files))
        self.assertEqual(
            ["docs/a.md:1: ../c.md leads nowhere", "docs/a.md:1: ../b.md#three: no such heading there"],
            found(project_rules.check_links, {**files, "docs/a.md": "[c](../c.md) [b](../b.md#three)\n"}),
        )

    def test_a_document_that_is_not_in_the_tree_is_not_named(self):
        semantics = {"docs/quota-semantics.md": "## 1. One\n## 2. Two\n", "tests/fuzz/script.md": ""}

        def named(line):
            return found(project_rules.check_references, {**semantics, "agent/quota/x.h": f"// {line}\n"})

        for line in (
            "as docs/quota-semantics.md rules 1 and 2 say",
            "RFC 9110 §7.6 and RFC 9112 9.6",
            "../fuzz/script.md, script.md",
            "https://example.com/docs/other.md",
            "a customer's plan, the design",
        ):
            with self.subTest(line):
                self.assertEqual([], named(line))
        for line, finding in (
            ("rules are in DES" + "IGN 6", "`DES" + "IGN`: is no document of this tree"),
            ("The plan " + "says both", "`The plan says`: what plan? Say the reason itself"),
            ("see §6.6", "`§`: of what? Only an RFC's sections are cited so"),
            ("see docs/other.md", "docs/other.md is not in the tree"),
            ("see HOUSE.md", "HOUSE.md is not in the tree"),
            ("docs/quota-semantics.md rules 1 to 3", "docs/quota-semantics.md has no rule 3"),
        ):
            with self.subTest(line):
                self.assertEqual([f"agent/quota/x.h:1: {finding}"], named(line))


if __name__ == "__main__":
    unittest.main()
