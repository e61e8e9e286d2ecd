// Whether a part of the guard runs; plain values.
#pragma once

#include <cstdint>
#include <optional>

namespace apiquota::guard {

// off: not there. shadow: decides and counts, and changes nothing. on: decides.
enum class Mode : uint8_t { kOff, kShadow, kOn };

// A part that says nothing of its own has the guard's mode.
struct Part {
  std::optional<Mode> mode;

  friend bool operator==(const Part&, const Part&) = default;
};

}  // namespace apiquota::guard
