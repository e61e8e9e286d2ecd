#include "proxy/limit_fields.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/text.h"
#include "http/quoted_text.h"

namespace apiquota::proxy {
namespace {

using guard::LimitRule;
using guard::LimitStanding;

double SecondsOf(Micros span) {
  return static_cast<double>(std::chrono::ceil<std::chrono::seconds>(span).count());
}

// Field lines as they go over the wire, written once: their values are made here and need no second look.
class Lines {
 public:
  explicit Lines(std::span<const LimitStanding> standings)
      : block_(Room(standings), '\0'), at_(block_.data()) {}

  Lines& Begin(std::string_view name) {
    End();
    names_[lines_] = name.size();
    starts_[lines_++] = size();
    return Text(name).Text(": ");
  }
  Lines& Text(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Lines& Whole(double value) {
    const auto whole = static_cast<int64_t>(std::clamp(value, 0.0, http::kStructuredIntegerMax));
    at_ = std::to_chars(at_, at_ + kNumber, whole).ptr;
    return *this;
  }
  void AddTo(http::Fields* fields) {
    End();
    starts_[lines_] = size();
    const size_t at = fields->AddLines(std::string_view(block_).substr(0, size()));
    for (size_t i = 0; i < lines_; ++i) {
      const size_t whole = starts_[i + 1] - starts_[i], value_at = names_[i] + 2;
      fields->AddLine({at + starts_[i], names_[i], at + starts_[i] + value_at, whole - value_at - 2, whole});
    }
  }

 private:
  static constexpr size_t kMost = 5;
  static constexpr size_t kNumber = 16;  // digits of http::kStructuredIntegerMax, and one
  static constexpr size_t kFixed = 256;  // names and ends of five lines, three numbers

  static size_t Room(std::span<const LimitStanding> standings) {
    size_t room = kFixed;
    for (const LimitStanding& standing : standings)
      room += standing.words->item.size() + standing.words->policy.size() + 2 * kNumber + 16;
    return room;
  }
  size_t size() const { return static_cast<size_t>(at_ - block_.data()); }
  void End() {
    if (lines_ > 0) Text("\r\n");
  }

  std::string block_;
  char* at_;
  size_t names_[kMost] = {}, starts_[kMost + 1] = {};
  size_t lines_ = 0;
};

struct Left {
  double remaining = 0;
  double seconds = 0;  // until its reset
};

// The first is as `first` says, if that is there.
void AddLists(std::span<const LimitStanding> standings, std::optional<Left> first, Lines* lines) {
  lines->Begin("RateLimit");
  for (const LimitStanding& standing : standings) {
    const bool is_first = &standing == standings.data();
    const Left left = is_first && first ? *first : Left{standing.remaining, SecondsOf(standing.reset)};
    lines->Text(is_first ? "" : ", ").Text(standing.words->item);
    lines->Text(";r=").Whole(left.remaining).Text(";t=").Whole(left.seconds);
  }
  lines->Begin("RateLimit-Policy");
  for (const LimitStanding& standing : standings)
    lines->Text(&standing == standings.data() ? "" : ", ").Text(standing.words->policy);
}

void AddOlder(double limit, const Left& left, SystemTime system_now, Lines* lines) {
  lines->Begin("X-RateLimit-Limit").Whole(limit);
  lines->Begin("X-RateLimit-Remaining").Whole(left.remaining);
  lines->Begin("X-RateLimit-Reset").Whole(std::ceil(ToUnixSeconds(system_now)) + left.seconds);
}

bool BeginsAlike(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && http::SpelledAlike(name.substr(0, prefix.size()), prefix);
}

// In any of the spellings that are in use.
bool SaysSo(const http::Fields& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string_view name = fields[i].name;
    if (name.size() > 2 && AsciiLower(name[0]) == 'x' && (name[1] == '-' || name[1] == '_'))
      name.remove_prefix(2);
    if (AsciiLower(name.front()) != 'r') continue;
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
  Lines lines(standings);
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
  Lines lines(standings);
  AddLists(standings, nothing, &lines);
  AddOlder(standings.front().limit, nothing, system_now, &lines);
  lines.AddTo(fields);
}

}  // namespace apiquota::proxy
