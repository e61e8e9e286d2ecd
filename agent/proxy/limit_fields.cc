#include "proxy/limit_fields.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "http/quoted_text.h"

namespace apiquota::proxy {
namespace {

using guard::LimitRule;
using guard::LimitStanding;

constexpr double kWholeMax = 999'999'999'999'999;  // of an Integer (RFC 9651 section 3.3.1)

void AppendWhole(double value, std::string* out) {
  char digits[20];
  const auto whole = static_cast<int64_t>(std::clamp(std::floor(value), 0.0, kWholeMax));
  out->append(digits, std::to_chars(digits, digits + sizeof digits, whole).ptr);
}

double SecondsOf(Micros span) {
  return static_cast<double>(std::chrono::ceil<std::chrono::seconds>(span).count());
}

struct Lists {
  std::string limits, policies;

  void Append(const LimitStanding& standing, double remaining, double seconds) {
    std::string name;
    http::AppendStructuredString(std::string("apiquota-").append(standing.name), &name);
    if (!limits.empty()) limits.append(", "), policies.append(", ");
    limits.append(name).append(";r=");
    AppendWhole(remaining, &limits);
    limits.append(";t=");
    AppendWhole(seconds, &limits);
    policies.append(name).append(";q=");
    AppendWhole(standing.limit, &policies);
    policies.append(";w=");
    AppendWhole(std::max(SecondsOf(standing.window), 1.0), &policies);
    if (standing.unit == LimitRule::Unit::kTokens) policies.append(";qu=\"tokens\"");
  }
};

bool BeginsAlike(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && http::SpelledAlike(name.substr(0, prefix.size()), prefix);
}

bool SaysSo(const http::Fields& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string_view name = fields[i].name;
    if (BeginsAlike(name, "ratelimit") || BeginsAlike(name, "rate-limit") ||
        BeginsAlike(name, "x-ratelimit") || BeginsAlike(name, "x-rate-limit"))
      return true;
  }
  return false;
}

void AddOlder(double limit, double remaining, double seconds, SystemTime system_now, http::Fields* fields) {
  const auto add = [&](std::string_view name, double value) {
    std::string text;
    AppendWhole(value, &text);
    fields->Add(name, text);
  };
  add("X-RateLimit-Limit", limit);
  add("X-RateLimit-Remaining", remaining);
  add("X-RateLimit-Reset", std::ceil(ToUnixSeconds(system_now)) + seconds);
}

// Of those in requests, which is what the older fields are about, if there is one.
const LimitStanding& Tightest(std::span<const LimitStanding> standings) {
  return *std::ranges::min_element(standings, {}, [](const LimitStanding& each) {
    return std::tuple(each.unit != LimitRule::Unit::kRequests, each.remaining, -each.reset);
  });
}

}  // namespace

void AddLimitFields(std::span<const LimitStanding> standings, SystemTime system_now, http::Fields* fields) {
  if (standings.empty()) return;
  Lists lists;
  for (const LimitStanding& standing : standings)
    lists.Append(standing, standing.remaining, SecondsOf(standing.reset));
  const bool says_so = SaysSo(*fields);
  fields->Add("RateLimit", lists.limits);
  fields->Add("RateLimit-Policy", lists.policies);
  if (says_so) return;
  const LimitStanding& tightest = Tightest(standings);
  AddOlder(tightest.limit, tightest.remaining, SecondsOf(tightest.reset), system_now, fields);
}

void AddRefusedLimitFields(const guard::Refusal& refusal, std::span<const LimitStanding> standings,
                           uint64_t wait_seconds, SystemTime system_now, http::Fields* fields) {
  if (!refusal.lacks.empty() || standings.empty()) return;
  Lists lists;
  const auto seconds = static_cast<double>(wait_seconds);
  lists.Append(standings.front(), 0, seconds);
  for (const LimitStanding& standing : standings.subspan(1))
    lists.Append(standing, standing.remaining, SecondsOf(standing.reset));
  fields->Add("RateLimit", lists.limits);
  fields->Add("RateLimit-Policy", lists.policies);
  AddOlder(standings.front().limit, 0, seconds, system_now, fields);
}

}  // namespace apiquota::proxy
