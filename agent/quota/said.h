// When a reading was said, and what that orders it by (docs/quota-semantics.md rules 4, 5 and 8). Pure; no
// thread-safety of its own.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace apiquota::quota {

// Two statements of one moment may differ this much: Date and most resets have whole seconds, and
// answers travel.
inline constexpr Micros kSkew = std::chrono::seconds(2);
// A Date is sane within a day of the receipt: a wrong clock or time zone is worth correcting, a
// recording is not.
inline constexpr Micros kDateSane = std::chrono::hours(24);
inline constexpr Micros kPlausible = std::chrono::days(400);  // resets and windows
// Our own clock may be set back by less than this unnoticed.
inline constexpr Micros kClockStep = std::chrono::seconds(5);

// When a reading was said: what orders it among others.
struct Said {
  SystemTime received_at;
  std::optional<SystemTime> date;  // the upstream's clock; absent unless sane
  std::optional<uint64_t> order;   // absent: restored, older than every request of this process

  friend bool operator==(const Said&, const Said&) = default;
};

// By the upstream's Date where both have one, then by the order of requests. Equal means the same
// response: not newer.
bool Newer(const Said& a, const Said& b);

// Without a Date that is not sane.
Said Sane(Said said);

}  // namespace apiquota::quota
