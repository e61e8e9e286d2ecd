#include "proxy/access_log.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "guard/route_of.h"

namespace apiquota::proxy {
namespace {

double Share(const TightestLimit& limit) { return limit.remaining / limit.limit; }

void Tighten(TightestLimit limit, std::optional<TightestLimit>* tightest) {
  if (limit.limit <= 0 || (*tightest && Share(**tightest) <= Share(limit))) return;
  *tightest = std::move(limit);
}

// The path alone: the method has a field of its own.
std::string RouteOf(std::string_view path) {
  constexpr std::string_view kNoMethod = "-";
  return guard::RouteOf(kNoMethod, path).substr(kNoMethod.size() + 1);
}

std::string Seconds(std::chrono::nanoseconds span) {
  return FormatNumber(ToSeconds(std::chrono::floor<Micros>(std::max(span, std::chrono::nanoseconds(0)))));
}

// A line; what is not known is left out.
class Line {
 public:
  Line() { fields_.reserve(kFieldsMost); }
  void Add(std::string_view name, std::string value) { fields_.push_back({name, std::move(value)}); }
  void AddIf(bool known, std::string_view name, std::string value) {
    if (known) Add(name, std::move(value));
  }
  void AddText(std::string_view name, std::string_view text) {
    AddIf(!text.empty(), name, std::string(text));
  }
  void Write() const { Log(LogLevel::kInfo, "access", fields_); }

 private:
  static constexpr size_t kFieldsMost = 20;
  std::vector<LogField> fields_;
};

}  // namespace

std::optional<TightestLimit> TightestOf(std::span<const guard::LimitStanding> standings) {
  std::optional<TightestLimit> tightest;
  for (const guard::LimitStanding& standing : standings) {
    Tighten({.name = standing.name,
             .limit = standing.limit,
             .remaining = standing.remaining,
             .reset_seconds = ToSeconds(standing.reset)},
            &tightest);
  }
  return tightest;
}

std::optional<TightestLimit> TightestOf(std::span<const provider::Reading> readings, SystemTime received_at) {
  std::optional<TightestLimit> tightest;
  for (const provider::Reading& reading : readings) {
    if (!reading.limit || !reading.remaining) continue;
    TightestLimit limit{.name = reading.quota, .limit = *reading.limit, .remaining = *reading.remaining};
    if (reading.reset_at) limit.reset_seconds = std::max(ToSeconds(*reading.reset_at - received_at), 0.0);
    Tighten(std::move(limit), &tightest);
  }
  return tightest;
}

void LogAccess(const AccessSubject& subject, const AccessFacts& facts, SteadyTime now) {
  Line line;
  line.AddText("api", subject.api);
  line.AddText("caller", subject.caller);
  line.AddText("key", subject.key);
  line.AddText("method", subject.method);
  line.Add("route", RouteOf(subject.path));
  line.AddIf(facts.status != 0, "status", std::to_string(facts.status));
  line.AddIf(subject.upstream_status != 0, "upstream_status", std::to_string(subject.upstream_status));
  line.Add("duration", Seconds(now - facts.began_at));
  if (facts.first_byte_at) line.Add("first_byte", Seconds(*facts.first_byte_at - facts.began_at));
  line.Add("bytes", std::to_string(facts.bytes));
  line.AddText("decision", facts.decision);
  line.AddText("rule", facts.rule);
  line.AddIf(!facts.decision.empty(), "wait", Seconds(facts.waited));
  if (const auto& tightest = facts.tightest) {
    line.AddText("quota", tightest->name);
    line.Add("limit", FormatNumber(tightest->limit));
    line.Add("remaining", FormatNumber(tightest->remaining));
    if (tightest->reset_seconds) line.Add("reset", FormatNumber(*tightest->reset_seconds));
  }
  line.AddText("cache", facts.cache);
  line.Add("attempts", std::to_string(facts.attempts));
  line.Write();
}

}  // namespace apiquota::proxy
