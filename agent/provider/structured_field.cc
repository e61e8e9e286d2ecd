// The algorithms of RFC 9651 4.2, one function each, in the RFC's order. Each takes what it reads off the
// front of `in_` and says whether it could.
#include "provider/structured_field.h"

#include <algorithm>
#include <charconv>

#include "provider/sf_encodings.h"

namespace apiquota::provider::sf {
namespace {

constexpr size_t kIntegerDigitsMax = 15;
constexpr size_t kDecimalWholeDigitsMax = 12;
constexpr size_t kDecimalFractionDigitsMax = 3;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsAlpha(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }
bool IsKeyStart(char c) { return IsLower(c) || c == '*'; }
bool IsKeyChar(char c) { return IsKeyStart(c) || IsDigit(c) || c == '_' || c == '-' || c == '.'; }
bool IsPrintable(char c) { return c >= 0x20 && c <= 0x7e; }
bool IsTokenChar(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~:/";  // tchar of RFC 9110 5.6.2, ":" and "/"
  return IsAlpha(c) || IsDigit(c) || kMarks.find(c) != std::string_view::npos;
}

// The value of a lower-case hexadecimal digit; -1 for anything else.
int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Adds a member, or gives the one of that key its new value.
template <class Value>
void Put(std::vector<std::pair<std::string, Value>>* members, std::string key, Value value) {
  const auto same = [&](const auto& member) { return member.first == key; };
  const auto found = std::ranges::find_if(*members, same);
  if (found == members->end()) {
    members->emplace_back(std::move(key), std::move(value));
  } else {
    found->second = std::move(value);
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) { SkipSpaces(); }

  bool AtEnd() {
    SkipSpaces();
    return in_.empty();
  }

  // 4.2.1
  bool ParseListMembers(List* list) {
    if (in_.empty()) return true;
    for (;;) {
      Member member;
      if (list->size() >= kMembersMax || !ParseMember(&member)) return false;
      list->push_back(std::move(member));
      if (!NextMember()) return false;
      if (in_.empty()) return true;
    }
  }

  // 4.2.2
  bool ParseDictionaryMembers(Dictionary* dictionary) {
    if (in_.empty()) return true;
    for (;;) {
      std::string key;
      if (dictionary->size() >= kMembersMax || !ParseKey(&key)) return false;
      Member member;
      if (Take('=')) {
        if (!ParseMember(&member)) return false;
      } else {
        Item item{true, {}};
        if (!ParseParameters(&item.parameters)) return false;
        member = std::move(item);
      }
      Put(dictionary, std::move(key), std::move(member));
      if (!NextMember()) return false;
      if (in_.empty()) return true;
    }
  }

  // 4.2.3
  bool ParseWholeItem(Item* item) {
    return ParseBareItem(&item->value) && ParseParameters(&item->parameters);
  }

 private:
  void SkipSpaces() { in_.remove_prefix(std::min(in_.find_first_not_of(' '), in_.size())); }
  void SkipOws() { in_.remove_prefix(std::min(in_.find_first_not_of(" \t"), in_.size())); }
  bool Take(char c) {
    if (!in_.starts_with(c)) return false;
    in_.remove_prefix(1);
    return true;
  }
  char TakeAny() {
    const char c = in_.front();
    in_.remove_prefix(1);
    return c;
  }
  template <class Predicate>
  std::string_view TakeWhile(Predicate fits) {
    const auto end = std::ranges::find_if_not(in_, fits);
    const std::string_view taken = in_.substr(0, static_cast<size_t>(end - in_.begin()));
    in_.remove_prefix(taken.size());
    return taken;
  }

  // Past the comma to the next member, or at the end; a trailing comma is an error.
  bool NextMember() {
    SkipOws();
    if (in_.empty()) return true;
    if (!Take(',')) return false;
    SkipOws();
    return !in_.empty();
  }

  // 4.2.1.1
  bool ParseMember(Member* member) {
    if (in_.starts_with('(')) return ParseInnerList(&member->emplace<InnerList>());
    return ParseWholeItem(&member->emplace<Item>());
  }

  // 4.2.1.2
  bool ParseInnerList(InnerList* list) {
    Take('(');
    for (;;) {
      SkipSpaces();
      if (Take(')')) return ParseParameters(&list->parameters);
      if (list->items.size() >= kMembersMax || !ParseWholeItem(&list->items.emplace_back())) return false;
      if (!in_.starts_with(' ') && !in_.starts_with(')')) return false;
    }
  }

  // 4.2.3.1
  bool ParseBareItem(BareItem* item) {
    if (in_.empty()) return false;
    const char first = in_.front();
    if (first == '-' || IsDigit(first)) return ParseNumber(item);
    if (first == '"') return ParseString(&item->emplace<std::string>());
    if (first == '*' || IsAlpha(first)) {
      *item = Token{std::string(TakeWhile(IsTokenChar))};
      return true;
    }
    if (first == ':') return ParseByteSequence(item);
    if (first == '?') return ParseBoolean(item);
    if (first == '@') return ParseDate(item);
    return first == '%' && ParseDisplayString(&item->emplace<DisplayString>().utf8);
  }

  // 4.2.3.2
  bool ParseParameters(Parameters* parameters) {
    while (Take(';')) {
      SkipSpaces();
      std::string key;
      if (parameters->size() >= kMembersMax || !ParseKey(&key)) return false;
      BareItem value = true;
      if (Take('=') && !ParseBareItem(&value)) return false;
      Put(parameters, std::move(key), std::move(value));
    }
    return true;
  }

  // 4.2.3.3
  bool ParseKey(std::string* key) {
    if (in_.empty() || !IsKeyStart(in_.front())) return false;
    *key = TakeWhile(IsKeyChar);
    return true;
  }

  // 4.2.4
  bool ParseNumber(BareItem* item) {
    const bool negative = Take('-');
    const std::string_view whole = TakeWhile(IsDigit);
    if (whole.empty()) return false;
    if (!Take('.')) {
      int64_t value = 0;
      if (whole.size() > kIntegerDigitsMax) return false;
      std::from_chars(whole.data(), whole.data() + whole.size(), value);
      *item = negative ? -value : value;
      return true;
    }
    const std::string_view fraction = TakeWhile(IsDigit);
    if (whole.size() > kDecimalWholeDigitsMax) return false;
    if (fraction.empty() || fraction.size() > kDecimalFractionDigitsMax) return false;
    double value = 0;
    const size_t length = whole.size() + 1 + fraction.size();
    std::from_chars(whole.data(), whole.data() + length, value);
    *item = negative ? -value : value;
    return true;
  }

  // 4.2.5
  bool ParseString(std::string* text) {
    Take('"');
    while (!in_.empty()) {
      const char c = TakeAny();
      if (c == '"') return true;
      if (!IsPrintable(c)) return false;
      if (c != '\\') {
        text->push_back(c);
        continue;
      }
      if (!in_.starts_with('"') && !in_.starts_with('\\')) return false;
      text->push_back(TakeAny());
    }
    return false;
  }

  // 4.2.7
  bool ParseByteSequence(BareItem* item) {
    Take(':');
    const size_t end = in_.find(':');
    if (end == std::string_view::npos) return false;
    auto bytes = DecodeBase64(in_.substr(0, end));
    if (!bytes) return false;
    in_.remove_prefix(end + 1);
    *item = ByteSequence{std::move(*bytes)};
    return true;
  }

  // 4.2.8
  bool ParseBoolean(BareItem* item) {
    Take('?');
    const bool yes = Take('1');
    *item = yes;
    return yes || Take('0');
  }

  // 4.2.9
  bool ParseDate(BareItem* item) {
    Take('@');
    BareItem number;
    if (!ParseNumber(&number) || !std::holds_alternative<int64_t>(number)) return false;
    *item = Date{std::get<int64_t>(number)};
    return true;
  }

  // 4.2.10
  bool ParseDisplayString(std::string* utf8) {
    Take('%');
    if (!Take('"')) return false;
    while (!in_.empty()) {
      const char c = TakeAny();
      if (c == '"') return IsUtf8(*utf8);
      if (!IsPrintable(c)) return false;
      if (c != '%') {
        utf8->push_back(c);
        continue;
      }
      if (in_.size() < 2 || HexValue(in_[0]) < 0 || HexValue(in_[1]) < 0) return false;
      utf8->push_back(static_cast<char>(HexValue(in_[0]) * 16 + HexValue(in_[1])));
      in_.remove_prefix(2);
    }
    return false;
  }

  std::string_view in_;
};

}  // namespace

std::optional<Item> ParseItem(std::string_view text) {
  Parser parser(text);
  Item item;
  if (!parser.ParseWholeItem(&item) || !parser.AtEnd()) return std::nullopt;
  return item;
}

std::optional<List> ParseList(std::string_view text) {
  Parser parser(text);
  List list;
  if (!parser.ParseListMembers(&list) || !parser.AtEnd()) return std::nullopt;
  return list;
}

std::optional<Dictionary> ParseDictionary(std::string_view text) {
  Parser parser(text);
  Dictionary dictionary;
  if (!parser.ParseDictionaryMembers(&dictionary) || !parser.AtEnd()) return std::nullopt;
  return dictionary;
}

}  // namespace apiquota::provider::sf
