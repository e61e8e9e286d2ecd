// What one exchange said about limits: the values between ExtractSignals (provider) and the ledger (quota).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace apiquota::provider {

// How a quota comes back (docs/quota-semantics.md rule 1): all at the reset; over a sliding window;
// continuously; when calls end; never.
enum class QuotaKind : uint8_t { kFixed, kSliding, kBucket, kConcurrency, kBalance };
inline constexpr std::array<std::pair<std::string_view, QuotaKind>, 5> kQuotaKindWords = {
    {{"fixed", QuotaKind::kFixed},
     {"sliding", QuotaKind::kSliding},
     {"bucket", QuotaKind::kBucket},
     {"concurrency", QuotaKind::kConcurrency},
     {"balance", QuotaKind::kBalance}}};
std::string_view ToText(QuotaKind kind);

// The closed list of things a response can say; label of apiquota_parse_errors_total.
enum class SignalField : uint8_t {
  kLimit,
  kRemaining,
  kUsed,
  kReset,
  kWindow,
  kPolicy,
  kRetryAfter,
  kResource,
  kBody,
  kRequestBody
};
std::string_view ToText(
    SignalField field);  // limit remaining used reset window policy retry_after resource body request_body

// Some of the fields, in their order. A plain value: it allocates nothing.
class SignalFields {
 public:
  constexpr SignalFields() = default;
  constexpr SignalFields(std::initializer_list<SignalField> fields) {
    for (const SignalField field : fields) Add(field);
  }
  constexpr void Add(SignalField field) { bits_ = static_cast<uint16_t>(bits_ | Bit(field)); }
  constexpr void Remove(SignalField field) { bits_ = static_cast<uint16_t>(bits_ & ~Bit(field)); }
  constexpr bool Has(SignalField field) const { return (bits_ & Bit(field)) != 0; }

  // As a number, and back: bit n is the n-th of the list.
  constexpr uint16_t bits() const { return bits_; }
  static constexpr SignalFields FromBits(uint16_t bits) {
    SignalFields fields;
    fields.bits_ = bits;
    return fields;
  }

  class Iterator {
   public:
    constexpr explicit Iterator(unsigned bits) : bits_(bits) {}
    constexpr SignalField operator*() const { return static_cast<SignalField>(std::countr_zero(bits_)); }
    constexpr Iterator& operator++() {
      bits_ &= bits_ - 1;
      return *this;
    }
    friend constexpr bool operator==(Iterator, Iterator) = default;

   private:
    unsigned bits_;
  };
  constexpr Iterator begin() const { return Iterator(bits_); }
  constexpr Iterator end() const { return Iterator(0); }
  friend constexpr bool operator==(SignalFields, SignalFields) = default;

 private:
  static constexpr unsigned Bit(SignalField field) { return 1U << static_cast<unsigned>(field); }

  uint16_t bits_ = 0;
};

// Where in the exporter's file a reading comes from: the ledger tells quotas of one name apart by it. No part
// of what was said, so readings are equal whatever theirs.
struct ReadingSource {
  uint16_t family = 0;
  bool renamed = false;  // another reading of the response had the name first
  bool events = false;   // said in a stream's midst, long after its head

  friend constexpr bool operator==(const ReadingSource&, const ReadingSource&) { return true; }
};

// One quota as one exchange reported it. Absent means "the response did not say", never zero.
struct Reading {
  std::string resource;
  std::string quota;
  std::string unit;
  QuotaKind kind = QuotaKind::kFixed;
  bool kind_assumed = false;  // nobody documents it: what is seen may tell better
  std::optional<double> limit;
  std::optional<double> remaining;
  std::optional<double> used;
  std::optional<SystemTime> reset_at;  // as said: deltas added to the receipt, absolute times untouched
  bool reset_absolute = false;         // said as a point in time: the ledger corrects it by Date
  std::optional<double> window_seconds;
  std::optional<std::string> policy;
  SignalFields derived;  // computed from the others, not said
  ReadingSource source;

  friend bool operator==(const Reading&, const Reading&) = default;
};

// Whether a reading says how much, or when. One that does not tells of a quota without a bound: it names it
// and its window alone.
inline bool HasNumbers(const Reading& reading) {
  return reading.limit || reading.remaining || reading.used || reading.reset_at;
}

enum class ThrottleScope : uint8_t { kPrimary, kSecondary, kConcurrency, kOverload, kSpend, kUnknown };
enum class ThrottleSignal : uint8_t { kStatus, kHeader, kBody, kStream };
std::string_view ToText(ThrottleScope scope);    // primary secondary concurrency overload spend unknown
std::string_view ToText(ThrottleSignal signal);  // status header body stream

struct Throttle {
  ThrottleScope scope = ThrottleScope::kUnknown;
  ThrottleSignal signal = ThrottleSignal::kStatus;
  std::string resource;

  friend bool operator==(const Throttle&, const Throttle&) = default;
};

// What tokens are spent on. The types are disjoint: together they are all tokens of the exchange.
enum class TokenType : uint8_t { kInput, kCachedInput, kCacheWrite, kOutput, kReasoning };
inline constexpr size_t kTokenTypes = 5;
std::string_view ToText(TokenType type);  // input cached_input cache_write output reasoning

// Tokens by type, as the reply reported them.
using TokenUsage = std::array<uint64_t, kTokenTypes>;

enum class UnreadKind : uint8_t {
  kNotDescribed,  // looks like a limit, the exporter has no rule for it: not an error
  kMalformed,     // described, and the value does not parse or is a sentinel: counted
  kImplausible,   // parsed, but can't be (a reset 400 days off): counted
};

struct Unread {
  std::string header;  // lower case; or a JSON pointer
  std::string reason;  // one phrase for a person
  UnreadKind kind = UnreadKind::kNotDescribed;
  SignalField field = SignalField::kPolicy;

  friend bool operator==(const Unread&, const Unread&) = default;
};

struct Signals {
  std::string resource;           // what the exchange was about; empty: not said
  std::vector<Reading> readings;  // sorted by resource, quota
  std::optional<Throttle> throttle;
  std::optional<TokenUsage> usage;
  std::optional<double> retry_after_seconds;  // the longer of two; on a 2xx without a throttle
  std::vector<Unread> unread;                 // in header order
};

}  // namespace apiquota::provider
