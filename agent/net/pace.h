// The lowest pace at which something must move that others wait for: a body, a reader, one way of a tunnel.
// Pure over the `now` and the count (of bytes, ever growing) it is given; copied freely, not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace apiquota::net {

struct PaceLimit {
  // `rate` bytes a second on average over each `span`; 0: one in each.
  PaceLimit(Micros in, size_t rate)
      : span(in),
        least(std::max<uint64_t>(1, static_cast<uint64_t>(static_cast<double>(rate) *
                                                          std::chrono::duration<double>(in).count()))) {}
  Micros span;
  uint64_t least;
};

class Pace {
 public:
  // How far it is. `due`: whether it has to move at all. What has moved enough begins a new span, so who
  // stops after a good start is given one more; who looks only at a span's end would give two.
  void Look(const PaceLimit& limit, bool due, uint64_t at, SteadyTime now) {
    if (due && (!due_ || at - at_ >= limit.least)) {
      since_ = now;
      at_ = at;
    }
    due_ = due;
  }
  void Stop() { due_ = false; }
  bool due() const { return due_; }

  bool TooSlow(const PaceLimit& limit, uint64_t at, SteadyTime now) const {
    return due_ && now - since_ >= limit.span && at - at_ < limit.least;
  }

  // When it must be looked at again, at the latest, while it is due: a movement that nobody tells of is dated
  // to an eighth of a span.
  SteadyTime NextLook(const PaceLimit& limit, SteadyTime now) const {
    return std::min<SteadyTime>(since_ + limit.span, now + limit.span / 8);
  }

 private:
  bool due_ = false;
  SteadyTime since_;
  uint64_t at_ = 0;
};

}  // namespace apiquota::net
