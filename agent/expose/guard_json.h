// /api/v1/guard as JSON text. Pure and thread-safe; members always in the order below, times as in
// quotas_json.h.
//
// {"at", "at_time", "apis": [ {                    those that are guarded, sorted by name
//   "api", "mode",                                 on, shadow, or off: then only its shadow is judged
//   "parts": {"pace", "queue", "retry", "cooldown"},   the mode of each
//   "queue": {"depth", "capacity", "oldest_seconds"},   all keys together; null: nobody waits
//   "decisions": {"on": {"allow": {rule: count}, "delay": …, "reject": …}, "shadow": …},   since the start
//   "keys": [ {                                    those that were used since
//     "key", "in_flight", "waiting",
//     "queues": [ {"resource", "depth", "oldest_seconds"} … ],
//     "cooldowns": [ {"resource", "evidence", "until", "until_time", "ends_in_seconds", "probes"} … ],
//     "limits": [ {                                as requests are held to them
//       "resource", "quota", "unit", "limit", "window_seconds",
//       "available",                               now, what is under way taken off; null: not known
//       "reserved"} … ]} … ]} … ]}
#pragma once

#include <string>

#include "base/clock.h"
#include "expose/guard_facts.h"

namespace apiquota::expose {

std::string GuardJson(const GuardFacts& facts, SystemTime now);

}  // namespace apiquota::expose
