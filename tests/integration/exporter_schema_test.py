"""exporters/exporter.schema.json, which editors check exporter files with, and the tables of
exporters/README.md are what the agent's own table of keys says (--write writes them anew); that table against
what its loader takes: the same keys and words at every place, and all files of exporters/ are good by
both."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import BINARY, SOURCE_DIR, skip

try:
    import jsonschema
    import yaml
except ImportError as missing:
    skip(f"{missing.name} is not installed (Debian packages python3-jsonschema, python3-yaml)")

EXPORTERS = SOURCE_DIR / "exporters"
SCHEMA = json.loads((EXPORTERS / "exporter.schema.json").read_text())
KEYS = re.compile(r"(<!-- keys -->\n).*(<!-- end of keys -->\n)", re.DOTALL)
HEAD = "name: x\ntitle: X\n"
QUOTA = "quota: q, unit: requests, kind: fixed"
# Where each definition of the schema can be met: a file with one mistake in the place of {}.
PLACES = {
    "": HEAD + "{}",
    "by_resource": HEAD + f"quotas: [{{{{{QUOTA}, limit: {{{{header: a}}}}, by_resource: "
                          "{{b: {{{}}}}}}}]",
    "resource_names": HEAD + f"quotas: [{{{{{QUOTA}, limit: {{{{body: /a/*/b}}}}, "
                             "resource: {{body: /a/*/c, {}}}}}]",
    "credential": HEAD + "credential: {{header: a, {}}}",
    "resource": HEAD + "resource: {{path: /a, value: b, {}}}",
    "quota": HEAD + f"quotas: [{{{{{QUOTA}, {{}}}}}}]",
    "source": HEAD + f"quotas: [{{{{{QUOTA}, limit: {{{{header: a, {{}}}}}}}}}}]",
    "throttle": HEAD + "throttle: [{{status: 429, scope: primary, {}}}]",
    "header_condition": HEAD + "throttle: [{{status: 429, scope: primary, header: {{name: a, {}}}}}]",
    "body_condition": HEAD + "throttle: [{{status: 429, scope: primary, body: {{pointer: /a, {}}}}}]",
    "when": HEAD + f"quotas: [{{{{{QUOTA}, when: {{{{{{}}}}}}}}}}]",
    "usage": HEAD + "usage: {{input: /a, {}}}",
    "usage_within": HEAD + "usage: {{input: {{pointer: /a, within: output, {}}}}}",
    "poll": HEAD + "poll: {{path: /a, costs: nothing, {}}}",
    "charge": HEAD + "charge: {{tokens: {{counts: both}}, {}}}",
    "charge_tokens": HEAD + "charge: {{tokens: {{{}}}}}",
    "by_quota": HEAD + "charge: {{tokens: {{by_quota: {{q: {{{}}}}}}}}}",
    "batch": HEAD + "batch: {{endpoint: /b, paths: /a, {}}}",
    "refusal": HEAD + "refusal: {{body: '{{\"m\": \"{{message}}\"}}', {}}}",
}
# Where each word of a closed list can be met.
WORDS = {
    ("credential", "part"): HEAD + "credential: {{header: a, scheme: Basic, part: {}}}",
    ("quota", "kind"): HEAD + "quotas: [{{quota: q, unit: requests, kind: {}}}]",
    ("quota", "window"): HEAD + f"quotas: [{{{{{QUOTA}, window: {{}}}}}}]",
    ("throttle", "scope"): HEAD + "throttle: [{{status: 429, scope: {}}}]",
    ("usage_within", "within"): HEAD + "usage: {{input: {{pointer: /a, within: {}}}}}",
    ("source", "format"): HEAD + f"quotas: [{{{{{QUOTA}, limit: {{{{header: a, format: {{}}}}}}}}}}]",
    ("quota", "unit"): HEAD + "quotas: [{{quota: q, unit: {}, kind: fixed}}]",
    ("charge_tokens", "counts"): HEAD + "charge: {{tokens: {{counts: {}}}}}",
    ("charge_tokens", "cap"): HEAD + "charge: {{tokens: {{cap: {}}}}}",
    ("charge_tokens", "when"): HEAD + "charge: {{tokens: {{when: {}}}}}",
    ("charge_tokens", "cached"): HEAD + "charge: {{tokens: {{cached: {}}}}}",
    ("poll", "method"): HEAD + "poll: {{path: /a, costs: nothing, method: {}}}",
}


def grammar(flag):
    """What the agent says of exporter files in general."""
    return subprocess.run([BINARY, "exporters", flag], capture_output=True, text=True, timeout=20,
                          check=True).stdout


def readme_with(tables):
    text = (EXPORTERS / "README.md").read_text()
    assert KEYS.search(text), "exporters/README.md has lost the place of its tables"
    return KEYS.sub(lambda match: match[1] + tables + match[2], text)


def definition(name):
    return SCHEMA["definitions"][name] if name else SCHEMA


def words_in(node):
    """All words of the enums below `node`, without looking behind references."""
    if isinstance(node, dict):
        return set(node.get("enum", ())).union(*(words_in(value) for value in node.values()))
    return set().union(*map(words_in, node)) if isinstance(node, list) else set()


class ExporterSchemaTest(unittest.TestCase):
    def complaint(self, text):
        """What the agent says of a file with this text."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "x.yaml").write_text(text + "\n")
            done = subprocess.run([BINARY, "exporters", "x", "--exporters.dir", folder], capture_output=True,
                                  text=True, timeout=20)
            self.assertEqual(done.returncode, 2, f"accepted:\n{text}\n{done.stdout}")
            return done.stderr

    def test_schema_and_readme_are_what_the_table_of_keys_says(self):
        self.assertEqual((EXPORTERS / "exporter.schema.json").read_text(), grammar("--schema"))
        self.assertEqual((EXPORTERS / "README.md").read_text(), readme_with(grammar("--keys")))

    def test_the_loader_takes_every_key_of_the_table(self):
        for name, place in PLACES.items():
            for key in definition(name)["properties"]:
                with self.subTest(place=name or "top level", key=key):
                    with tempfile.TemporaryDirectory() as folder:
                        mark = "" if re.search(rf"\b{key}: ", place) else f"{key}: [[]]"
                        Path(folder, "x.yaml").write_text(place.format(mark or "qqqqqqqqqqqq: 1") + "\n")
                        done = subprocess.run([BINARY, "exporters", "x", "--exporters.dir", folder],
                                              capture_output=True, text=True, timeout=20)
                        if mark:
                            self.assertNotIn("unknown key", done.stderr)
                        self.assertNotIn("the table of keys lacks", done.stderr)

    def test_every_place_knows_the_same_keys(self):
        for name, place in PLACES.items():
            with self.subTest(place=name or "top level"):
                complaint = self.complaint(place.format("qqqqqqqqqqqq: 1"))
                known = re.search(r"known here: (.+)", complaint)
                self.assertTrue(known, complaint)
                self.assertEqual(set(definition(name)["properties"]), set(known[1].split(", ")))

    def test_every_closed_list_has_the_same_words(self):
        for (name, key), place in WORDS.items():
            with self.subTest(place=name, key=key):
                complaint = self.complaint(place.format("qqqqqqqqqqqq"))
                known = re.search(r"expected one of (.+)", complaint)
                self.assertTrue(known, complaint)
                node = definition(name)["properties"][key] if key else definition(name)
                self.assertEqual(words_in(node), set(known[1].split(", ")))

    def test_every_definition_is_held_to_the_agent(self):
        with_keys = {name for name, node in SCHEMA["definitions"].items() if "properties" in node}
        self.assertEqual(with_keys, PLACES.keys() - {""})

    def test_every_key_is_described(self):
        for name in PLACES:
            for key, node in definition(name)["properties"].items():
                target = node.get("$ref", "").rpartition("/")[2]
                self.assertIn("description", definition(target) if target else node, f"{name}.{key}")

    def test_every_file_is_good(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)
        validator = jsonschema.Draft7Validator(SCHEMA)
        for path in sorted(EXPORTERS.glob("*.yaml")):
            errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
                      for error in validator.iter_errors(yaml.safe_load(path.read_text()))]
            self.assertEqual(errors, [], path.name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (EXPORTERS / "exporter.schema.json").write_text(grammar("--schema"))
        (EXPORTERS / "README.md").write_text(readme_with(grammar("--keys")))
    else:
        unittest.main()
