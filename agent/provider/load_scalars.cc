// Scalars of exporter files, each held to what it means.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"
#include "provider/label.h"
#include "provider/rule_loader.h"
#include "provider/units.h"

namespace apiquota::provider {

std::string LoadName(const YamlValue& value) {
  std::string name = value.AsString();
  const bool fits = FitForLabel(name) && Trim(name).size() == name.size();
  if (value.IsScalar() && !fits) value.Fail("expected a name of 1 to 128 printable characters");
  return name;
}

std::string LoadText(const YamlValue& value) {
  std::string text = value.AsString();
  const auto unprintable = [](char c) { return (c >= 0 && c < 0x20 && c != '\t' && c != '\n') || c == 0x7f; };
  if (value.IsScalar() && (Trim(text).empty() || std::ranges::any_of(text, unprintable))) {
    value.Fail("expected printable text, and some of it");
  }
  return text;
}

std::string LoadUnit(const YamlValue& value) {
  using Unit = std::pair<std::string_view, std::string_view>;
  return value.Present() ? std::string(value.AsEnum(std::span<const Unit>(kUnits))) : "";
}

std::string LoadPathPrefix(const YamlValue& value) {
  std::string path = value.AsString();
  if (value.IsScalar() && !path.starts_with('/'))
    value.Fail("expected how a path begins, such as /v1/models");
  return path;
}

double LoadSpan(const YamlValue& value) {
  const Micros span = value.AsDuration();
  if (value.IsScalar() && span <= Micros(0)) value.Fail("expected a duration of more than 0, such as 60s");
  return ToSeconds(span);
}

bool IsHeaderPattern(std::string_view name) {
  const bool token = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '*';
  });
  return !name.empty() && name != "*" && token && std::ranges::count(name, '*') <= 1;
}

std::string LoadHeaderName(const YamlValue& value) {
  std::string name = value.AsString();
  if (value.IsScalar() && !IsHeaderPattern(name)) {
    value.Fail("expected a header name in lower case, with at most one *");
  }
  return name;
}

}  // namespace apiquota::provider
