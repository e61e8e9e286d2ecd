#include "provider/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/duration.h"
#include "base/text.h"
#include "http/date.h"
#include "provider/iso_duration.h"
#include "provider/policies.h"
#include "provider/rfc3339.h"

namespace apiquota::provider {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 15> kWords = {{
    {"integer", Format::kInteger},
    {"decimal", Format::kDecimal},
    {"unix-seconds", Format::kUnixSeconds},
    {"unix-millis", Format::kUnixMillis},
    {"delta-seconds", Format::kDeltaSeconds},
    {"delta-millis", Format::kDeltaMillis},
    {"delta-minutes", Format::kDeltaMinutes},
    {"duration", Format::kDuration},
    {"iso8601-duration", Format::kIsoDuration},
    {"sentry", Format::kSentry},
    {"rfc3339", Format::kRfc3339},
    {"http-date", Format::kHttpDate},
    {"pair", Format::kPair},
    {"params", Format::kParams},
    {"counts", Format::kCounts},
}};

// Nobody's quota has 2^60 units; clients' 64-bit maxima, rounded or not, mean "unlimited".
constexpr double kSentinelMin = 1152921504606846976.0;
constexpr Micros kPlausibleAhead = std::chrono::hours(24 * 400);
constexpr Micros kJustPast = std::chrono::hours(1);
constexpr SystemTime kFirstEpoch{std::chrono::seconds(1'000'000'000)};  // 2001: younger than any API
constexpr double kEpochMin = 1e9;  // a bare number this large is no delta

Result<double> Judge(std::optional<double> number) {
  if (!number) return Fail("not a number");
  if (std::abs(*number) >= kSentinelMin) return Fail(std::string(kTooLarge));
  return *number;
}

std::optional<double> WholeNumber(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.find('.') != std::string_view::npos) return std::nullopt;
  return ParseDecimal(text);
}

// The first member of a list of policies: the active number. The others must be policies, or the same number
// once more; "1,000" and "200,2000" are lists of something else.
std::optional<double> ActiveLimit(std::string_view text) {
  const auto policies = ParsePolicies(text);
  if (!policies || policies->empty()) return std::nullopt;
  const std::optional<double> active = policies->front().limit;
  const auto fits = [&](const Policy& policy) { return policy.window_seconds || policy.limit == active; };
  return std::ranges::all_of(policies->begin() + 1, policies->end(), fits) ? active : std::nullopt;
}

std::optional<double> NonNegative(std::string_view text) {
  const auto number = ParseDecimal(text);
  return number && *number >= 0 ? number : std::nullopt;
}

std::optional<SystemTime> After(SystemTime now, double seconds) {
  const double at = ToUnixSeconds(now) + seconds;
  if (!FromUnixSeconds(at)) return std::nullopt;
  // Rounded: it is never negative. NOLINTNEXTLINE(bugprone-incorrect-roundings)
  return now + Micros(static_cast<int64_t>(seconds * 1e6 + 0.5));
}

std::optional<SystemTime> FromEpoch(std::optional<double> seconds) {
  if (!seconds || !FromUnixSeconds(*seconds)) return std::nullopt;
  return SystemTime(Micros(std::llround(*seconds * 1e6)));
}

// What is meant follows from the size: 2^32 milliseconds were over in February 1970, and 10^11 seconds end in
// the year 5138, so that a small number of milliseconds is one of seconds, and the other way round.
std::optional<double> EpochSeconds(Format format, std::string_view text) {
  constexpr double kMillisMin = 4294967296;
  constexpr double kSecondsMax = 1e11;
  const auto number = NonNegative(text);
  if (!number) return std::nullopt;
  const bool millis = *number >= kMillisMin && (format == Format::kUnixMillis || *number >= kSecondsMax);
  return millis ? *number / 1e3 : *number;
}

// A number that comes with its unit, whatever the format would take a bare one for: "60s", "60 s",
// "2 minutes".
std::optional<double> WithUnit(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnitWords[] = {
      {"sec", 1},     {"secs", 1},     {"second", 1},  {"seconds", 1},  {"min", 60},    {"mins", 60},
      {"minute", 60}, {"minutes", 60}, {"hour", 3600}, {"hours", 3600}, {"day", 86400}, {"days", 86400}};
  const size_t number_end = text.find_first_not_of("0123456789.");
  if (number_end == std::string_view::npos || number_end == 0) return std::nullopt;
  if (const auto duration = ParseDuration(text)) return ToSeconds(*duration);
  const auto number = ParseDecimal(text.substr(0, number_end));
  const std::string_view unit = Trim(text.substr(number_end));
  if (!number || unit.find_first_of("0123456789.") != std::string_view::npos) return std::nullopt;
  for (const auto& [word, seconds] : kUnitWords) {
    if (EqualsIgnoreCase(unit, word)) return *number * seconds;
  }
  const auto one = ParseDuration("1" + std::string(unit));
  return one ? std::optional<double>(*number * ToSeconds(*one)) : std::nullopt;
}

std::optional<double> Scaled(std::optional<double> number, double factor) {
  return number ? std::optional<double>(*number * factor) : std::nullopt;
}

enum class Plausibility : uint8_t { kFuture, kPast, kNot };

Plausibility PlausibilityOf(Format format, const Moment& moment, std::string_view text, SystemTime now) {
  const bool bare_delta = format == Format::kDeltaSeconds || format == Format::kDeltaMillis;
  if (bare_delta && ParseDecimal(text).value_or(0) >= kEpochMin) return Plausibility::kNot;
  if (moment.at > now + kPlausibleAhead) return Plausibility::kNot;
  if (moment.at >= now - kJustPast) return Plausibility::kFuture;
  const bool bare_epoch = format == Format::kUnixSeconds || format == Format::kUnixMillis;
  return bare_epoch && moment.at < kFirstEpoch ? Plausibility::kNot : Plausibility::kPast;
}

}  // namespace

std::span<const std::pair<std::string_view, Format>> FormatWords() { return kWords; }

std::string_view ToText(Format format) { return kWords.at(static_cast<size_t>(format)).first; }

bool IsTime(Format format) { return format >= Format::kUnixSeconds && format <= Format::kHttpDate; }

bool IsAbsolute(Format format) {
  return format == Format::kUnixSeconds || format == Format::kUnixMillis || format == Format::kRfc3339 ||
         format == Format::kHttpDate;
}

bool IsSpan(Format format) {
  return format == Format::kDeltaSeconds || format == Format::kDeltaMillis ||
         format == Format::kDeltaMinutes || format == Format::kDuration || format == Format::kIsoDuration;
}

bool IsSeveral(Format format) { return format == Format::kCounts || format == Format::kSentry; }

Result<double> ReadNumber(Format format, std::string_view text) {
  text = Trim(text);
  if (text.size() > kNumberBytesMax && format != Format::kParams) return Fail("too long for a number");
  switch (format) {
    case Format::kInteger:
      return Judge(WholeNumber(text));
    case Format::kPair: {
      const size_t slash = text.find('/');
      if (slash == std::string_view::npos) return Fail("not a pair n/m");
      return Judge(ParseDecimal(Trim(text.substr(0, slash))));
    }
    case Format::kParams:
      return Judge(text.find_first_of(",;") == std::string_view::npos ? WholeNumber(text)
                                                                      : ActiveLimit(text));
    default:
      if (text.ends_with('%')) text.remove_suffix(1);
      return Judge(ParseDecimal(text));
  }
}

Result<double> ReadPairLimit(std::string_view text) {
  text = Trim(text);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.size() > kNumberBytesMax) return Fail("not a pair n/m");
  auto limit = Judge(ParseDecimal(Trim(text.substr(slash + 1))));
  if (limit && *limit < 0) return Fail(std::string(kNegative));
  return limit;
}

std::optional<Moment> ReadMoment(Format format, std::string_view text, SystemTime now) {
  text = Trim(text);
  if (text.size() > kNumberBytesMax) return std::nullopt;
  std::optional<SystemTime> at;
  switch (format) {
    case Format::kUnixSeconds:
    case Format::kUnixMillis:
      at = FromEpoch(EpochSeconds(format, text));
      break;
    case Format::kRfc3339:
      at = ParseRfc3339(text);
      break;
    case Format::kHttpDate:
      at = http::ParseHttpDate(text, now);
      break;
    default: {
      const auto seconds = ReadSpanSeconds(format, text);
      if (seconds) at = After(now, *seconds);
    }
  }
  if (!at) return std::nullopt;
  return Moment{*at, IsAbsolute(format)};
}

std::expected<Moment, MomentError> ChooseMoment(std::span<const Format> formats, std::string_view text,
                                                SystemTime now, std::optional<double> expected_seconds) {
  std::optional<Moment> past;
  std::optional<Moment> future;
  bool readable = false;
  const auto distance = [&](const Moment& moment) {
    return std::abs(ToSeconds(moment.at - now) - *expected_seconds);
  };
  for (const Format format : formats) {
    const auto moment = ReadMoment(format, text, now);
    if (!moment) continue;
    readable = true;
    if (formats.size() == 1) return *moment;
    const Plausibility plausibility = PlausibilityOf(format, *moment, Trim(text), now);
    if (plausibility == Plausibility::kFuture) {
      // Nothing tells seconds from milliseconds: who waits too long is refused less often than who doesn't.
      if (!expected_seconds && moment->absolute) return future.value_or(*moment);
      const bool better =
          !future || (expected_seconds ? distance(*moment) < distance(*future) : moment->at > future->at);
      if (better) future = moment;
    }
    if (plausibility == Plausibility::kPast && !past) past = moment;
  }
  if (future) return *future;
  if (past) return *past;
  return std::unexpected(readable ? MomentError::kImplausible : MomentError::kMalformed);
}

std::optional<double> ReadSpanSeconds(Format format, std::string_view text) {
  text = Trim(text);
  if (text.size() > kNumberBytesMax) return std::nullopt;
  switch (format) {
    case Format::kSentry:
      return NonNegative(text);
    case Format::kDeltaSeconds:
      if (const auto said = WithUnit(text)) return said;
      return NonNegative(text);
    case Format::kDeltaMillis:
      if (const auto said = WithUnit(text)) return said;
      return Scaled(NonNegative(text), 1e-3);
    case Format::kDeltaMinutes:
      if (const auto said = WithUnit(text)) return said;
      return Scaled(NonNegative(text), 60);
    case Format::kIsoDuration: {
      const auto duration = ParseIsoDuration(text);
      return duration ? std::optional<double>(ToSeconds(*duration)) : std::nullopt;
    }
    case Format::kDuration: {
      const auto duration = ParseDuration(text);
      return duration ? std::optional<double>(ToSeconds(*duration)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::string WriteNumber(Format format, double value) {
  return FormatNumber(format == Format::kInteger ? std::floor(value) : value);
}

std::string WriteMoment(Format format, SystemTime at, SystemTime now) {
  const Micros delta = std::max(at - now, Micros(0));
  switch (format) {
    case Format::kUnixSeconds:
      return fmt::format("{}", std::chrono::ceil<std::chrono::seconds>(at).time_since_epoch().count());
    case Format::kUnixMillis:
      return fmt::format("{}", std::chrono::ceil<std::chrono::milliseconds>(at).time_since_epoch().count());
    case Format::kDeltaMillis:
      return fmt::format("{}", std::chrono::ceil<std::chrono::milliseconds>(delta).count());
    case Format::kDeltaMinutes:
      return fmt::format("{}", std::chrono::ceil<std::chrono::minutes>(delta).count());
    case Format::kIsoDuration:
      return FormatIsoDuration(std::chrono::ceil<std::chrono::seconds>(delta));
    case Format::kDuration:
      return FormatDuration(std::chrono::ceil<std::chrono::milliseconds>(delta));
    case Format::kRfc3339:
      return FormatRfc3339(std::chrono::ceil<std::chrono::seconds>(at));
    case Format::kHttpDate:
      return http::FormatHttpDate(std::chrono::ceil<std::chrono::seconds>(at));
    default:
      return fmt::format("{}", std::chrono::ceil<std::chrono::seconds>(delta).count());
  }
}

}  // namespace apiquota::provider
