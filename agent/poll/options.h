// What the operator can say about polling as a whole; plain values with their defaults.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace apiquota::poll {

// Bounds of all polls together and of each one.
struct PollerOptions {
  size_t requests_max = 64;                          // under way at a time; the others wait
  Micros connect_timeout = std::chrono::seconds(5);  // name, TCP and TLS
  Micros timeout = std::chrono::seconds(30);         // from the start to the answer's last byte
  size_t head_bytes_max = 64 * 1024;                 // of the answer
  size_t body_bytes_max = 1024 * 1024;               // likewise, decoded; what is beyond is not read

  friend bool operator==(const PollerOptions&, const PollerOptions&) = default;
};

}  // namespace apiquota::poll
