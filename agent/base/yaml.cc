#include "base/yaml.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"
#include "base/text.h"
#include "base/yaml_tree.h"

namespace apiquota {

using Kind = YamlNode::Kind;

struct YamlState {
  std::string file;
  YamlNode root;
  std::optional<Error> error;
};

namespace {

// What stands there, never its text: it may be a credential in the wrong place.
std::string Described(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kMap:
      return "a map";
    case Kind::kList:
      return "a list";
    case Kind::kScalar:
      return "text";
    case Kind::kNull:
      break;
  }
  return "nothing";
}

}  // namespace

bool YamlValue::Present() const { return node_ != nullptr; }
bool YamlValue::IsMap() const { return Present() && node_->kind == Kind::kMap; }
bool YamlValue::IsList() const { return Present() && node_->kind == Kind::kList; }
bool YamlValue::IsNull() const { return Present() && node_->kind == Kind::kNull; }
bool YamlValue::IsScalar() const { return Present() && node_->kind == Kind::kScalar; }

YamlMap YamlValue::AsMap() const {
  if (Present() && !IsMap()) Fail(fmt::format("expected a map, found {}", Described(*node_)));
  return YamlMap(*this);
}

YamlMap YamlValue::AsSection() const { return IsNull() ? YamlMap(*this) : AsMap(); }

std::vector<YamlValue> YamlValue::AsList() const {
  std::vector<YamlValue> items;
  if (!Present()) return items;
  if (!IsList()) {
    Fail(fmt::format("expected a list, found {}", Described(*node_)));
    return items;
  }
  for (const YamlNode& item : node_->children) items.push_back(YamlValue(state_, &item, item));
  return items;
}

std::vector<YamlValue> YamlValue::AsListOrSingle() const {
  if (IsScalar() || IsMap()) return {*this};
  return AsList();
}

bool YamlValue::ExpectScalar(std::string_view expected, std::string* text) const {
  if (!Present()) return false;
  if (!IsScalar()) {
    Fail(fmt::format("expected {}, found {}", expected, Described(*node_)));
    return false;
  }
  *text = node_->scalar;
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
  Fail(fmt::format("expected {}", expected));
  return min;
}

double YamlValue::AsNumber() const {
  std::string text;
  if (!ExpectScalar("a number", &text)) return 0;
  if (const auto value = ParseDecimal(text)) return *value;
  Fail("expected a number");
  return 0;
}

bool YamlValue::AsBool() const {
  std::string text;
  if (!ExpectScalar("true or false", &text)) return false;
  if (text != "true" && text != "false") Fail("expected true or false");
  return text == "true";
}

Micros YamlValue::AsDuration() const {
  std::string text;
  if (!ExpectScalar("a duration such as 60s", &text)) return Micros(0);
  if (const auto duration = ParseDuration(text)) return *duration;
  Fail("expected a duration such as 60s, 1m30s or 250ms");
  return Micros(0);
}

size_t YamlValue::WordIndex(const std::vector<std::string_view>& words) const {
  std::string text;
  const std::string expected = fmt::format("one of {}", fmt::join(words, ", "));
  if (!ExpectScalar(expected, &text)) return words.size();
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  const std::string_view match = ClosestMatch(text, words);
  Fail(fmt::format("expected {}{}", expected,
                   match.empty() ? "" : fmt::format("; did you mean \"{}\"?", match)));
  return words.size();
}

std::string YamlValue::Position() const {
  return fmt::format("{}:{}:{}", state_->file, place_->line, place_->column);
}

void YamlValue::Fail(std::string_view complaint) const {
  if (!state_->error) state_->error = Error{fmt::format("{}: {}", Position(), complaint)};
}

YamlMap::YamlMap(YamlValue value) : value_(value) {
  if (!value_.IsMap()) return;
  const std::vector<YamlNode>& nodes = value_.node_->children;
  for (size_t i = 0; i + 1 < nodes.size(); i += 2) pairs_.push_back({&nodes[i], &nodes[i + 1]});
}

bool YamlMap::Has(std::string_view key) const {
  return std::ranges::any_of(pairs_, [key](const Pair& pair) { return pair.key->scalar == key; });
}

YamlValue YamlMap::Get(std::string_view key) {
  asked_.emplace_back(key);
  for (const auto& [name, value] : pairs_) {
    if (name->scalar != key) continue;
    // A key without a value: its own place says more than the next line's, where the parser
    // noticed.
    return YamlValue(value_.state_, value, value->kind == Kind::kNull ? *name : *value);
  }
  return YamlValue(value_.state_, nullptr, *value_.place_);
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
  for (const Pair& pair : pairs_) {
    const std::string& found = pair.key->scalar;
    if (std::ranges::find(asked_, found) != asked_.end()) continue;
    const std::string named = NamedMisspelling(found, wanted);
    if (named.empty()) continue;
    YamlValue(value_.state_, pair.key, *pair.key).Fail("unknown key" + named);
    return true;
  }
  return false;
}

std::vector<std::pair<std::string, YamlValue>> YamlMap::Entries() {
  std::vector<std::pair<std::string, YamlValue>> entries;
  entries.reserve(pairs_.size());
  for (const Pair& pair : pairs_) entries.emplace_back(pair.key->scalar, Get(pair.key->scalar));
  return entries;
}

void YamlMap::Finish() const { Finish({asked_.begin(), asked_.end()}); }

void YamlMap::Finish(const std::vector<std::string_view>& known) const {
  for (const Pair& pair : pairs_) {
    const std::string& key = pair.key->scalar;
    if (std::ranges::find(asked_, key) != asked_.end()) continue;
    const std::string named = NamedMisspelling(key, known);
    YamlValue(value_.state_, pair.key, *pair.key)
        .Fail("unknown key" +
              (named.empty() ? fmt::format("; known here: {}", fmt::join(known, ", ")) : named));
    return;
  }
}

YamlDocument::YamlDocument() : state_(std::make_unique<YamlState>()) {}
YamlDocument::YamlDocument(YamlDocument&&) noexcept = default;
YamlDocument& YamlDocument::operator=(YamlDocument&&) noexcept = default;
YamlDocument::~YamlDocument() = default;

Result<YamlDocument> YamlDocument::Parse(const std::string& text, std::string file) {
  auto tree = ParseYamlTree(text, file);
  if (!tree) return std::unexpected(tree.error());
  YamlDocument document;
  document.state_->file = std::move(file);
  document.state_->root = std::move(*tree);
  return document;
}

YamlValue YamlDocument::Root() const { return YamlValue(state_.get(), &state_->root, state_->root); }

const std::optional<Error>& YamlDocument::error() const { return state_->error; }

}  // namespace apiquota
