#include "proxy/guard_fields.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "guard/retry.h"
#include "provider/structured_field.h"
#include "proxy/idempotency_key.h"

namespace apiquota::proxy {

std::optional<Micros> ClientTimeoutOf(const http::Fields& fields, const guard::QueueOptions& options) {
  std::optional<Micros> least;
  for (const std::string_view name :
       {std::string_view("x-stainless-read-timeout"), std::string_view("x-stainless-timeout"),
        std::string_view("grpc-timeout"), std::string_view(options.deadline_header)}) {
    const auto value = name.empty() ? std::nullopt : fields.Find(name);
    const auto timeout = value ? guard::ClientTimeout(name, *value) : std::nullopt;
    if (timeout) least = std::min(least.value_or(*timeout), *timeout);
  }
  return least;
}

uint8_t UrgencyOf(const http::Fields& fields, const guard::QueueOptions& options, uint8_t usual) {
  constexpr int64_t kLast = 7;
  if (!options.trust_priority) return usual;
  const auto text = fields.Joined("priority");
  const auto dictionary = text ? provider::sf::ParseDictionary(*text) : std::nullopt;
  if (!dictionary) return usual;
  for (const auto& [key, member] : *dictionary) {
    const auto* item = key == "u" ? std::get_if<provider::sf::Item>(&member) : nullptr;
    const auto* urgency = item != nullptr ? std::get_if<int64_t>(&item->value) : nullptr;
    if (urgency != nullptr && *urgency >= 0 && *urgency <= kLast) return static_cast<uint8_t>(*urgency);
  }
  return usual;
}

bool Repeatable(const http::RequestHead& head) {
  constexpr std::array<std::string_view, 6> kIdempotent = {"GET",    "HEAD",    "PUT",
                                                           "DELETE", "OPTIONS", "TRACE"};
  return std::ranges::find(kIdempotent, head.method) != kIdempotent.end() ||
         !head.fields.Find(kIdempotencyKey).value_or("").empty();
}

bool RetriedByClient(const http::Fields& fields) {
  const auto count = fields.Find("x-stainless-retry-count");
  return count && ParseDigits(*count).value_or(0) > 0;
}

}  // namespace apiquota::proxy
