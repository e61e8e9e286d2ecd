#include "simulate/token_count.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace apiquota::simulate {
namespace {

using nlohmann::json;

// By which the APIs' requests say how much may be written.
constexpr std::string_view kCaps[] = {"/max_tokens", "/max_completion_tokens", "/max_output_tokens",
                                      "/generationConfig/maxOutputTokens"};

std::optional<double> NumberAt(const json& body, std::string_view pointer) {
  const json::json_pointer place{std::string(pointer)};
  if (!body.is_object() || !body.contains(place) || !body[place].is_number()) return std::nullopt;
  const double number = body[place].get<double>();
  return number >= 0 && number <= 1e9 ? std::optional(number) : std::nullopt;
}

}  // namespace

TokenCount CountTokens(size_t body_bytes, const json& body, std::optional<double> output_wanted,
                       double output_share) {
  std::optional<double> cap;
  for (const std::string_view pointer : kCaps) cap = std::max(cap, NumberAt(body, pointer));
  const double answers = std::max(1.0, NumberAt(body, "/n").value_or(1));
  const double by_cap =
      cap ? std::max(std::min(1.0, *cap), std::floor(*cap * output_share)) : kUncappedOutput;
  const double output = std::min(output_wanted.value_or(by_cap), cap.value_or(1e9));
  return {.input = std::ceil(static_cast<double>(body_bytes) / 4),
          .output_asked = cap.value_or(output) * answers,
          .output = output * answers};
}

}  // namespace apiquota::simulate
