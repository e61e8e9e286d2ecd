#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/duration.h"
#include "base/text.h"

namespace apiquota {

struct YamlState {
  std::string file;
  YAML::Node root;
  std::optional<Error> error;
};

struct YamlValue::Node {
  YAML::Node yaml;
  bool present = true;
  YAML::Mark mark;  // of the nearest node that exists
};

namespace {

// yaml-cpp counts from 0, people from 1.
std::string At(const std::string& file, const YAML::Mark& mark) {
  return fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1);
}

std::string Suggestion(std::string_view word, const std::vector<std::string_view>& words) {
  const std::string_view match = ClosestMatch(word, words);
  return match.empty() ? "" : fmt::format("; did you mean \"{}\"?", match);
}

std::string Described(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return "a map";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Scalar:
      return fmt::format("\"{}\"", node.Scalar());
    default:
      return "nothing";
  }
}

// Duplicate keys anywhere, which yaml-cpp lets pass; aliases are refused, for they can multiply without bound.
std::optional<Error> FindDuplicate(const std::string& file, const YAML::Node& node, int depth) {
  if (depth > 64) return Error{At(file, node.Mark()) + ": nested deeper than 64 levels, which no file of ours needs"};
  if (node.IsSequence()) {
    for (const auto& item : node) {
      if (auto error = FindDuplicate(file, item, depth + 1)) return error;
    }
  }
  if (!node.IsMap()) return std::nullopt;
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return Error{At(file, entry.first.Mark()) + ": expected a plain word as key"};
    if (!seen.insert(entry.first.Scalar()).second) {
      return Error{fmt::format("{}: duplicate key \"{}\"", At(file, entry.first.Mark()), entry.first.Scalar())};
    }
    if (auto error = FindDuplicate(file, entry.second, depth + 1)) return error;
  }
  return std::nullopt;
}

}  // namespace

bool YamlValue::Present() const { return node_->present; }
bool YamlValue::IsMap() const { return Present() && node_->yaml.IsMap(); }
bool YamlValue::IsList() const { return Present() && node_->yaml.IsSequence(); }
bool YamlValue::IsScalar() const { return Present() && node_->yaml.IsScalar(); }

YamlMap YamlValue::AsMap() const {
  if (Present() && !node_->yaml.IsMap()) Fail(fmt::format("expected a map, found {}", Described(node_->yaml)));
  return YamlMap(*this);
}

std::vector<YamlValue> YamlValue::AsList() const {
  std::vector<YamlValue> items;
  if (!Present()) return items;
  if (!node_->yaml.IsSequence()) {
    Fail(fmt::format("expected a list, found {}", Described(node_->yaml)));
    return items;
  }
  for (const auto& item : node_->yaml) {
    items.push_back(YamlValue(state_, std::make_shared<Node>(Node{item, true, item.Mark()})));
  }
  return items;
}

std::vector<YamlValue> YamlValue::AsListOrSingle() const {
  if (IsScalar() || IsMap()) return {*this};
  return AsList();
}

bool YamlValue::ExpectScalar(std::string_view expected, std::string* text) const {
  if (!Present()) return false;
  if (!node_->yaml.IsScalar()) {
    Fail(fmt::format("expected {}, found {}", expected, Described(node_->yaml)));
    return false;
  }
  *text = node_->yaml.Scalar();
  return true;
}

std::string YamlValue::AsString() const {
  std::string text;
  ExpectScalar("text", &text);
  return text;
}

int64_t YamlValue::AsInteger(int64_t min, int64_t max) const {
  std::string text;
  const std::string expected = fmt::format("a whole number from {} to {}", min, max);
  if (!ExpectScalar(expected, &text)) return min;
  const bool negative = text.starts_with('-');
  const auto digits = ParseDigits(negative ? std::string_view(text).substr(1) : std::string_view(text));
  if (digits && *digits <= static_cast<uint64_t>(INT64_MAX)) {
    const int64_t value = negative ? -static_cast<int64_t>(*digits) : static_cast<int64_t>(*digits);
    if (value >= min && value <= max) return value;
  }
  Fail(fmt::format("expected {}, found \"{}\"", expected, text));
  return min;
}

double YamlValue::AsNumber() const {
  std::string text;
  if (!ExpectScalar("a number", &text)) return 0;
  if (const auto value = ParseDecimal(text)) return *value;
  Fail(fmt::format("expected a number, found \"{}\"", text));
  return 0;
}

bool YamlValue::AsBool() const {
  std::string text;
  if (!ExpectScalar("true or false", &text)) return false;
  if (text != "true" && text != "false") Fail(fmt::format("expected true or false, found \"{}\"", text));
  return text == "true";
}

Micros YamlValue::AsDuration() const {
  std::string text;
  if (!ExpectScalar("a duration such as 60s", &text)) return Micros(0);
  if (const auto duration = ParseDuration(text)) return *duration;
  Fail(fmt::format("expected a duration such as 60s, 1m30s or 250ms, found \"{}\"", text));
  return Micros(0);
}

size_t YamlValue::WordIndex(const std::vector<std::string_view>& words) const {
  std::string text;
  const std::string expected = fmt::format("one of {}", fmt::join(words, ", "));
  if (!ExpectScalar(expected, &text)) return words.size();
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  Fail(fmt::format("expected {}, found \"{}\"{}", expected, text, Suggestion(text, words)));
  return words.size();
}

std::string YamlValue::Position() const { return At(state_->file, node_->mark); }

void YamlValue::Fail(std::string_view complaint) const {
  if (!state_->error) state_->error = Error{fmt::format("{}: {}", Position(), complaint)};
}

bool YamlMap::Has(std::string_view key) const {
  return value_.IsMap() && static_cast<bool>(value_.node_->yaml[std::string(key)]);
}

YamlValue YamlMap::Get(std::string_view key) {
  asked_.emplace_back(key);
  if (!Has(key)) {
    return YamlValue(value_.state_, std::make_shared<YamlValue::Node>(YamlValue::Node{{}, false, value_.node_->mark}));
  }
  const YAML::Node child = value_.node_->yaml[std::string(key)];
  return YamlValue(value_.state_, std::make_shared<YamlValue::Node>(YamlValue::Node{child, true, child.Mark()}));
}

YamlValue YamlMap::Require(std::string_view key) {
  if (value_.IsMap() && !Has(key)) value_.Fail(fmt::format("\"{}\" is missing here", key));
  return Get(key);
}

std::vector<std::pair<std::string, YamlValue>> YamlMap::Entries() {
  std::vector<std::pair<std::string, YamlValue>> entries;
  if (!value_.IsMap()) return entries;
  for (const auto& entry : value_.node_->yaml) entries.emplace_back(entry.first.Scalar(), Get(entry.first.Scalar()));
  return entries;
}

void YamlMap::Finish() const {
  if (!value_.IsMap()) return;
  const std::vector<std::string_view> known(asked_.begin(), asked_.end());
  for (const auto& entry : value_.node_->yaml) {
    const std::string& key = entry.first.Scalar();
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string hint = Suggestion(key, known);
    const YamlValue at(value_.state_, std::make_shared<YamlValue::Node>(
                                          YamlValue::Node{entry.first, true, entry.first.Mark()}));
    at.Fail(fmt::format("unknown key \"{}\"{}", key,
                        hint.empty() ? fmt::format("; known here: {}", fmt::join(known, ", ")) : hint));
    return;
  }
}

YamlDocument::YamlDocument() : state_(std::make_unique<YamlState>()) {}
YamlDocument::YamlDocument(YamlDocument&&) noexcept = default;
YamlDocument& YamlDocument::operator=(YamlDocument&&) noexcept = default;
YamlDocument::~YamlDocument() = default;

Result<YamlDocument> YamlDocument::Parse(const std::string& text, std::string file) {
  YamlDocument document;
  document.state_->file = std::move(file);
  // A reader of strict files needs neither anchors nor aliases; refusing them also refuses the "billion laughs".
  try {
    document.state_->root = YAML::Load(text);
  } catch (const YAML::ParserException& exception) {
    return apiquota::Fail(fmt::format("{}: not YAML: {}", At(document.state_->file, exception.mark), exception.msg));
  } catch (const YAML::Exception& exception) {
    return apiquota::Fail(fmt::format("{}:1:1: not YAML: {}", document.state_->file, exception.msg));
  }
  if (auto error = FindDuplicate(document.state_->file, document.state_->root, 0)) return std::unexpected(*error);
  return document;
}

YamlValue YamlDocument::Root() const {
  const YAML::Mark mark = state_->root.IsNull() ? YAML::Mark{} : state_->root.Mark();
  return YamlValue(state_.get(), std::make_shared<YamlValue::Node>(YamlValue::Node{state_->root, true, mark}));
}

const std::optional<Error>& YamlDocument::error() const { return state_->error; }

}  // namespace apiquota
