// How much of interim responses (1xx, RFC 9110 15.2) may come before the final one: any number of them, by
// their bytes. Time bounds them, too, as none of them is the response that a deadline waits for: whoever
// holds one does not set it anew. One per exchange; not thread-safe.
#pragma once

#include <cstddef>
#include <optional>

#include "http/codec.h"

namespace apiquota::http {

inline constexpr size_t kInterimBytesMax = 64 * 1024;  // of one exchange's together

inline constexpr Refusal kUnaskedSwitch{502, "upgrade", "a switch of protocols that nobody asked for"};
inline constexpr Refusal kWrongSwitch{
    502, "upgrade", "a switch of protocols that is not the one asked for, or without the proof of it"};

class InterimBudget {
 public:
  void Reset() { left_ = kInterimBytesMax; }

  // One has come, of so many bytes on the wire. A refusal: that is too much.
  std::optional<Refusal> Take(size_t bytes) {
    if (bytes > left_) return Refusal{502, "interim", "more than 64 KiB of interim responses"};
    left_ -= bytes;
    return std::nullopt;
  }

 private:
  size_t left_ = kInterimBytesMax;
};

}  // namespace apiquota::http
