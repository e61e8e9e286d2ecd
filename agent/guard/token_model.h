// What requests cost in tokens and how long their answers take, learned from what they did (docs/guard.md,
// "Tokens"): by resource, that is, by model. One per key of an API. No thread-safety of its own.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "guard/recent.h"
#include "guard/values.h"

namespace apiquota::guard {

// What a model's requests cost, as seen so far.
struct TokenModel {
  double tokens_per_byte = 0.25;
  std::optional<double> output;  // its 90th percentile
  std::optional<Micros> median_first_byte;
  bool blind = false;  // only answers name resources: some have, and none has named this route's
};

// A quantile of the last `kMost` values, by nearest rank. They are kept in order: a new one costs one move of
// a few hundred bytes, a question nothing.
template <typename Value, size_t kMost>
class RecentQuantile {
 public:
  void Add(Value value) {
    const auto end = sorted_.begin() + static_cast<std::ptrdiff_t>(size_);
    if (size_ == kMost) {
      const auto oldest = std::lower_bound(sorted_.begin(), end, ring_[next_]);
      std::move(oldest + 1, end, oldest);
      --size_;
    }
    const auto last = sorted_.begin() + static_cast<std::ptrdiff_t>(size_);
    const auto at = std::upper_bound(sorted_.begin(), last, value);
    std::move_backward(at, last, last + 1);
    *at = value;
    ++size_;
    ring_[next_] = value;
    next_ = (next_ + 1) % kMost;
  }

  // The smallest value that at least `percent` of them do not exceed; nothing: there is none yet.
  std::optional<Value> At(size_t percent) const {
    if (size_ == 0) return std::nullopt;
    const size_t rank = (size_ * percent + 99) / 100;
    return sorted_[std::max<size_t>(rank, 1) - 1];
  }

 private:
  std::array<Value, kMost> sorted_{}, ring_{};
  size_t size_ = 0;
  size_t next_ = 0;  // in the ring: the oldest once it is full
};

class TokenModels {
 public:
  static constexpr size_t kMostResources = 64;  // beyond, the one learned longest ago leaves

  // What is known of a resource; the defaults if nothing is.
  TokenModel Of(std::string_view resource) const;

  // An answer said its usage; `text_bytes` of its request's body were text. What is no number is left out.
  void Used(std::string_view resource, size_t text_bytes, const TokenCost& used);
  // The first byte of an answer's body came so long after its request had been sent.
  void FirstByte(std::string_view resource, Micros after);

 private:
  // Averages of both, not of their quotient: a long text tells more about the next long one than many short
  // ones do, whose cost is mostly what surrounds the text.
  struct Learned {
    std::optional<double> input, bytes;
    RecentQuantile<double, 32> output;
    RecentQuantile<Micros, 31> first_byte;
  };

  Recent<Learned, kMostResources> models_;
};

}  // namespace apiquota::guard
