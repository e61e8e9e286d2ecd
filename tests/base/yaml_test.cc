#include "base/yaml.h"

#include <gtest/gtest.h>

#include <functional>

namespace apiquota {
namespace {

YamlDocument Parsed(const std::string& text) {
  auto document = YamlDocument::Parse(text, "f.yaml");
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return std::move(*document);
}

// The complaint of Parse, or of `read` on the root.
std::string Complaint(const std::string& text, const std::function<void(YamlMap&)>& read = [](YamlMap&) {}) {
  auto document = YamlDocument::Parse(text, "f.yaml");
  if (!document) return document.error().message;
  YamlMap root = document->Root().AsMap();
  read(root);
  return document->error() ? document->error()->message : "none";
}

TEST(YamlTest, ReadsEveryKindOfValue) {
  YamlDocument document = Parsed(
      "text: a b\nquoted: \"8\"\nwhole: -8\nnumber: 2.5\nyes: true\nno: false\nwait: 1m30s\n"
      "list: [a, b]\none: a\nlabels: {b: 1, a: 2}\n");
  YamlMap root = document.Root().AsMap();
  EXPECT_EQ(root.Get("text").AsString(), "a b");
  EXPECT_EQ(root.Get("quoted").AsString(), "8");
  EXPECT_EQ(root.Get("whole").AsInteger(-10, 10), -8);
  EXPECT_EQ(root.Get("number").AsNumber(), 2.5);
  EXPECT_TRUE(root.Get("yes").AsBool());
  EXPECT_FALSE(root.Get("no").AsBool());
  EXPECT_EQ(root.Get("wait").AsDuration(), std::chrono::seconds(90));
  ASSERT_EQ(root.Get("list").AsList().size(), 2u);
  EXPECT_EQ(root.Get("list").AsList()[1].AsString(), "b");
  EXPECT_EQ(root.Get("one").AsListOrSingle().size(), 1u);
  YamlMap labels = root.Get("labels").AsMap();
  ASSERT_EQ(labels.Entries().size(), 2u);
  EXPECT_EQ(labels.Entries()[0].first, "b") << "file order";
  labels.Finish();
  root.Finish();
  EXPECT_EQ(document.error(), std::nullopt);
}

TEST(YamlTest, AbsentValuesReadAsEmptyWithoutAComplaint) {
  YamlDocument document = Parsed("a: 1\n");
  YamlMap root = document.Root().AsMap();
  const YamlValue absent = root.Get("b");
  EXPECT_FALSE(absent.Present());
  EXPECT_FALSE(root.Has("b"));
  EXPECT_EQ(absent.AsString(), "");
  EXPECT_EQ(absent.AsInteger(3, 9), 3);
  EXPECT_EQ(absent.AsNumber(), 0);
  EXPECT_FALSE(absent.AsBool());
  EXPECT_EQ(absent.AsDuration(), Micros(0));
  EXPECT_TRUE(absent.AsList().empty());
  EXPECT_TRUE(absent.AsListOrSingle().empty());
  YamlMap inner = absent.AsMap();
  EXPECT_FALSE(inner.Require("c").Present());
  inner.Finish();
  EXPECT_EQ(document.error(), std::nullopt);
}

TEST(YamlTest, WordsComeFromATable) {
  constexpr std::pair<std::string_view, int> kTable[] = {{"fixed", 1}, {"bucket", 2}};
  YamlDocument document = Parsed("kind: bucket\nother: fixd\n");
  YamlMap root = document.Root().AsMap();
  EXPECT_EQ(root.Get("kind").AsEnum<int>(kTable), 2);
  EXPECT_EQ(root.Get("other").AsEnum<int>(kTable), 1);
  ASSERT_TRUE(document.error());
  EXPECT_EQ(document.error()->message, "f.yaml:2:8: expected one of fixed, bucket; did you mean \"fixed\"?");
}

TEST(YamlTest, BadTypesSayWhatWasExpected) {
  const std::string text = "map: {a: b}\nlist: [1]\nword: soon\nnothing:\n";
  const std::pair<std::function<void(YamlMap&)>, const char*> cases[] = {
      {[](YamlMap& m) { m.Get("word").AsMap(); }, "f.yaml:3:7: expected a map, found text"},
      {[](YamlMap& m) { m.Get("word").AsList(); }, "f.yaml:3:7: expected a list, found text"},
      {[](YamlMap& m) { m.Get("list").AsString(); }, "f.yaml:2:7: expected text, found a list"},
      {[](YamlMap& m) { m.Get("map").AsString(); }, "f.yaml:1:6: expected text, found a map"},
      {[](YamlMap& m) { m.Get("word").AsInteger(1, 9); }, "f.yaml:3:7: expected a whole number from 1 to 9"},
      {[](YamlMap& m) { m.Get("list").AsList()[0].AsInteger(2, 9); },
       "f.yaml:2:8: expected a whole number from 2 to 9"},
      {[](YamlMap& m) { m.Get("word").AsNumber(); }, "f.yaml:3:7: expected a number"},
      {[](YamlMap& m) { m.Get("word").AsBool(); }, "f.yaml:3:7: expected true or false"},
      {[](YamlMap& m) { m.Get("word").AsDuration(); },
       "f.yaml:3:7: expected a duration such as 60s, 1m30s or 250ms"},
      {[](YamlMap& m) { m.Get("nothing").AsMap(); }, "f.yaml:4:1: expected a map, found nothing"},
      {[](YamlMap& m) { m.Get("nothing").AsString(); }, "f.yaml:4:1: expected text, found nothing"},
      {[](YamlMap& m) { m.Require("exporter"); }, "f.yaml:1:1: \"exporter\" is missing here"},
  };
  for (const auto& [read, complaint] : cases) EXPECT_EQ(Complaint(text, read), complaint);
}

TEST(YamlTest, TheFirstComplaintIsKept) {
  EXPECT_EQ(Complaint("a: x\nb: y\n",
                      [](YamlMap& map) {
                        map.Get("b").AsBool();
                        map.Get("a").AsBool();
                        map.Finish();
                      }),
            "f.yaml:2:4: expected true or false");
}

TEST(YamlTest, UnknownKeysAreNamedWithASuggestion) {
  const auto read = [](YamlMap& map) {
    map.Get("listen");
    map.Get("hosts");
    map.Finish();
  };
  EXPECT_EQ(Complaint("lisetn: 1\n", read), "f.yaml:1:1: unknown key \"lisetn\"; did you mean \"listen\"?");
  EXPECT_EQ(Complaint("listen: 1\npoll: 1\n", read), "f.yaml:2:1: unknown key; known here: listen, hosts");
}

TEST(YamlTest, AMissingKeyThatIsThereMisspelledIsToldSo) {
  EXPECT_EQ(Complaint("nmae: x\n", [](YamlMap& map) { map.Require("name"); }),
            "f.yaml:1:1: unknown key \"nmae\"; did you mean \"name\"?");
}

TEST(YamlTest, WhatTheFileSaysIsNotRepeated) {
  const std::pair<std::string, std::function<void(YamlMap&)>> cases[] = {
      {"a: sk-canary\n", [](YamlMap& map) { map.Get("a").AsMap(); }},
      {"a: sk-canary\n", [](YamlMap& map) { map.Get("a").AsList(); }},
      {"a: sk-canary\n", [](YamlMap& map) { map.Get("a").AsInteger(1, 2); }},
      {"a: sk-canary\n", [](YamlMap& map) { map.Get("a").AsNumber(); }},
      {"a: sk-canary\n", [](YamlMap& map) { map.Get("a").AsBool(); }},
      {"a: sk-canary\n", [](YamlMap& map) { map.Get("a").AsDuration(); }},
      {"sk-canary: 1\n", [](YamlMap& map) { map.Finish(); }},
      {"sk-canary: 1\nsk-canary: 2\n", [](YamlMap& map) { map.Finish(); }},
      {"a: *sk-canary\n", [](YamlMap&) {}},
      {"a: &sk-canary x\n", [](YamlMap&) {}},
      {"a: !sk-canary x\n", [](YamlMap&) {}},
      {"a: !sk-canary!x x\n", [](YamlMap&) {}},
      {"%sk-canary\na: 1\n", [](YamlMap&) {}},
      {"%YAML sk-canary\n---\na: 1\n", [](YamlMap&) {}},
      {"%YAML 1.2 sk-canary\n---\na: 1\n", [](YamlMap&) {}},
      {"a: \"sk-canary\\q\"\n", [](YamlMap&) {}},
      {"a: \"\\xsk-canary\"\n", [](YamlMap&) {}},
      {"a: b: sk-canary\n", [](YamlMap&) {}},
      {"a: [sk-canary\n", [](YamlMap&) {}},
      {"sk-canary\n  a: 1\n", [](YamlMap&) {}},
  };
  for (const auto& [text, read] : cases) {
    EXPECT_EQ(Complaint(text, read).find("canary"), std::string::npos) << text << Complaint(text, read);
  }
}

TEST(YamlTest, WhatAStrictReaderMustNotGuessIsRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key"},
      {"a: {b: 1, c: 2, b: 3}\n", "f.yaml:1:17: duplicate key"},
      {"[{x: 1}, {x: 1, x: 2}]\n", "f.yaml:1:17: duplicate key"},
      {"{a: b}: c\n", "f.yaml:1:1: expected a plain word as key"},
      {"[a]: c\n", "f.yaml:1:1: expected a plain word as key"},
      {"a: &x 1\nb: *x\n", "f.yaml:1:4: anchors and aliases are not read here; write the value out"},
      {"a: !!str 1\n", "f.yaml:1:4: tags such as !!str are not read here; write the plain value"},
      {"a: !secret {b: 1}\n", "f.yaml:1:4: tags such as !!str are not read here; write the plain value"},
      {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document; one file holds one"},
      {"a: [1\n", "f.yaml:2:1: not YAML: end of sequence flow not found"},
      {"a: b: c\n", "f.yaml:1:5: not YAML: illegal map value"},
      {"", "f.yaml:1:1: expected a map, found nothing"},
      {"# only a comment\n", "f.yaml:1:1: expected a map, found nothing"},
      {"text\n", "f.yaml:1:1: expected a map, found text"},
      {std::string(1024 * 1024 + 1, '#'), "f.yaml:1:1: larger than 1 MiB, which no file of ours needs"},
  };
  for (const auto& [text, complaint] : cases) EXPECT_EQ(Complaint(text), complaint);
}

TEST(YamlTest, DeepNestingIsRefused) {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  EXPECT_EQ(Complaint(deep), "f.yaml:1:65: nested deeper than 64 levels, which no file of ours needs");
  EXPECT_TRUE(YamlDocument::Parse(deep.substr(1, 128), "f.yaml"));
  EXPECT_FALSE(YamlDocument::Parse(std::string(500'000, '['), "f.yaml"));
}

TEST(YamlTest, ABillionLaughsAreRefusedAtOnce) {
  std::string text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  EXPECT_EQ(Complaint(text), "f.yaml:1:5: anchors and aliases are not read here; write the value out");
}

}  // namespace
}  // namespace apiquota
