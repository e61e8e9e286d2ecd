// How flags are added, so that each mistake is one sentence that names the flag and nothing else.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/duration.h"
#include "base/text.h"

namespace apiquota::cli {

inline constexpr std::string_view kNumberExpected = "a number";
inline constexpr std::string_view kDurationExpected = "a duration such as 60s, 1m30s or 250ms";

inline std::optional<int> ParseCount(std::string_view text) {
  const auto number = ParseDigits(text);
  if (!number || *number > 1'000'000'000) return std::nullopt;
  return static_cast<int>(*number);
}

// Values are read here, never by CLI11, whose complaints quote them: one may be a credential in the wrong
// place. The mistake is told with the flag's name.
template <class Value, class Parse>
CLI::Option* AddParsed(CLI::App& app, const std::string& flag, Value* out, std::string_view expected,
                       Parse parse, const std::string& help) {
  const auto take = [=](const std::string& text) {
    const auto value = parse(text);
    if (!value) throw CLI::ValidationError(flag, fmt::format("expected {}", expected));
    *out = *value;
  };
  return app.add_option_function<std::string>(flag, take, help);
}

template <class Duration>
void AddDuration(CLI::App& app, const std::string& flag, Duration* out, const std::string& help) {
  AddParsed(app, flag, out, kDurationExpected, ParseDuration, help)->type_name("DURATION");
}

// A word of a table of (word, value).
template <class Value, class Words>
CLI::Option* AddWord(CLI::App& app, const std::string& flag, Value* out, const Words& words,
                     const std::string& help) {
  std::string expected = "one of ";
  for (const auto& entry : words)
    expected += fmt::format("{}{}", &entry == std::begin(words) ? "" : ", ", entry.first);
  const auto take = [=](const std::string& text) {
    for (const auto& [word, value] : words) {
      if (word == text) {
        *out = value;
        return;
      }
    }
    throw CLI::ValidationError(flag, "expected " + expected);
  };
  return app.add_option_function<std::string>(flag, take, help);
}

}  // namespace apiquota::cli
