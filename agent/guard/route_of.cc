#include "guard/route_of.h"

#include <algorithm>
#include <cstdint>

namespace apiquota::guard {

namespace {

constexpr size_t kLongestMethod = 24;
constexpr size_t kLongestWord = 24;
constexpr size_t kShortestHex = 8;
constexpr size_t kShortestMixed = 16;
constexpr std::string_view kCut = "/...";

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// 8-4-4-4-12 (RFC 9562 section 4).
bool IsUuid(std::string_view segment) {
  if (segment.size() != 36) return false;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? segment[i] != '-' : !IsHexDigit(segment[i])) return false;
  }
  return true;
}

// As random bytes look in Base62: upper case, lower case and digits follow each other without order. In words
// ("GetCustomerOrdersV2") they change less often.
bool IsMixed(std::string_view segment) {
  constexpr size_t kChangesPercent = 45;
  enum class Class : uint8_t { kDigit, kLower, kUpper, kOther };
  const auto class_of = [](char c) {
    if (IsDigit(c)) return Class::kDigit;
    if (c >= 'a' && c <= 'z') return Class::kLower;
    return c >= 'A' && c <= 'Z' ? Class::kUpper : Class::kOther;
  };
  size_t changes = 0;
  bool digits = false;
  for (size_t i = 0; i < segment.size(); ++i) {
    const Class its = class_of(segment[i]);
    if (its == Class::kOther) return false;
    digits = digits || its == Class::kDigit;
    if (i > 0 && its != class_of(segment[i - 1])) ++changes;
  }
  return digits && changes * 100 >= (segment.size() - 1) * kChangesPercent;
}

// "alice@example.com", and as it stands in a path that is escaped. A scope ("@angular") is none.
bool IsMailAddress(std::string_view segment) {
  const size_t at = std::min(segment.find('@'), segment.find("%40"));
  if (at == 0 || at == std::string_view::npos) return false;
  return segment.size() > at + (segment[at] == '@' ? 1 : 3);
}

bool IsId(std::string_view segment) {
  if (segment.empty()) return false;
  if (IsMailAddress(segment)) return true;
  if (std::ranges::all_of(segment, IsDigit)) return true;
  if (segment.size() >= kShortestHex && std::ranges::all_of(segment, IsHexDigit)) return true;
  if (segment.size() >= kShortestMixed && IsMixed(segment)) return true;
  if (segment.size() > kLongestWord && std::ranges::any_of(segment, IsDigit)) return true;
  return IsUuid(segment);
}

std::string_view PathOf(std::string_view target) {
  const std::string_view path = target.substr(0, target.find_first_of("?#"));
  const size_t scheme = path.find("://");
  if (path.starts_with('/') || scheme == std::string_view::npos) return path;
  const size_t slash = path.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : path.substr(slash);
}

}  // namespace

std::string RouteOf(std::string_view method, std::string_view target) {
  std::string route;
  std::string_view path = PathOf(target);
  route.reserve(std::min(kLongestRoute, method.size() + 1 + path.size()));
  route.append(method.substr(0, kLongestMethod)).append(1, ' ');
  bool first = true;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    const std::string_view shown = IsId(segment) ? "*" : segment;
    const bool last = slash == std::string_view::npos;
    const size_t room = kLongestRoute - (last ? 0 : kCut.size());
    if (route.size() + (first ? 0 : 1) + shown.size() > room) return route.append(kCut);
    if (!first) route += '/';
    route.append(shown);
    if (last) return route;
    path.remove_prefix(slash + 1);
    first = false;
  }
}

}  // namespace apiquota::guard
