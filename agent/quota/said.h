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

// The order of an answer out of a cache: older than every request's.
inline constexpr uint64_t kOutOfCache = 0;

// When a reading was said: between the sending of its request and the receipt of its response.
struct Said {
  SystemTime sent_at;
  SystemTime received_at;
  std::optional<SystemTime> date;  // the upstream's clock; absent unless sane
  std::optional<uint64_t>
      order;  // of the requests; absent: restored, older than every request of this process

  friend bool operator==(const Said&, const Said&) = default;
};

// As a cache answered with it (RFC 9111 section 5.1): it was said that much earlier, and its Date tells of
// that time. Without a Date that is not sane.
Said Sane(Said said, Micros age);

// A request sent after another's response had come saw the later state. Where two were under way at once, the
// upstream's Date tells where both have one and they differ, else the order of the requests. Equal means the
// same response: not newer.
bool Newer(const Said& a, const Said& b);

}  // namespace apiquota::quota
