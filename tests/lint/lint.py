#!/usr/bin/env python3
"""The house's rules, held against the tree. Prints `file:line: what, and what instead`; exit 1 if anything.

tests/lint/lint.py [root]
"""

import sys
from pathlib import Path

import project_rules
import source_rules
from tree import load_tree


def lint(tree):
    findings = {finding for rule in source_rules.RULES + project_rules.RULES for finding in rule(tree)}
    return sorted(findings)


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    tree = load_tree(root)
    findings = lint(tree)
    for finding in findings:
        print(finding)
    print(f"lint: {len(tree.files)} files, {len(findings)} findings")
    return 1 if findings or not tree.files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
