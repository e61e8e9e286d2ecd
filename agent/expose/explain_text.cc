// The text form: who said it, the throttle in a sentence, a bar per quota, what was passed over and why.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/duration.h"
#include "base/text.h"
#include "expose/explain.h"
#include "http/forward.h"
#include "provider/amounts.h"

namespace apiquota::expose {
namespace {

using provider::Reading;
using provider::ThrottleScope;
using provider::ThrottleSignal;

constexpr size_t kBarWidth = 20;
constexpr double kWarning = 0.8;  // the thresholds of the alert rules
constexpr double kCritical = 0.9;

constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";

std::string Painted(std::string_view text, std::string_view code, bool colour) {
  return colour ? fmt::format("{}{}{}", code, text, kPlain) : std::string(text);
}

// Header names and reasons come from outside: nothing that moves a terminal's cursor may pass.
std::string Printable(std::string_view outside) {
  std::string text(outside);
  std::ranges::replace_if(text, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string_view ColourOf(double used_ratio) {
  if (used_ratio >= kCritical) return kRed;
  return used_ratio >= kWarning ? kYellow : kGreen;
}

std::optional<double> UsedRatio(const Reading& reading) {
  return provider::UsedRatio({reading.limit, reading.remaining, reading.used, reading.derived});
}

// "1,234,567.5"; four digits are read without help.
std::string Number(double value) {
  std::string text = FormatNumber(value);
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  for (size_t at = end; end >= 5 && at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

// "12 s", "20m53s", "3h20m", "2d4h": as exact as one waits by.
std::string Span(double seconds) {
  if (seconds < 60) return fmt::format("{} s", FormatNumber(std::round(seconds * 1000) / 1000));
  const auto whole = std::llround(seconds);
  const auto two = [](long long big, char unit, long long small, char part) {
    return small == 0 ? fmt::format("{}{}", big, unit) : fmt::format("{}{}{}{}", big, unit, small, part);
  };
  if (whole < 3600) return two(whole / 60, 'm', whole % 60, 's');
  if (whole < 86400) return two(whole / 3600, 'h', whole % 3600 / 60, 'm');
  return two(whole / 86400, 'd', whole % 86400 / 3600, 'h');
}

std::string Bar(const Reading& reading, bool colour) {
  const auto ratio = UsedRatio(reading);
  if (!ratio) return fmt::format("[{:{}}]     ", "", kBarWidth);
  const auto filled =
      static_cast<size_t>(std::lround(std::clamp(*ratio, 0.0, 1.0) * static_cast<double>(kBarWidth)));
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  return fmt::format("[{}] {:>3.0f}%", Painted(bar, ColourOf(*ratio), colour), *ratio * 100);
}

std::string Amount(const Reading& reading) {
  const bool share = reading.unit == "ratio" || reading.unit == "percent";
  if (const auto ratio = UsedRatio(reading); share && ratio) {
    return fmt::format("{} % left", FormatNumber(std::round((1 - *ratio) * 1000) / 10));
  }
  const auto of = [&] { return reading.limit ? " of " + Number(*reading.limit) : std::string(); };
  if (reading.remaining) return fmt::format("{}{} {} left", Number(*reading.remaining), of(), reading.unit);
  if (reading.used) return fmt::format("{}{} {} used", Number(*reading.used), of(), reading.unit);
  if (reading.limit) return fmt::format("limit {} {}", Number(*reading.limit), reading.unit);
  return fmt::format("{}, amount not said", reading.unit);
}

std::string When(const Reading& reading, SystemTime now) {
  if (!reading.reset_at) return "";
  const double seconds = ToSeconds(*reading.reset_at - now);
  const bool bucket = reading.kind == provider::QuotaKind::kBucket;
  if (seconds < 0) return fmt::format("{} {} ago", bucket ? "full since" : "reset", Span(-seconds));
  if (seconds == 0) return bucket ? "full now" : "resets now";
  return fmt::format("{} in {}", bucket ? "full" : "resets", Span(seconds));
}

// "~": computed, not said.
std::string Window(const Reading& reading) {
  if (!reading.window_seconds) return "";
  const bool computed = reading.derived.Has(provider::SignalField::kWindow);
  return fmt::format("per {}{}", computed ? "~" : "", Span(*reading.window_seconds));
}

std::string Name(const Reading& reading) {
  return reading.resource.empty() ? reading.quota : reading.resource + " " + reading.quota;
}

std::string Quotas(const Explanation& explanation, bool colour) {
  constexpr size_t kColumns = 6;
  std::vector<std::array<std::string, kColumns>> rows;
  std::array<size_t, kColumns> widths{};
  for (const Reading& reading : explanation.signals.readings) {
    const std::string policy = reading.policy ? fmt::format("policy {}", *reading.policy) : "";
    rows.push_back({Printable(Name(reading)), Bar(reading, colour), Amount(reading),
                    When(reading, explanation.now), Window(reading), Printable(policy)});
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], rows.back()[i].size());
  }
  widths[1] = 0;  // bars are of one width, whatever their colours' bytes
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < kColumns; ++i) {
      if (i != 1 && widths[i] == 0) continue;
      line += fmt::format("  {:{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string Recognised(const Explanation& explanation) {
  if (explanation.recognition == Recognition::kHeaders) return ", recognised by its headers";
  if (explanation.recognition != Recognition::kHost) return "";
  return fmt::format(", recognised by its host {}", Printable(explanation.host));
}

// "OpenAI (openai): 429 Too Many Requests, recognised by its headers"
std::string Headline(const Explanation& explanation, bool colour) {
  const std::string name = explanation.title.empty()
                               ? explanation.exporter
                               : fmt::format("{} ({})", explanation.title, explanation.exporter);
  std::string status = fmt::format("{} {}", explanation.status, http::ReasonPhrase(explanation.status));
  status.erase(status.find_last_not_of(' ') + 1);
  return fmt::format("{}: {}{}\n", Painted(name, kBold, colour), status, Recognised(explanation));
}

std::string_view Refusal(ThrottleScope scope) {
  switch (scope) {
    case ThrottleScope::kPrimary:
      return "a quota is used up";
    case ThrottleScope::kSecondary:
      return "too much at once, whatever the quotas say (a secondary limit)";
    case ThrottleScope::kConcurrency:
      return "too many calls at the same time";
    case ThrottleScope::kOverload:
      return "the API is overloaded; your quotas are not the reason";
    case ThrottleScope::kSpend:
      return "no credit or budget left; waiting alone does not help";
    case ThrottleScope::kUnknown:
      break;
  }
  return "it does not say by which limit";
}

std::string_view Evidence(ThrottleSignal signal) {
  switch (signal) {
    case ThrottleSignal::kHeader:
      return "a header says so";
    case ThrottleSignal::kBody:
      return "the body says so";
    case ThrottleSignal::kStream:
      return "an event of the stream says so";
    case ThrottleSignal::kStatus:
      break;
  }
  return "by the status";
}

// One sentence: whether to wait, how long, and for what.
std::string Sentence(const provider::Signals& signals, bool colour) {
  const auto wait = [&] { return "retry after " + Span(*signals.retry_after_seconds); };
  if (!signals.throttle) return signals.retry_after_seconds ? "not throttled, but: " + wait() + "\n" : "";
  std::string text =
      fmt::format("{}: {} ({}, {})", Painted("throttled", kRed, colour), Refusal(signals.throttle->scope),
                  ToText(signals.throttle->scope), Evidence(signals.throttle->signal));
  return text + (signals.retry_after_seconds ? "; " + wait() : "") + "\n";
}

std::string Tokens(const provider::Signals& signals) {
  if (!signals.usage) return "";
  std::vector<std::string> parts;
  for (size_t i = 0; i < signals.usage->size(); ++i) {
    const uint64_t count = signals.usage->at(i);
    if (count > 0) parts.push_back(fmt::format("{} {}", count, ToText(static_cast<provider::TokenType>(i))));
  }
  return fmt::format("  tokens: {}\n", parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", ")));
}

std::string Ignored(const std::vector<provider::Unread>& unread, bool colour) {
  if (unread.empty()) return "";
  size_t width = 0;
  for (const provider::Unread& entry : unread) width = std::max(width, entry.header.size());
  std::string text = "ignored:\n";
  for (const provider::Unread& entry : unread) {
    text += fmt::format("  {:{}}  {}\n", Printable(entry.header), width, Printable(entry.reason));
  }
  return Painted(text, kDim, colour);
}

}  // namespace

std::string ExplainAsText(const Explanation& explanation, bool colour) {
  const provider::Signals& signals = explanation.signals;
  std::string text = Headline(explanation, colour);
  text += Sentence(signals, colour);
  text += Quotas(explanation, colour);
  if (!Understood(signals)) text += "  says nothing about limits\n";
  text += Tokens(signals);
  return text + Ignored(signals.unread, colour);
}

}  // namespace apiquota::expose
