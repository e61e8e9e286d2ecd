#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/duration.h"
#include "base/text.h"
#include "base/yaml_shape.h"

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

// A value as a complaint shows it: one line, never a page.
std::string Quoted(std::string_view text) {
  constexpr size_t kShownMax = 60;
  std::string shown(text.substr(0, kShownMax));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return fmt::format("\"{}{}\"", shown, text.size() > kShownMax ? "…" : "");
}

std::string Described(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return "a map";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Scalar:
      return Quoted(node.Scalar());
    default:
      return "nothing";
  }
}

}  // namespace

bool YamlValue::Present() const { return node_->present; }
bool YamlValue::IsMap() const { return Present() && node_->yaml.IsMap(); }
bool YamlValue::IsList() const { return Present() && node_->yaml.IsSequence(); }
bool YamlValue::IsScalar() const { return Present() && node_->yaml.IsScalar(); }

YamlMap YamlValue::AsMap() const {
  if (Present() && !node_->yaml.IsMap())
    Fail(fmt::format("expected a map, found {}", Described(node_->yaml)));
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
  Fail(fmt::format("expected {}, found {}", expected, Quoted(text)));
  return min;
}

double YamlValue::AsNumber() const {
  std::string text;
  if (!ExpectScalar("a number", &text)) return 0;
  if (const auto value = ParseDecimal(text)) return *value;
  Fail(fmt::format("expected a number, found {}", Quoted(text)));
  return 0;
}

bool YamlValue::AsBool() const {
  std::string text;
  if (!ExpectScalar("true or false", &text)) return false;
  if (text != "true" && text != "false") Fail(fmt::format("expected true or false, found {}", Quoted(text)));
  return text == "true";
}

Micros YamlValue::AsDuration() const {
  std::string text;
  if (!ExpectScalar("a duration such as 60s", &text)) return Micros(0);
  if (const auto duration = ParseDuration(text)) return *duration;
  Fail(fmt::format("expected a duration such as 60s, 1m30s or 250ms, found {}", Quoted(text)));
  return Micros(0);
}

size_t YamlValue::WordIndex(const std::vector<std::string_view>& words) const {
  std::string text;
  const std::string expected = fmt::format("one of {}", fmt::join(words, ", "));
  if (!ExpectScalar(expected, &text)) return words.size();
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  Fail(fmt::format("expected {}, found {}{}", expected, Quoted(text), Suggestion(text, words)));
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
  YamlValue::Node found{{}, false, value_.node_->mark};
  if (value_.IsMap()) {
    for (const auto& entry : value_.node_->yaml) {
      if (entry.first.Scalar() != key) continue;
      // A key without a value: its own place says more than the next line's, where the parser
      // noticed.
      const YAML::Mark mark = entry.second.IsNull() ? entry.first.Mark() : entry.second.Mark();
      found = {entry.second, true, mark};
    }
  }
  return YamlValue(value_.state_, std::make_shared<YamlValue::Node>(std::move(found)));
}

YamlValue YamlMap::Require(std::string_view key) {
  if (value_.IsMap() && !Has(key) && !BlameMisspelling(key)) {
    value_.Fail(fmt::format("\"{}\" is missing here", key));
  }
  return Get(key);
}

// A required key that is missing is most often there, misspelled: the complaint belongs to that
// key.
bool YamlMap::BlameMisspelling(std::string_view key) const {
  const std::string_view wanted[] = {key};
  for (const auto& entry : value_.node_->yaml) {
    const std::string& found = entry.first.Scalar();
    if (std::ranges::find(asked_, found) != asked_.end()) continue;
    if (ClosestMatch(found, wanted).empty()) continue;
    const YamlValue at(value_.state_, std::make_shared<YamlValue::Node>(
                                          YamlValue::Node{entry.first, true, entry.first.Mark()}));
    at.Fail(fmt::format("unknown key \"{}\"; did you mean \"{}\"?", found, key));
    return true;
  }
  return false;
}

std::vector<std::pair<std::string, YamlValue>> YamlMap::Entries() {
  std::vector<std::pair<std::string, YamlValue>> entries;
  if (!value_.IsMap()) return entries;
  for (const auto& entry : value_.node_->yaml)
    entries.emplace_back(entry.first.Scalar(), Get(entry.first.Scalar()));
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
  if (auto shape = CheckYamlShape(text, file); !shape) return std::unexpected(shape.error());
  YamlDocument document;
  document.state_->file = std::move(file);
  try {
    document.state_->root = YAML::Load(text);
  } catch (const YAML::Exception& exception) {
    return apiquota::Fail(fmt::format("{}:1:1: not YAML: {}", document.state_->file, exception.msg));
  }
  return document;
}

YamlValue YamlDocument::Root() const {
  const YAML::Mark mark = state_->root.IsNull() ? YAML::Mark{} : state_->root.Mark();
  return YamlValue(state_.get(),
                   std::make_shared<YamlValue::Node>(YamlValue::Node{state_->root, true, mark}));
}

const std::optional<Error>& YamlDocument::error() const { return state_->error; }

}  // namespace apiquota
