#include "cache/freshness.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/date.h"

namespace apiquota::cache {
namespace {

constexpr std::array<int, 11> kHeuristic = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
constexpr Micros kHeuristicMax = std::chrono::hours(24);

std::optional<SystemTime> DateIn(const http::Fields& fields, std::string_view name, SystemTime system_now) {
  const auto text = fields.Find(name);
  return text ? http::ParseHttpDate(*text, system_now) : std::nullopt;
}

Micros HeuristicLifetime(const http::ResponseHead& head, const ResponseDirectives& said,
                         SystemTime system_now) {
  if (!HeuristicallyCacheable(head.status) && !said.is_public) return {};
  const auto modified = DateIn(head.fields, "last-modified", system_now);
  if (!modified || *modified >= system_now) return {};
  return std::min((system_now - *modified) / 10, kHeuristicMax);
}

}  // namespace

bool HeuristicallyCacheable(int status) { return std::ranges::find(kHeuristic, status) != kHeuristic.end(); }

Micros StatedAge(const http::Fields& fields) {
  const auto line = fields.Find("age");
  if (!line) return {};
  return ParseDelta(Trim(line->substr(0, line->find(',')))).value_or(Micros{});
}

std::optional<Micros> ExpiresLifetime(const http::Fields& fields, SystemTime system_now) {
  const size_t count = fields.Count("expires");
  if (count == 0) return std::nullopt;
  const auto expires = count == 1 ? DateIn(fields, "expires", system_now) : std::nullopt;
  if (!expires) return Micros{};
  const SystemTime date = DateIn(fields, "date", system_now).value_or(system_now);
  return std::max(*expires - date, Micros{});
}

Micros Lifetime(const http::ResponseHead& head, const ResponseDirectives& said, SystemTime system_now) {
  if (said.max_age) return *said.max_age;
  if (const auto lifetime = ExpiresLifetime(head.fields, system_now)) return *lifetime;
  return HeuristicLifetime(head, said, system_now);
}

Micros InitialAge(const http::Fields& fields, Micros stated_age, SystemTime asked_at,
                  SystemTime received_at) {
  const SystemTime date = DateIn(fields, "date", received_at).value_or(received_at);
  const Micros apparent = std::max(received_at - date, Micros{});
  const Micros delay = std::max(received_at - asked_at, Micros{});
  return std::max(apparent, stated_age + delay);
}

}  // namespace apiquota::cache
