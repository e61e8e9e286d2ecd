#include "http/exchange.h"

namespace apiquota::http {

bool PathBegins(const Exchange& exchange, std::string_view prefix) {
  return exchange.path.starts_with(prefix) ||
         (!exchange.described_path.empty() && exchange.described_path.starts_with(prefix));
}

std::optional<std::string_view> FindBodyValue(const std::vector<BodyValue>& values,
                                              std::string_view pointer) {
  for (const BodyValue& body_value : values) {
    if (body_value.pointer == pointer) return body_value.value;
  }
  return std::nullopt;
}

}  // namespace apiquota::http
