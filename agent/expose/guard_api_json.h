// What /api/v1/guard and /api/v1/explain say of an api as a whole: its breaker, the operator's own limits,
// what it remembers. The members are listed in guard_json.h. Pure and thread-safe. Internal to this room.
#pragma once

#include "base/clock.h"
#include "expose/guard_facts.h"
#include "expose/json_values.h"

namespace apiquota::expose {

Json BreakerJson(const std::optional<guard::BreakerView>& breaker, SystemTime now);
Json OwnLimitsJson(const std::vector<guard::LimitRuleView>& limits, SystemTime now);
Json CacheJson(const std::optional<CacheFacts>& cache);
Json RoutesJson(const std::vector<guard::RouteCalls>& routes);
Json RefusalJson(const std::optional<guard::ApiRefusal>& refused);

}  // namespace apiquota::expose
