"""The stand-in for Grafana's query side: the rules that the live check relies on."""

import unittest

from grafana import ALL, Page, legends


def variable(name, multi=True, all_value=".+"):
    return {"name": name, "type": "query", "multi": multi, "includeAll": multi, "allValue": all_value,
            "query": {"query": f"label_values(m, {name})"}}


def page(span=3600, scrape=15):
    dashboard = {"templating": {"list": [variable("key"), variable("api", multi=False)]}}
    return Page(dashboard, None, 0, span, scrape)


class InterpolationTest(unittest.TestCase):
    def test_all_is_the_variables_own_word_for_it(self):
        self.assertEqual(page().interpolate('m{key=~"$key"}', {"key": ALL}, 800), 'm{key=~".+"}')

    def test_several_values_are_alternatives_and_special_characters_are_taken_literally(self):
        self.assertEqual(page().interpolate('m{key=~"$key"}', {"key": ["a.b", "c"]}, 800),
                         'm{key=~"(a\\\\.b|c)"}')

    def test_a_variable_with_one_value_is_only_quoted(self):
        self.assertEqual(page().interpolate('m{api="${api}"}', {"api": ['a"b']}, 800), 'm{api="a\\"b"}')

    def test_a_variable_that_was_not_chosen_stays(self):
        self.assertEqual(page().interpolate("$unit $keys", {"key": ALL}, 800), "$unit $keys")

    def test_the_rate_interval_holds_four_scrapes_and_a_step_with_one(self):
        self.assertEqual(page(span=3600).interpolate("[$__rate_interval]", {}, 800), "[60s]")
        self.assertEqual(page(span=86400).interpolate("[$__rate_interval]", {}, 800), "[135s]")

    def test_the_range_is_the_span_that_is_shown(self):
        self.assertEqual(page(span=300).interpolate("[$__range]", {}, 800), "[300s]")


class LegendTest(unittest.TestCase):
    def test_an_absent_label_leaves_its_place_empty(self):
        self.assertEqual(legends({"legendFormat": "{{a}} ({{b}})"}, [({"a": "x"}, []), ({"b": "y"}, [])]),
                         ["x ()", " (y)"])


if __name__ == "__main__":
    unittest.main()
