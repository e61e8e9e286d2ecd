// A limit of the operator's own as the configuration says it: how much of what, whose, and for which requests
// (docs/guard.md, "Limits of your own"). Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/mode.h"

namespace apiquota::guard {

// What requests are counted apart by.
struct LimitSubject {
  enum class Kind : uint8_t {
    kCaller,   // of `callers`
    kKey,      // as the label `key`
    kAddress,  // the client's (proxy.trusted_proxies); of IPv6 its /64
    kHeader,
  };
  Kind kind = Kind::kCaller;
  std::string header = {};  // lower case

  friend bool operator==(const LimitSubject&, const LimitSubject&) = default;
};

// All that is said must hold.
struct LimitMatch {
  // As sent upstream, without a query; "*" at its end: all that begin so; empty: every path.
  std::string path;
  std::vector<std::string> methods;                          // empty: all
  std::vector<std::string> callers;                          // empty: all, and requests of nobody
  std::vector<std::pair<std::string, std::string>> headers;  // name in lower case, and the value it must have

  friend bool operator==(const LimitMatch&, const LimitMatch&) = default;
};

struct LimitRule : Part {
  enum class Algorithm : uint8_t {
    kFixed,    // so many in each window; the first request of a subject opens its window
    kSliding,  // so many in any span of a window
    kGcra,     // evenly, `burst` at once
  };
  enum class Unit : uint8_t { kRequests, kTokens };
  enum class Missing : uint8_t { kRefuse, kAllow };

  std::string name;              // of those of one name that of the first whose match holds
  std::vector<LimitSubject> by;  // empty: all requests together
  LimitMatch match;
  Unit unit = Unit::kRequests;
  uint64_t limit = 0;
  Micros window{};
  Algorithm algorithm = Algorithm::kFixed;
  uint64_t burst = 1;                  // of kGcra
  Missing missing = Missing::kRefuse;  // what becomes of a request that lacks a part of `by`

  friend bool operator==(const LimitRule&, const LimitRule&) = default;
};

}  // namespace apiquota::guard
