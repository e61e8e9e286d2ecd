// What the operator can say about the guard; plain values with their defaults. docs/guard.md says what each
// is for. Everything is off by default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/limit_rule.h"
#include "guard/mode.h"

namespace apiquota::guard {

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
  // Paths (guard/path_pattern.h) whose POSTs get an Idempotency-Key where they bring none, the same for
  // every attempt: the API must know the field.
  std::vector<std::string> add_idempotency_key = {};

  friend bool operator==(const RetryOptions&, const RetryOptions&) = default;
};

struct CooldownOptions : Part {
  Micros probe_every = std::chrono::minutes(5);

  friend bool operator==(const CooldownOptions&, const CooldownOptions&) = default;
};

// The parts below run only where they are written.
struct ConcurrencyOptions : Part {
  size_t max = 0;         // requests of one key under way at a time; a tunnel is one until it ends
  bool adaptive = false;  // less after throttles for concurrency or overload, and back again

  friend bool operator==(const ConcurrencyOptions&, const ConcurrencyOptions&) = default;
};

// When an api is taken to be ill: by failed connections, 5xx and timeouts, never by a throttle.
struct BreakerOptions : Part {
  size_t errors = 5;                          // one after the other; 0: not by these
  double ratio = 0.5;                         // … or so many of all …
  size_t of_at_least = 20;                    // … once there are so many; over the last 10 s
  Micros open = std::chrono::seconds(10);     // before the first probe; doubled by each that fails …
  Micros open_max = std::chrono::minutes(2);  // … up to this

  friend bool operator==(const BreakerOptions&, const BreakerOptions&) = default;
};

// What answers are remembered (agent/cache/).
struct CacheOptions : Part {
  // A route whose POSTs are remembered: calls that change nothing, such as embeddings.
  struct Post {
    std::string path;  // as sent upstream, without a query; "*" at its end: all that begin so
    Micros ttl{};      // how long an answer is fresh, whatever it says itself

    friend bool operator==(const Post&, const Post&) = default;
  };
  size_t size = 64 * 1024 * 1024;  // of all answers of the api
  std::vector<Post> post;
  // How long an answer is served past its freshness while the API fails, where the answer names no
  // stale-if-error of its own (RFC 5861 section 4). 0: not at all.
  Micros stale_if_error{};

  friend bool operator==(const CacheOptions&, const CacheOptions&) = default;
};

struct Options {
  Mode mode = Mode::kOff;
  PaceOptions pace;
  QueueOptions queue;
  RetryOptions retry;
  CooldownOptions cooldown;
  size_t cold_concurrency = 10;  // while nothing is known of a key's quotas
  std::optional<ConcurrencyOptions> concurrency;
  std::optional<BreakerOptions> breaker;
  std::optional<CacheOptions> cache;
  std::vector<LimitRule> limits;    // the operator's own
  std::vector<std::string> exempt;  // paths (as CacheOptions::Post's) that no limit of the operator's holds
  // A second set, judged beside the one in force with a state of its own; it has no shadow itself.
  std::shared_ptr<const Options> shadow;

  Mode ModeOf(const Part& part) const { return mode == Mode::kOff ? Mode::kOff : part.mode.value_or(mode); }
  template <class Written>
  Mode ModeOf(const std::optional<Written>& part) const {
    return part ? ModeOf(static_cast<const Part&>(*part)) : Mode::kOff;
  }
  // By what they say, not by where they stand.
  bool SameShadow(const Options& other) const {
    if (!shadow || !other.shadow) return shadow == other.shadow;
    return *shadow == *other.shadow;
  }
  bool active() const { return mode != Mode::kOff || (shadow && shadow->mode != Mode::kOff); }

  friend bool operator==(const Options& a, const Options& b) {
    return a.SameShadow(b) && a.mode == b.mode && a.pace == b.pace && a.queue == b.queue &&
           a.retry == b.retry && a.cooldown == b.cooldown && a.cold_concurrency == b.cold_concurrency &&
           a.concurrency == b.concurrency && a.breaker == b.breaker && a.cache == b.cache &&
           a.limits == b.limits && a.exempt == b.exempt;
  }
};

}  // namespace apiquota::guard
