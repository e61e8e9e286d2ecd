#include "proxy/guard_refusal.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "http/forward.h"
#include "http/quoted_text.h"
#include "provider/refusal.h"
#include "proxy/limit_fields.h"

namespace apiquota::proxy {
namespace {

// Older SDKs take a longer Retry-After for a mistake and come back within seconds, so these are told not to.
constexpr uint64_t kLongWaitSeconds = 60;
constexpr int kUnavailable = 503;

std::string_view PolicyOf(const guard::Refusal& refusal) {
  return refusal.quota.empty() ? ToText(refusal.reason) : std::string_view(refusal.quota);
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  http::AppendStructuredString(text, &quoted);
  return quoted;
}

std::string Whole(double value) {
  return std::to_string(
      static_cast<int64_t>(std::clamp(std::floor(value), 0.0, http::kStructuredIntegerMax)));
}

std::string_view Why(const guard::Refusal& refusal) {
  if (refusal.reason == guard::Reason::kBreaker) return "it has failed again and again, and is left alone";
  if (refusal.status == kUnavailable && refusal.reason != guard::Reason::kQueue)
    return "the agent stops or leaves this API before its turn comes";
  switch (refusal.reason) {
    case guard::Reason::kRetryAfter:
      return "the API has said when it takes requests again";
    case guard::Reason::kCooldown:
      return "the API refused the last requests";
    case guard::Reason::kQueue:
      return "too many requests wait already";
    case guard::Reason::kRamp:
      return "a limit recovers, and those who waited for it go first";
    case guard::Reason::kCold:
      return "nothing is known of this key's quotas yet, and others are being answered";
    case guard::Reason::kRetry:
      return "the API has refused it, and it is to be sent once more";
    default:
      return "not enough is left of it";
  }
}

// A limit of the operator's, by the name that they gave it.
std::string LimitSentence(const guard::Refusal& refusal) {
  std::string text(": ");
  if (!refusal.lacks.empty()) {
    return text.append("limit ")
        .append(refusal.quota)
        .append(" counts by ")
        .append(refusal.lacks)
        .append(", which it does not have");
  }
  text.append("not enough is left of limit ").append(refusal.quota);
  if (refusal.limit && refusal.window_seconds) {
    text.append(" (").append(FormatNumber(*refusal.limit)).append(" in ");
    text.append(FormatNumber(*refusal.window_seconds)).append(" s)");
  }
  return text;
}

}  // namespace

uint64_t RetryAfterOf(const guard::Refusal& refusal, SystemTime now) {
  constexpr Micros kLongest = std::chrono::hours(24 * 366);
  const Micros wait = refusal.until >= now + kLongest ? kLongest : std::max(refusal.until - now, Micros(0));
  return static_cast<uint64_t>(std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count()));
}

std::string SentenceOf(const guard::Refusal& refusal, std::string_view api, SystemTime now) {
  std::string text("apiquota holds this request to ");
  text.append(api).append(" back");
  const std::string in_seconds = "; it could go in " + std::to_string(RetryAfterOf(refusal, now)) + " s";
  if (refusal.reason == guard::Reason::kLimit)
    return text.append(LimitSentence(refusal)).append(refusal.lacks.empty() ? in_seconds : "");
  if (!refusal.quota.empty()) text.append(": quota ").append(refusal.quota);
  if (!refusal.resource.empty()) text.append(" of ").append(refusal.resource);
  if (refusal.never_fits) return text.append(": it costs more than there can ever be");
  text.append(": ").append(Why(refusal));
  return text.append(in_seconds);
}

std::string DelayText(Micros waited, guard::Reason reason, std::string_view quota) {
  constexpr double kHundredths = 100;
  std::string text = FormatNumber(std::ceil(ToSeconds(waited) * kHundredths) / kHundredths);
  text.append(";reason=").append(ToText(reason));
  if (quota.empty()) return text;
  text.append(";quota=");
  const bool token = std::ranges::all_of(quota, [](char c) {
    return (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  const bool letter = AsciiLower(quota.front()) >= 'a' && AsciiLower(quota.front()) <= 'z';
  if (token && letter) return text.append(quota);
  http::AppendStructuredString(quota, &text);
  return text;
}

RefusalAnswer AnswerOf(const guard::Refusal& refusal, std::string_view api,
                       const provider::Exporter& exporter, SystemTime now,
                       std::span<const guard::LimitStanding> standings, SystemTime system_now) {
  RefusalAnswer answer;
  const uint64_t wait = RetryAfterOf(refusal, now);
  const std::string seconds = std::to_string(wait);
  const std::string sentence = SentenceOf(refusal, api, now);
  const std::string name = std::string("apiquota-").append(PolicyOf(refusal));
  provider::RefusalBody rendered =
      provider::RenderRefusal(exporter, {.unavailable = refusal.status == kUnavailable,
                                         .message = sentence,
                                         .retry_after_seconds = static_cast<double>(wait),
                                         .quota = refusal.quota,
                                         .rule = std::string(ToText(refusal.reason)),
                                         .violated_policies = {name}});
  answer.body = std::move(rendered.body);
  const std::string policy = Quoted(name);
  http::ResponseHead& head = answer.head;
  head.status = rendered.status;
  head.reason = http::ReasonPhrase(rendered.status);
  head.framing = http::BodyFraming::kLength;
  head.content_length = answer.body.size();
  head.fields.Add("Content-Type", rendered.content_type);
  head.fields.Add("Cache-Control", "no-store");
  const bool lacks = !refusal.lacks.empty();  // no wait brings that
  if (!lacks) head.fields.Add("Retry-After", seconds);
  if (refusal.reason == guard::Reason::kLimit) {
    AddRefusedLimitFields(refusal, standings, wait, system_now, &head.fields);
  } else {
    head.fields.Add("RateLimit", policy + ";r=0;t=" + seconds);
  }
  if (refusal.limit && refusal.reason != guard::Reason::kLimit) {
    std::string text = policy + ";q=" + Whole(*refusal.limit);
    if (refusal.window_seconds) text.append(";w=").append(Whole(std::max(1.0, *refusal.window_seconds)));
    head.fields.Add("RateLimit-Policy", text);
  }
  head.fields.Add("Proxy-Status", "apiquota; error=http_request_denied; details=" + Quoted(sentence));
  const bool full = refusal.reason == guard::Reason::kQueue;
  if ((wait > kLongWaitSeconds && !full) || refusal.never_fits || lacks)
    head.fields.Add("x-should-retry", "false");
  return answer;
}

}  // namespace apiquota::proxy
