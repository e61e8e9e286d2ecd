// An answer's head and the first of its body, held back until it is known whether its client gets it (docs/
// guard.md, "Retry"): at most 64 KiB, for at most a second. One per request; belongs to one loop.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/codec.h"

namespace apiquota::proxy {

class HeldAnswer {
 public:
  static constexpr size_t kBytesMax = 64 * 1024;
  static constexpr Micros kTimeMax = std::chrono::seconds(1);

  void Begin(const http::ResponseHead& head);
  void Add(std::span<const std::string_view> slices, bool complete);
  void Clear();

  bool active() const { return active_; }
  bool full() const { return body_.size() > kBytesMax; }
  bool complete() const { return complete_; }
  const http::ResponseHead& head() const { return head_; }
  std::string_view body() const { return body_; }

 private:
  bool active_ = false;
  bool complete_ = false;
  http::ResponseHead head_;
  std::string body_;
};

}  // namespace apiquota::proxy
