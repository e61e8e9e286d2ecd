#include "provider/poll_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

constexpr size_t kPathBytesMax = 2048;
constexpr uint64_t kCostMax = 1'000'000;

bool IsVisible(char c) { return c > 0x20 && c < 0x7f; }

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// "requests 1", "units 40", "nothing"
void ReadCost(const YamlValue& value, PollRule* rule) {
  const std::string text = value.AsString();
  if (text == "nothing" || !value.IsScalar()) return;
  const auto words = Split(text, ' ');
  const auto amount = words.size() == 2 ? ParseDigits(words[1]) : std::nullopt;
  if (!amount || *amount == 0 || *amount > kCostMax || words[0].empty()) {
    value.Fail("expected nothing, or a unit and an amount such as requests 1");
    return;
  }
  rule->cost_unit = words[0];
  rule->cost = *amount;
}

}  // namespace

bool IsPollPath(std::string_view path) {
  return path.starts_with('/') && path.size() <= kPathBytesMax &&
         std::ranges::all_of(path, [](char c) { return IsVisible(c) && c != '#'; });
}

PollRule ReadPollRule(const YamlValue& value) {
  PollRule rule;
  RuleMap map(value, "poll");
  if (const YamlValue method = map.Get("method"); method.Present()) {
    rule.method =
        method.AsEnum(std::span<const std::pair<std::string_view, std::string_view>>(kPollMethodWords));
  }
  const YamlValue path = map.Get("path");
  rule.path = path.AsString();
  if (path.IsScalar() && !IsPollPath(rule.path)) {
    path.Fail(fmt::format("expected {}", kPollPathExpected));
  }
  ReadCost(map.Get("costs"), &rule);
  for (const auto& [name, text] : map.Get("headers").AsMap().Entries()) {
    const std::string header_value = text.AsString();
    if (!IsHeaderName(name)) text.Fail("expected a header's name in lower case");
    if (!std::ranges::all_of(header_value, [](char c) { return c == ' ' || IsVisible(c); })) {
      text.Fail("expected visible ASCII");
    }
    rule.headers.emplace_back(name, header_value);
  }
  map.Finish();
  return rule;
}

}  // namespace apiquota::provider
