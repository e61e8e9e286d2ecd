#include "http/exchange.h"

namespace apiquota::http {

std::optional<std::string_view> FindBodyValue(const std::vector<BodyValue>& values, std::string_view pointer,
                                              std::string_view star) {
  for (const BodyValue& body_value : values) {
    if (body_value.pointer == pointer && (star.empty() || body_value.star == star)) return body_value.value;
  }
  return std::nullopt;
}

}  // namespace apiquota::http
