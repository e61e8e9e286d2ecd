// The one strict YAML reader, for configuration and exporter files. Every complaint is
// "file:line:column: what, and what was expected"; the first one wins and is kept in the document. No
// complaint repeats a value or a key that is not nearly one of ours: a credential may have been typed into
// any place.
//
//   auto doc = YamlDocument::Parse(text, "apiquota.yaml");          // see ParseYamlTree
//   YamlMap root = doc->Root().AsMap();
//   options.listen = root.Require("listen").AsString();
//   for (YamlValue api : root.Get("apis").AsList()) …
//   root.Finish();                                                  // unknown keys, with a suggestion
//   if (doc->error()) return std::unexpected(*doc->error());
//
// Reading goes on after an error with harmless values, so loaders stay straight-line code.
// Not thread-safe; values and maps must not outlive their document.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota {

class YamlMap;
struct YamlNode;
struct YamlState;

class YamlValue {
 public:
  // Absent values (from Get) read as empty without an error.
  bool Present() const;
  bool IsMap() const;
  bool IsList() const;
  bool IsScalar() const;
  bool IsNull() const;  // there, and nothing; also the root of a text without any value

  YamlMap AsMap() const;
  YamlMap AsSection() const;              // a map of which nothing is required: its name alone sets nothing
  std::vector<YamlValue> AsList() const;  // absent → {}
  std::vector<YamlValue> AsListOrSingle() const;  // a lone scalar or map counts as a list of one
  std::string AsString() const;
  int64_t AsInteger(int64_t min, int64_t max) const;
  double AsNumber() const;
  bool AsBool() const;
  Micros AsDuration() const;

  // One of the words of `table`; else an error that lists them and suggests the closest.
  template <class T>
  T AsEnum(std::span<const std::pair<std::string_view, T>> table) const {
    std::vector<std::string_view> words;
    for (const auto& [word, value] : table) words.push_back(word);
    const size_t index = WordIndex(words);
    return index < table.size() ? table[index].second : table[0].second;
  }

  // Where the value stands: "apiquota.yaml:3:7".
  std::string Position() const;

  // Records "<position>: <complaint>" unless an earlier error is recorded. `complaint` names kinds and what
  // was expected, never what the file says.
  void Fail(std::string_view complaint) const;

 private:
  friend class YamlMap;
  friend class YamlDocument;
  YamlValue(YamlState* state, const YamlNode* node, const YamlNode& place)
      : state_(state), node_(node), place_(&place) {}
  size_t WordIndex(const std::vector<std::string_view>& words) const;
  bool ExpectScalar(std::string_view expected, std::string* text) const;

  YamlState* state_;
  const YamlNode* node_;   // null: absent
  const YamlNode* place_;  // where complaints point to: the nearest node that exists
};

class YamlMap {
 public:
  bool Empty() const { return pairs_.empty(); }
  bool Has(std::string_view key) const;
  YamlValue Get(std::string_view key);      // absent value if the key isn't there
  YamlValue Require(std::string_view key);  // an error at the map's position if it isn't there

  // All keys, in file order, for maps whose keys are the user's own (labels). They count as asked
  // for.
  std::vector<std::pair<std::string, YamlValue>> Entries();

  // Complains about the first key that was never asked for. `known` are those that it names, else all that
  // were.
  void Finish() const;
  void Finish(const std::vector<std::string_view>& known) const;

  const YamlValue& value() const { return value_; }

 private:
  friend class YamlValue;
  struct Pair {
    const YamlNode* key;
    const YamlNode* value;
  };
  explicit YamlMap(YamlValue value);
  bool BlameMisspelling(std::string_view key) const;

  YamlValue value_;
  std::vector<Pair> pairs_;  // in file order
  std::vector<std::string> asked_;
};

class YamlDocument {
 public:
  // `file` is only the name used in messages.
  static Result<YamlDocument> Parse(const std::string& text, std::string file);
  YamlDocument(YamlDocument&&) noexcept;
  YamlDocument& operator=(YamlDocument&&) noexcept;
  ~YamlDocument();

  YamlValue Root() const;
  const std::optional<Error>& error() const;

 private:
  YamlDocument();
  std::unique_ptr<YamlState> state_;
};

}  // namespace apiquota
