// The half of QuotaReader that knows policies: several quotas in one response, of which remaining and reset
// belong to the active one (by name, else by equal limit).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "provider/label.h"
#include "provider/quota_reader.h"

namespace apiquota::provider {
namespace {

using Kind = HeaderTarget::Kind;

constexpr size_t kLimitField = 0;
constexpr std::array<Format, 2> kResetFormats = {Format::kUnixSeconds, Format::kDeltaSeconds};

bool Named(const Policy& policy) { return !policy.name.empty(); }

bool Same(const Policy& a, const Policy& b) {
  return a.name == b.name && a.limit == b.limit && a.window_seconds == b.window_seconds &&
         a.partition_key == b.partition_key;
}

void AddNew(std::vector<Policy>* policies, std::vector<Policy> more) {
  for (Policy& policy : more) {
    const auto same = [&](const Policy& known) { return Same(known, policy); };
    if (std::ranges::none_of(*policies, same)) policies->push_back(std::move(policy));
  }
}

void ApplyPolicy(const Policy& policy, Reading* reading) {
  if (!reading->limit) reading->limit = policy.limit;
  if (policy.window_seconds) reading->window_seconds = policy.window_seconds;
  if (FitForLabel(policy.unit)) reading->unit = policy.unit;
  if (policy.unit == "concurrent-requests")
    reading->kind = QuotaKind::kConcurrency, reading->kind_assumed = false;
}

// The policy's name becomes the quota's; a unit that the file knows by a word of it is better than any said.
void ApplyName(const QuotaRule& rule, const std::string& name, Reading* reading) {
  if (!FitForLabel(name)) return;
  reading->quota = name;
  reading->policy = name;
  reading->unit = std::string(UnitByWord(rule, name, &reading->unit));
}

void NameByWindow(const QuotaRule& rule, Reading* reading) {
  if (reading->window_seconds) {
    reading->quota = fmt::format("{}-{}s", rule.quota, FormatNumber(*reading->window_seconds));
  }
}

// Whether `policy` may be what `status` speaks of: names equal, and partition keys where both have one.
bool Belongs(const Policy& policy, const PolicyStatus& status) {
  const bool keys_agree = policy.partition_key.empty() || status.partition_key.empty() ||
                          policy.partition_key == status.partition_key;
  return policy.name == status.name && keys_agree;
}

// One policy and one status under different names are still about each other, unless the numbers say no.
bool OnlyPair(const std::vector<Policy>& policies, const std::vector<PolicyStatus>& statuses) {
  if (policies.size() != 1 || statuses.size() != 1) return false;
  return policies[0].limit && (!statuses[0].remaining || *statuses[0].remaining <= *policies[0].limit);
}

// Whether the only quota of `status` is the one whose limit was said elsewhere.
bool Completes(const Reading& base, const PolicyStatus& status) {
  if (!base.limit || base.remaining || base.used || base.reset_at || status.limit) return false;
  return !status.remaining || *status.remaining <= *base.limit;
}

}  // namespace

std::vector<Policy> QuotaReader::PoliciesOf(size_t rule_index, Kind kind, size_t field) {
  std::vector<Policy> policies;
  for (const Capture& capture : captures_.OfRule(rule_index)) {
    if (capture.target.kind != kind || capture.target.field != field) continue;
    const QuotaRule& rule = exporter_.quotas[rule_index];
    if (kind == Kind::kQuotaField) {
      const auto& formats = rule.sources[field][capture.target.source].formats;
      const std::string_view text = exchange_.fields[capture.at].value;
      const bool list = std::ranges::find(formats, Format::kParams) != formats.end();
      if (!list || text.find_first_of(",;") == std::string_view::npos) continue;
    }
    auto parsed = ParsePolicies(ValueOf(capture));
    if (parsed) {
      AddNew(&policies, std::move(*parsed));
    } else {
      Note(capture.at, exchange_.fields[capture.at].name, "not a structured field (RFC 9651): ignored whole",
           UnreadKind::kMalformed, SignalField::kPolicy);
    }
    if (kind == Kind::kPolicy || kind == Kind::kStatus) break;  // all lines of the field were joined
  }
  return policies;
}

// What the rule's status field says, and where it stands.
std::vector<PolicyStatus> QuotaReader::StatusesOf(size_t rule_index, size_t* at) {
  for (const Capture& capture : captures_.OfRule(rule_index)) {
    if (capture.target.kind != Kind::kStatus) continue;
    *at = capture.at;
    auto parsed = ParsePolicyStatuses(ValueOf(capture));
    if (parsed) return std::move(*parsed);
    Note(capture.at, exporter_.quotas[rule_index].status_header,
         "not a structured field (RFC 9651): ignored whole", UnreadKind::kMalformed, SignalField::kPolicy);
    break;
  }
  return {};
}

void QuotaReader::ReadPolicies(size_t rule_index, Reading&& base) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  std::vector<Policy> policies = PoliciesOf(rule_index, Kind::kQuotaField, kLimitField);
  if (!rule.policy_header.empty()) AddNew(&policies, PoliciesOf(rule_index, Kind::kPolicy, 0));
  size_t at = 0;
  std::vector<PolicyStatus> statuses = StatusesOf(rule_index, &at);
  const auto unnamed = [](const PolicyStatus& status) { return status.name.empty(); };
  if (!statuses.empty() &&
      unnamed(statuses.front())) {  // draft 7: the fields of the one quota, said once more
    if (!base.limit) base.limit = statuses.front().limit;
    if (!base.remaining) base.remaining = statuses.front().remaining;
    if (!base.reset_at && statuses.front().reset_seconds) {
      SetReset(*statuses.front().reset_seconds, at, &base);
    }
    statuses.clear();
  }
  if (statuses.size() == 1 && policies.empty() && Completes(base, statuses.front())) {
    policies.push_back({statuses.front().name, base.limit, base.window_seconds, "", ""});
    base = Reading();
  }
  if (!statuses.empty()) {
    ReadNamed(rule_index, at, std::move(policies), statuses);
    Keep(std::move(base), rule_index, false, false);
  } else {
    ReadUnnamed(rule_index, std::move(base), policies);
  }
}

void QuotaReader::ReadNamed(size_t rule_index, size_t at, std::vector<Policy> policies,
                            const std::vector<PolicyStatus>& statuses) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  const bool only_pair = OnlyPair(policies, statuses);
  for (const PolicyStatus& status : statuses) {
    Reading reading = StartReading(rule);
    reading.limit = status.limit;
    reading.remaining = status.remaining;
    reading.window_seconds = status.window_seconds;
    const auto belongs = [&](const Policy& policy) { return only_pair || Belongs(policy, status); };
    if (const auto found = std::ranges::find_if(policies, belongs); found != policies.end()) {
      ApplyPolicy(*found, &reading);
      policies.erase(found);
    }
    ApplyName(rule, status.name, &reading);
    if (status.reset_seconds) SetReset(*status.reset_seconds, at, &reading);
    Keep(std::move(reading), rule_index, true, true);
  }
  for (const Policy& policy : policies) {
    Reading reading = StartReading(rule);
    ApplyPolicy(policy, &reading);
    NameByWindow(rule, &reading);
    ApplyName(rule, policy.name, &reading);
    Keep(std::move(reading), rule_index, true, true);
  }
}

void QuotaReader::ReadUnnamed(size_t rule_index, Reading&& base, const std::vector<Policy>& policies) {
  const QuotaRule& rule = exporter_.quotas[rule_index];
  if (policies.empty()) {
    Keep(std::move(base), rule_index, false, false);
    return;
  }
  // A list's first member repeats the active limit without parameters: it is no policy of its own.
  std::vector<Policy> real;
  for (const Policy& policy : policies) {
    if (Named(policy) || policy.window_seconds) real.push_back(policy);
  }
  const auto active = [&] {
    if (!base.limit) return real.size() == 1 ? real.begin() : real.end();
    return std::ranges::find_if(real, [&](const Policy& policy) { return policy.limit == base.limit; });
  }();
  if (active != real.end()) {
    ApplyPolicy(*active, &base);
    if (real.size() > 1) NameByWindow(rule, &base);
    ApplyName(rule, active->name, &base);
  }
  const bool active_named = active != real.end() && Named(*active);
  Keep(std::move(base), rule_index, true, active_named);
  for (auto policy = real.begin(); policy != real.end(); ++policy) {
    if (policy == active) continue;
    Reading reading = StartReading(rule);
    ApplyPolicy(*policy, &reading);
    NameByWindow(rule, &reading);
    ApplyName(rule, policy->name, &reading);
    Keep(std::move(reading), rule_index, true, true);
  }
}

void QuotaReader::SetReset(double seconds, size_t at, Reading* reading) {
  const auto moment = ChooseMoment(kResetFormats, FormatNumber(seconds), exchange_.received_at);
  if (!moment) {
    Note(at, exchange_.fields[at].name, "no time within 400 days", UnreadKind::kImplausible,
         SignalField::kReset);
    return;
  }
  reading->reset_at = moment->at;
  reading->reset_absolute = moment->absolute;
}

}  // namespace apiquota::provider
