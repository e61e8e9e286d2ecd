#include "proxy/limit_fields.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/text.h"

namespace apiquota::proxy {
namespace {

using guard::LimitRule;
using guard::LimitStanding;

constexpr double kWholeMax = 999'999'999'999'999;  // of an Integer (RFC 9651 section 3.3.1)

void AppendWhole(double value, std::string* out) {
  char digits[20];
  const auto whole = static_cast<int64_t>(std::clamp(value, 0.0, kWholeMax));
  out->append(digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, whole).ptr - digits));
}

double SecondsOf(Micros span) {
  return static_cast<double>(std::chrono::ceil<std::chrono::seconds>(span).count());
}

// Field lines as they go over the wire, written once: their values are made here and need no second look.
class Lines {
 public:
  explicit Lines(size_t standings) { block_.reserve(256 + standings * 96); }

  std::string& Begin(std::string_view name) {
    End();
    names_[lines_] = name.size();
    starts_[lines_++] = block_.size();
    return block_.append(name).append(": ");
  }
  void AddTo(http::Fields* fields) {
    End();
    starts_[lines_] = block_.size();
    const size_t at = fields->AddLines(block_);
    for (size_t i = 0; i < lines_; ++i) {
      const size_t size = starts_[i + 1] - starts_[i], value_at = names_[i] + 2;
      fields->AddLine({at + starts_[i], names_[i], at + starts_[i] + value_at, size - value_at - 2, size});
    }
  }

 private:
  static constexpr size_t kMost = 5;

  void End() {
    if (lines_ > 0) block_.append("\r\n");
  }

  std::string block_;
  size_t names_[kMost] = {}, starts_[kMost + 1] = {};
  size_t lines_ = 0;
};

struct Left {
  double remaining = 0;
  double seconds = 0;  // until its reset
};

// The first is as `first` says, if that is there.
void AddLists(std::span<const LimitStanding> standings, std::optional<Left> first, Lines* lines) {
  std::string* out = &lines->Begin("RateLimit");
  for (const LimitStanding& standing : standings) {
    const bool own = first && &standing == standings.data();
    const Left left = own ? *first : Left{standing.remaining, SecondsOf(standing.reset)};
    if (&standing != standings.data()) out->append(", ");
    out->append(standing.words->item).append(";r=");
    AppendWhole(left.remaining, out);
    out->append(";t=");
    AppendWhole(left.seconds, out);
  }
  out = &lines->Begin("RateLimit-Policy");
  for (const LimitStanding& standing : standings) {
    if (&standing != standings.data()) out->append(", ");
    out->append(standing.words->policy);
  }
}

void AddOlder(double limit, const Left& left, SystemTime system_now, Lines* lines) {
  AppendWhole(limit, &lines->Begin("X-RateLimit-Limit"));
  AppendWhole(left.remaining, &lines->Begin("X-RateLimit-Remaining"));
  AppendWhole(std::ceil(ToUnixSeconds(system_now)) + left.seconds, &lines->Begin("X-RateLimit-Reset"));
}

bool BeginsAlike(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && http::SpelledAlike(name.substr(0, prefix.size()), prefix);
}

// In any of the spellings that are in use.
bool SaysSo(const http::Fields& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string_view name = fields[i].name;
    if (BeginsAlike(name, "x-")) name.remove_prefix(2);
    if (AsciiLower(name.empty() ? ' ' : name.front()) != 'r') continue;
    if (BeginsAlike(name, "ratelimit") || BeginsAlike(name, "rate-limit")) return true;
  }
  return false;
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
  Lines lines(standings.size());
  AddLists(standings, std::nullopt, &lines);
  if (!SaysSo(*fields)) {
    const LimitStanding& tightest = Tightest(standings);
    AddOlder(tightest.limit, {tightest.remaining, SecondsOf(tightest.reset)}, system_now, &lines);
  }
  lines.AddTo(fields);
}

void AddRefusedLimitFields(const guard::Refusal& refusal, std::span<const LimitStanding> standings,
                           uint64_t wait_seconds, SystemTime system_now, http::Fields* fields) {
  if (!refusal.lacks.empty() || standings.empty()) return;
  const Left nothing{0, static_cast<double>(wait_seconds)};
  Lines lines(standings.size());
  AddLists(standings, nothing, &lines);
  AddOlder(standings.front().limit, nothing, system_now, &lines);
  lines.AddTo(fields);
}

}  // namespace apiquota::proxy
