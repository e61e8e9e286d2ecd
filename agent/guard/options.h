// What the operator can say about the guard; plain values with their defaults. docs/guard.md says what each
// is for. Everything is off by default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"

namespace apiquota::guard {

// off: not there. shadow: decides and counts, and changes nothing. on: decides.
enum class Mode : uint8_t { kOff, kShadow, kOn };

// A part that says nothing of its own has the guard's mode.
struct Part {
  std::optional<Mode> mode;

  friend bool operator==(const Part&, const Part&) = default;
};

struct PaceOptions : Part {
  double headroom = 0;             // never take the last so many of a quota …
  bool headroom_is_share = false;  // … or this share of its limit
  double spread = 0;               // share of a fixed window's use that is evened out over it, 0 to 1

  friend bool operator==(const PaceOptions&, const PaceOptions&) = default;
};

struct QueueOptions : Part {
  enum class By : uint8_t { kCaller, kKey };
  size_t size = 1000;  // waiters per api
  Micros max_wait =
      std::chrono::seconds(65);  // so that a plain loop against 60 a minute is slowed, not refused
  std::string deadline_header;   // lower case; seconds a client gives its request; empty: none
  bool trust_priority = false;   // the header Priority: u= (RFC 9218 section 4.1)
  By by = By::kCaller;           // whose shares are equal

  friend bool operator==(const QueueOptions&, const QueueOptions&) = default;
};

struct RetryOptions : Part {
  int attempts = 3;                             // the first among them
  double budget = 0.2;                          // of requests, for each cause; at least 3 a second
  size_t replay_bytes_max = 1024 * 1024;        // of one request's body
  size_t replay_memory_max = 64 * 1024 * 1024;  // of all that are kept

  friend bool operator==(const RetryOptions&, const RetryOptions&) = default;
};

struct CooldownOptions : Part {
  Micros probe_every = std::chrono::minutes(5);

  friend bool operator==(const CooldownOptions&, const CooldownOptions&) = default;
};

struct Options {
  Mode mode = Mode::kOff;
  PaceOptions pace;
  QueueOptions queue;
  RetryOptions retry;
  CooldownOptions cooldown;
  size_t cold_concurrency = 10;  // while nothing is known of a key's quotas
  // A second set, judged beside the one in force with a state of its own; it has no shadow itself.
  std::shared_ptr<const Options> shadow;

  Mode ModeOf(const Part& part) const { return mode == Mode::kOff ? Mode::kOff : part.mode.value_or(mode); }
  // By what they say, not by where they stand.
  bool SameShadow(const Options& other) const {
    if (!shadow || !other.shadow) return shadow == other.shadow;
    return *shadow == *other.shadow;
  }
  bool active() const { return mode != Mode::kOff || (shadow && shadow->mode != Mode::kOff); }

  friend bool operator==(const Options& a, const Options& b) {
    return a.SameShadow(b) && a.mode == b.mode && a.pace == b.pace && a.queue == b.queue &&
           a.retry == b.retry && a.cooldown == b.cooldown && a.cold_concurrency == b.cold_concurrency;
  }
};

}  // namespace apiquota::guard
