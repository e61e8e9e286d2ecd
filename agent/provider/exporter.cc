#include "provider/exporter.h"

#include <algorithm>

#include "provider/exporter_rules.h"
#include "provider/header_index.h"

namespace apiquota::provider {
namespace {

void CompileRequestPointers(const Exporter& exporter, ExporterInfo* info) {
  for (const ResourceRule& rule : exporter.resources) {
    if (rule.from == ResourceRule::From::kRequestBody) info->request_pointers.Add(rule.name);
  }
  info->guarded_request_pointers = info->request_pointers;
  if (!info->charge) return;
  for (const auto* pointers : {&info->charge->caps, &info->charge->times}) {
    for (const std::string& pointer : *pointers) info->guarded_request_pointers.Add(pointer);
  }
}

ResourceNaming NamingOf(const std::vector<ResourceRule>& rules) {
  if (rules.empty()) return ResourceNaming::kNone;
  const ResourceRule::From first = rules.front().from;
  const bool answer = first == ResourceRule::From::kHeader || first == ResourceRule::From::kResponseBody;
  return answer ? ResourceNaming::kAnswer : ResourceNaming::kRequest;
}

}  // namespace

const std::vector<FieldSource>& QuotaRule::Sources(SignalField field) const {
  return sources.at(static_cast<size_t>(std::ranges::find(kQuotaFields, field) - kQuotaFields.begin()));
}

ThrottleSignal ThrottleRule::Signal() const {
  const auto any = [&](Condition::On on) {
    return std::ranges::find(conditions, on, &Condition::on) != conditions.end();
  };
  if (any(Condition::On::kStream)) return ThrottleSignal::kStream;
  if (any(Condition::On::kBody)) return ThrottleSignal::kBody;
  return conditions.empty() ? ThrottleSignal::kStatus : ThrottleSignal::kHeader;
}

// Called by the loader once the rules are read.
void Compile(Exporter* exporter) {
  exporter->index = std::make_shared<const HeaderIndex>(*exporter);
  for (size_t r = 1; r < exporter->quotas.size(); ++r) {
    exporter->quotas[r].when_repeats = exporter->quotas[r].when == exporter->quotas[r - 1].when;
  }
  CompileRequestPointers(*exporter, &exporter->info);
  exporter->info.resource_naming = NamingOf(exporter->resources);
  for (const ThrottleRule& rule : exporter->throttles) {
    const Throttle throttle{rule.scope, rule.Signal(), ""};
    auto& known = exporter->info.throttles;
    if (std::ranges::find(known, throttle) == known.end()) known.push_back(throttle);
    if (rule.Signal() == ThrottleSignal::kStream) continue;
    for (const int status : rule.statuses) exporter->refusals.set(static_cast<size_t>(status));
  }
}

const ExporterInfo& Info(const Exporter& exporter) { return exporter.info; }

}  // namespace apiquota::provider
