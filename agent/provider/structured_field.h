// Structured Field Values for HTTP, RFC 9651: a strict parser. A field that breaks any rule is nothing as a
// whole (RFC 9651 4.2). Total: any bytes are fine as input; nothing throws. Pure and thread-safe. Several
// lines of one field are joined with ", " before parsing (Fields::Joined).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace apiquota::provider::sf {

struct Token {
  std::string text;
  friend bool operator==(const Token&, const Token&) = default;
};
struct ByteSequence {
  std::string bytes;
  friend bool operator==(const ByteSequence&, const ByteSequence&) = default;
};
struct Date {
  int64_t unix_seconds = 0;
  friend bool operator==(const Date&, const Date&) = default;
};
struct DisplayString {
  std::string utf8;
  friend bool operator==(const DisplayString&, const DisplayString&) = default;
};

// Integer, Decimal, String, Token, Byte Sequence, Boolean, Date, Display String.
using BareItem = std::variant<int64_t, double, std::string, Token, ByteSequence, bool, Date, DisplayString>;

// In the order of first appearance; of a key said twice the last value counts.
using Parameters = std::vector<std::pair<std::string, BareItem>>;

struct Item {
  BareItem value;
  Parameters parameters;
  friend bool operator==(const Item&, const Item&) = default;
};
struct InnerList {
  std::vector<Item> items;
  Parameters parameters;
  friend bool operator==(const InnerList&, const InnerList&) = default;
};
using Member = std::variant<Item, InnerList>;
using List = std::vector<Member>;
using Dictionary = std::vector<std::pair<std::string, Member>>;

// Containers with more members than this are refused; RFC 9651 asks for 1024.
inline constexpr size_t kMembersMax = 2048;

// An empty text is an empty List or Dictionary, and no Item.
std::optional<Item> ParseItem(std::string_view text);
std::optional<List> ParseList(std::string_view text);
std::optional<Dictionary> ParseDictionary(std::string_view text);

// The parameter of that key and type; null if there is none or it is of another type.
template <class T>
const T* FindParameter(const Parameters& parameters, std::string_view key) {
  for (const auto& [name, value] : parameters) {
    if (name == key) return std::get_if<T>(&value);
  }
  return nullptr;
}

}  // namespace apiquota::provider::sf
