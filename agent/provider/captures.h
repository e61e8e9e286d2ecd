// The headers of one response that mean something to an exporter, by the rule that they are for: a rule looks
// at its own and no others. Allocates only for responses with many. Not thread-safe; views into the exchange.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::provider {

struct Capture {
  HeaderTarget target;
  uint16_t next = 0;      // the next one for the same rule; Captures::kNone if there is none
  size_t at = 0;          // its place among the response's fields
  std::string_view star;  // what the '*' of its rule stood for
};

class Captures {
 public:
  static constexpr size_t kCapturesMax =
      256;  // headers that mean something, in one response; more are left out
  static constexpr uint16_t kNone = 0xffff;

  explicit Captures(const Exporter& exporter) : chains_(exporter.quotas.size() + 1) {}

  void Add(const HeaderTarget& target, size_t at, std::string_view star) {
    if (items_.size() == kCapturesMax) return;
    const auto index = static_cast<uint16_t>(items_.size());
    items_.push_back({target, kNone, at, star});
    Chain& chain = chains_[OfQuota(target.kind) ? target.rule : chains_.size() - 1];
    (chain.first == kNone ? chain.first : items_[chain.last].next) = index;
    chain.last = index;
  }

  // In header order; for (const Capture& capture : captures.OfRule(r)).
  class Range;
  Range OfRule(size_t rule) const;  // of a quota rule: fields, policies and their status
  Range Others() const;             // resources, and times to wait

 private:
  struct Chain {
    uint16_t first = kNone;
    uint16_t last = kNone;
  };
  static bool OfQuota(HeaderTarget::Kind kind) {
    using Kind = HeaderTarget::Kind;
    return kind == Kind::kQuotaField || kind == Kind::kPolicy || kind == Kind::kStatus;
  }

  boost::container::small_vector<Capture, 16> items_;
  boost::container::small_vector<Chain, 24> chains_;  // of each quota rule; then of all else
};

class Captures::Range {
 public:
  class Iterator {
   public:
    Iterator(const Capture* items, uint16_t at) : items_(items), at_(at) {}
    const Capture& operator*() const { return items_[at_]; }
    Iterator& operator++() {
      at_ = items_[at_].next;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    const Capture* items_;
    uint16_t at_;
  };

  Range(const Capture* items, uint16_t first) : items_(items), first_(first) {}
  Iterator begin() const { return {items_, first_}; }
  Iterator end() const { return {items_, kNone}; }
  bool empty() const { return first_ == kNone; }

 private:
  const Capture* items_;
  uint16_t first_;
};

inline Captures::Range Captures::OfRule(size_t rule) const { return {items_.data(), chains_[rule].first}; }
inline Captures::Range Captures::Others() const { return {items_.data(), chains_.back().first}; }

}  // namespace apiquota::provider
