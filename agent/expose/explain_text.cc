// The text form: a bar per quota, aligned; then what was passed over.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/duration.h"
#include "base/text.h"
#include "expose/explain.h"

namespace apiquota::expose {
namespace {

using provider::Reading;

constexpr int kBarWidth = 20;
constexpr double kWarning = 0.8;  // the thresholds of the alert rules
constexpr double kCritical = 0.9;
constexpr std::string_view kPlain = "\x1b[0m";

std::string Painted(std::string text, std::string_view code, bool colour) {
  return colour ? fmt::format("{}{}{}", code, text, kPlain) : text;
}

std::string_view ColourOf(double used_ratio) {
  if (used_ratio >= kCritical) return "\x1b[31m";
  return used_ratio >= kWarning ? "\x1b[33m" : "\x1b[32m";
}

std::optional<double> UsedRatio(const Reading& reading) {
  if (!reading.limit || *reading.limit <= 0) return std::nullopt;
  if (reading.remaining) return 1 - *reading.remaining / *reading.limit;
  return reading.used ? std::optional<double>(*reading.used / *reading.limit) : std::nullopt;
}

std::string Bar(const Reading& reading, bool colour) {
  const auto ratio = UsedRatio(reading);
  if (!ratio) return fmt::format("[{:{}}]     ", "", kBarWidth);
  const int filled = static_cast<int>(std::lround(std::clamp(*ratio, 0.0, 1.0) * kBarWidth));
  const std::string bar = std::string(static_cast<size_t>(filled), '#') +
                          std::string(static_cast<size_t>(kBarWidth - filled), '.');
  return fmt::format("[{}] {:>3.0f}%", Painted(bar, ColourOf(*ratio), colour), *ratio * 100);
}

// "12 s", "20m53s": exact enough to wait by.
std::string Span(double seconds) {
  if (seconds < 60) return fmt::format("{} s", FormatNumber(std::round(seconds * 1000) / 1000));
  return FormatDuration(Micros(std::llround(seconds)) * 1'000'000);
}

std::string Amount(const Reading& reading) {
  const auto number = [](const std::optional<double>& value) { return value ? FormatNumber(*value) : "?"; };
  if (reading.remaining)
    return fmt::format("{} of {} {} left", number(reading.remaining), number(reading.limit), reading.unit);
  if (reading.used)
    return fmt::format("{} of {} {} used", number(reading.used), number(reading.limit), reading.unit);
  if (reading.limit) return fmt::format("limit {} {}", number(reading.limit), reading.unit);
  return fmt::format("{}, amount not said", reading.unit);
}

std::string When(const Reading& reading, SystemTime now) {
  if (!reading.reset_at) return "";
  const double seconds = ToSeconds(*reading.reset_at - now);
  const bool bucket = reading.kind == provider::QuotaKind::kBucket;
  if (seconds < 0) return fmt::format("{} {} ago", bucket ? "full since" : "reset", Span(-seconds));
  return fmt::format("{} in {}", bucket ? "full" : "resets", Span(seconds));
}

std::string Remarks(const Reading& reading) {
  std::vector<std::string> remarks;
  if (reading.window_seconds) remarks.push_back("per " + Span(*reading.window_seconds));
  if (reading.policy) remarks.push_back("policy " + *reading.policy);
  if (!reading.derived.empty()) {
    std::vector<std::string_view> fields;
    fields.reserve(reading.derived.size());
    for (const auto field : reading.derived) fields.push_back(ToText(field));
    remarks.push_back(fmt::format("computed: {}", fmt::join(fields, ", ")));
  }
  return remarks.empty() ? "" : fmt::format("({})", fmt::join(remarks, "; "));
}

std::string NameOf(const Reading& reading) {
  return reading.resource.empty() ? reading.quota : reading.resource + " " + reading.quota;
}

void AppendQuotas(const Explanation& explanation, bool colour, std::string* text) {
  const auto& readings = explanation.signals.readings;
  size_t name_width = 0, amount_width = 0, when_width = 0;
  for (const Reading& reading : readings) {
    name_width = std::max(name_width, NameOf(reading).size());
    amount_width = std::max(amount_width, Amount(reading).size());
    when_width = std::max(when_width, When(reading, explanation.now).size());
  }
  for (const Reading& reading : readings) {
    std::string line = fmt::format("  {:{}}  {}  {:{}}  {:{}}  {}", NameOf(reading), name_width,
                                   Bar(reading, colour), Amount(reading), amount_width,
                                   When(reading, explanation.now), when_width, Remarks(reading));
    line.erase(line.find_last_not_of(' ') + 1);
    *text += line + "\n";
  }
}

// Header names and reasons come from outside: nothing that moves a terminal's cursor may pass.
std::string Printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

std::string ExplainAsText(const Explanation& explanation, bool colour) {
  const provider::Signals& signals = explanation.signals;
  std::string text = fmt::format("{}: status {}", explanation.exporter, explanation.status);
  if (signals.throttle) {
    text += ", " + Painted(fmt::format("throttled ({} limit, by {})", ToText(signals.throttle->scope),
                                       ToText(signals.throttle->signal)),
                           "\x1b[31m", colour);
  }
  if (signals.retry_after_seconds) text += ", retry after " + Span(*signals.retry_after_seconds);
  text += "\n";
  AppendQuotas(explanation, colour, &text);
  if (!Understood(signals)) text += "  says nothing about limits\n";
  if (!signals.unread.empty()) text += "ignored:\n";
  for (const provider::Unread& entry : signals.unread) {
    text += fmt::format("  {}: {}\n", Printable(entry.header), Printable(entry.reason));
  }
  return text;
}

}  // namespace apiquota::expose
