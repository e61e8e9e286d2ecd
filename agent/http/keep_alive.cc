#include "http/keep_alive.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota::http {
namespace {

constexpr uint64_t kDay = 24ULL * 60 * 60;

std::optional<uint64_t> TimeoutOf(std::string_view parameter) {
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!EqualsIgnoreCase(Trim(parameter.substr(0, equals)), "timeout")) return std::nullopt;
  return ParseDigits(Trim(parameter.substr(equals + 1)));
}

}  // namespace

std::optional<Micros> KeepAliveTimeout(std::string_view value) {
  std::optional<Micros> least;
  for (const std::string_view parameter : Split(value, ',')) {
    const auto seconds = TimeoutOf(parameter);
    if (!seconds) continue;
    const Micros timeout = std::chrono::seconds(std::min(*seconds, kDay));
    least = std::min(least.value_or(timeout), timeout);
  }
  return least;
}

}  // namespace apiquota::http
