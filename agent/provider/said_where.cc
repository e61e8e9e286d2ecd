#include "provider/said_where.h"

#include <algorithm>

#include "provider/exporter_rules.h"

namespace apiquota::provider {

bool MaySayThrottle(const Exporter& exporter, int status) {
  return status >= 0 && static_cast<size_t>(status) < exporter.refusals.size() &&
         exporter.refusals[static_cast<size_t>(status)];
}

bool HasResources(const Exporter& exporter) { return !exporter.resources.empty(); }

bool OnlyAnswersNameResource(const Exporter& exporter) {
  using From = ResourceRule::From;
  const auto by_answer = [](const ResourceRule& rule) {
    return rule.from == From::kHeader || rule.from == From::kResponseBody;
  };
  return HasResources(exporter) && std::ranges::all_of(exporter.resources, by_answer);
}

}  // namespace apiquota::provider
