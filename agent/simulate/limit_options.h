// One limit that a simulated API enforces, and what calls cost in it, as values. Nothing here says how a
// limit is told: that is the dialect's (dialect.h) and the manner's (manner.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace apiquota::simulate {

// How a limit's amount comes back.
enum class LimitKind : uint8_t {
  kFixed,        // all of it, a window after the first call that found none open
  kAligned,      // all of it, at each whole multiple of the window since the epoch
  kSliding,      // each call's cost, a window after the call
  kElastic,      // all of it, a window after the last call, refused ones included
  kBucket,       // continuously, limit / window, up to the burst
  kConcurrency,  // each call's cost, when the call ends
};
inline constexpr std::array<std::pair<std::string_view, LimitKind>, 6> kLimitKindWords = {
    {{"fixed", LimitKind::kFixed},
     {"aligned", LimitKind::kAligned},
     {"sliding", LimitKind::kSliding},
     {"elastic", LimitKind::kElastic},
     {"bucket", LimitKind::kBucket},
     {"concurrency", LimitKind::kConcurrency}}};
std::string_view ToText(LimitKind kind);

// What is counted of a call.
enum class LimitUnit : uint8_t { kRequests, kTokens, kInputTokens, kOutputTokens, kOther };
std::string_view ToText(LimitUnit unit);  // requests tokens input-tokens output-tokens other

// When tokens are charged.
enum class Charge : uint8_t {
  kStart,    // what the request says, when it comes, for good
  kSettled,  // … and put right when the call ends
  kEnd,      // what was really spent, when the call ends; admitted while anything is left
};
inline constexpr std::array<std::pair<std::string_view, Charge>, 3> kChargeWords = {
    {{"start", Charge::kStart}, {"settled", Charge::kSettled}, {"end", Charge::kEnd}}};

// What is charged when a call comes for the output it may have.
enum class CapCharge : uint8_t { kSum, kMax, kIgnored };  // beside the input; the larger of the two; nothing

// Who shares one count.
enum class LimitScope : uint8_t { kAll, kKey, kAddress };
inline constexpr std::array<std::pair<std::string_view, LimitScope>, 3> kLimitScopeWords = {
    {{"all", LimitScope::kAll}, {"key", LimitScope::kKey}, {"address", LimitScope::kAddress}}};

struct LimitOptions {
  std::string name = "requests";
  LimitKind kind = LimitKind::kFixed;
  LimitUnit unit = LimitUnit::kRequests;
  double limit = 60;  // > 0
  Micros window = std::chrono::seconds(60);
  double burst = 0;                       // of a bucket: what it holds; 0: the limit
  Charge charge = Charge::kStart;         // of tokens
  CapCharge cap = CapCharge::kSum;        // of tokens of both kinds, or of output
  std::optional<Micros> sub_window = {};  // its share of the limit, one at least, holds for each such part of
                                          // the window, too; nobody is told
};

// What a call takes. The request says: input, and the output it may have; the end of the call: what it was.
struct CallCost {
  double input_tokens = 0;
  double output_tokens = 0;
  double other = 1;

  friend bool operator==(const CallCost&, const CallCost&) = default;
};
double CostIn(LimitUnit unit, const CallCost& cost);
// … by what the request says, when it comes.
double AskedCostIn(const LimitOptions& options, const CallCost& asked);

// The limit that `sub_window` stands for: of the same kind (of an elastic one: fixed). REQUIRES: there is
// one.
LimitOptions SubLimitOf(const LimitOptions& options);

}  // namespace apiquota::simulate
