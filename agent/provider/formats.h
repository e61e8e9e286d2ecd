// The closed table of ways in which providers write numbers and times. Every function is pure and total: a
// text that is not exactly what the format says is nothing, never a guess. Sentinels ("unlimited": negative,
// or 2^60 and more) are nothing too, and said to be one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota::provider {

enum class Format : uint8_t {
  kInteger,       // 5000
  kDecimal,       // 988.0 · 5000
  kUnixSeconds,   // 1663119007 · 1778746519.480
  kUnixMillis,    // 1777028504559
  kDeltaSeconds,  // 12 · 20.891
  kDeltaMillis,   // 2374
  kDeltaMinutes,  // 5
  kDuration,      // 6m0s · 20ms · 1h30m
  kIsoDuration,   // PT1M30S · P1D · PT0.5S
  kSentry,        // 60:transaction:key, 2700:default;error:organization: seconds for each category
  kRfc3339,       // 2025-06-23T10:26:56Z
  kHttpDate,      // Sun, 06 Nov 1994 08:49:37 GMT
  kPair,          // 1/80: the field's own number, then the limit
  kParams,        // 75, 75;w=1, 750;w=60: the active number, then policies
  kCounts,        // 20:1,100:120: a number for each window of so many seconds
};
std::span<const std::pair<std::string_view, Format>> FormatWords();  // as exporter files write them
std::string_view ToText(Format format);

// Formats whose value is a moment, as against a number.
bool IsTime(Format format);
// Moments said as such; the others are said as a time from now.
bool IsAbsolute(Format format);
// Formats of spans of time.
bool IsSpan(Format format);
// Formats whose text holds several values, each of another quota (source_parts.h).
bool IsSeveral(Format format);

// Values longer than this are nobody's number.
inline constexpr size_t kNumberBytesMax = 128;

// Why what some send for "unlimited" or "not known" is no number of a quota.
inline constexpr std::string_view kTooLarge = "too large to be a quantity: a sentinel";
inline constexpr std::string_view kNegative = "negative: a sentinel, not a quantity";

// A quota's number in kInteger, kDecimal, and the leading number of kPair and kParams; what one below 0 means
// is the caller's to judge. The error is a phrase.
Result<double> ReadNumber(Format format, std::string_view text);
// The number behind the slash of kPair.
Result<double> ReadPairLimit(std::string_view text);

struct Moment {
  SystemTime at;
  bool absolute = false;

  friend bool operator==(const Moment&, const Moment&) = default;
};
// One of the time formats; deltas count from `now`.
std::optional<Moment> ReadMoment(Format format, std::string_view text, SystemTime now);

// Of several alternatives the value decides: the reading that lands in the plausible future (up to 400 days,
// or just past), else in the past since 2001; ties go to the order of `formats`. A single format is believed
// as it is. Where it is known how far off the moment should be (a bucket that refills at a known rate), the
// plausible reading nearest to that is taken: bare milliseconds and bare seconds differ in nothing else.
// The error says why: not such a value, or no alternative is plausible.
enum class MomentError : uint8_t { kMalformed, kImplausible };
std::expected<Moment, MomentError> ChooseMoment(std::span<const Format> formats, std::string_view text,
                                                SystemTime now,
                                                std::optional<double> expected_seconds = std::nullopt);

// A span of time: deltas and durations; windows.
std::optional<double> ReadSpanSeconds(Format format, std::string_view text);

// The other direction, for simulations: what a provider would send. REQUIRES: a number format; a time format.
std::string WriteNumber(Format format, double value);
std::string WriteMoment(Format format, SystemTime at, SystemTime now);

}  // namespace apiquota::provider
