#include "provider/signals.h"

#include <array>

namespace apiquota::provider {
namespace {

// `words` in the order of the enum.
template <class Enum, size_t N>
std::string_view WordOf(Enum value, const std::array<std::string_view, N>& words) {
  return words.at(static_cast<size_t>(value));
}

}  // namespace

std::string_view ToText(QuotaKind kind) { return kQuotaKindWords.at(static_cast<size_t>(kind)).first; }

std::string_view ToText(SignalField field) {
  static constexpr std::array<std::string_view, 10> kWords = {
      "limit",  "remaining",   "used",     "reset", "window",
      "policy", "retry_after", "resource", "body",  "request_body"};
  return WordOf(field, kWords);
}

std::string_view ToText(ThrottleScope scope) {
  static constexpr std::array<std::string_view, 6> kWords = {"primary",  "secondary", "concurrency",
                                                             "overload", "spend",     "unknown"};
  return WordOf(scope, kWords);
}

std::string_view ToText(TokenType type) {
  static constexpr std::array<std::string_view, kTokenTypes> kWords = {"input", "cached_input", "cache_write",
                                                                       "output", "reasoning"};
  return WordOf(type, kWords);
}

std::string_view ToText(ThrottleSignal signal) {
  static constexpr std::array<std::string_view, 4> kWords = {"status", "header", "body", "stream"};
  return WordOf(signal, kWords);
}

}  // namespace apiquota::provider
