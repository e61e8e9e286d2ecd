// /api/v1/guard and /api/v1/explain, as JSON text. Pure and thread-safe; members always in the order below,
// times as in quotas_json.h.
//
// {"at", "at_time", "apis": [ {                    those that are guarded, sorted by name
//   "api", "mode",                                 on, shadow, or off: then only its shadow is judged
//   "parts": {"pace", "queue", "retry", "cooldown",    the mode of each
//             "concurrency", "breaker", "cache"},
//   "queue": {"depth", "capacity", "oldest_seconds",   all keys together; null: nobody waits
//             "overdue_seconds"},                  past the first deadline of those who wait; 0 unless stuck
//   "decisions": {"on": {"allow": {rule: count}, "delay": …, "reject": …}, "shadow": …},   since the start
//   "breaker": {"state",                           closed, open, half_open; null: none is written
//               "opened_at", "opened_at_time", "next_probe_at", "next_probe_at_time",
//               "next_probe_in_seconds",           null: none is waited for
//               "probes", "trips"},                since it opened; since the start
//   "limits": [ {                                  the operator's own: those in force, those only judged
//     "limit", "mode",                             its name; on, shadow
//     "place",                                     among those of its name and mode: the first that matches
//     holds "by": ["caller", "key", "address", {"header": NAME} … ], "match": {"path", "methods", "callers",
//     "headers": {name: value}},   null: all requests "unit", "algorithm", "allowed", "window_seconds",
//     "burst", "missing",   as written; burst: of gcra "subjects", "bytes", "evicted",              users;
//     those forgotten before their time "uses": [ {                                  100 at most, the fullest
//     first
//       "caller", "key", "address",                null: not counted by it, or not known any more
//       "digest",                                  of who has used it; null: there are names
//       "used", "allowed",                         at once: of gcra its burst
//       "reset", "reset_time", "resets_in_seconds"} … ]} … ],
//   "cache": {"bytes", "capacity", "answers", "evicted",   null: nothing is remembered
//             "leading", "following",              requests under way that others wait for, and these others
//             "orphans", "orphans_given_up",       under way without their client; ended for want of room
//             "served_stale_at", "served_stale_at_time",
//             "requests": {result: count}, "saved": {unit: amount}},   since the start
//   "routes": [ {"route",                          what could be saved of calls, the most called first
//     "calls", "identical", "batchable"} … ],      since the start; as another shortly before; that the API
//                                                  takes in batches, too
//   "keys": [ {                                    those that were used since
//     "key", "in_flight",
//     "slots": {"in_use", "limit", "max"},         now, and as written; null: concurrency is not limited
//     "waiting",
//     "queues": [ {"resource", "depth", "oldest_seconds"} … ],
//     "cooldowns": [ {"resource", "evidence", "until", "until_time", "ends_in_seconds", "probes"} … ],
//     "limits": [ {                                as requests are held to them
//       "resource", "quota", "unit", "limit", "window_seconds",
//       "available",                               now, what is under way taken off; null: not known
//       "reserved"} … ],
//     "shadow": {"in_flight", "slots", "cooldowns", "limits"} } … ]} … ]}   judged beside it; null: nothing
//
// {"at", "at_time", "api", "mode",
//  "last_refused": REFUSAL, "shadow": {"last_refused"},   for the api as a whole; null: none yet
//  "keys": [ {
//     "key",
//     "last": DECISION,                            null: none yet
//     "last_held",                                 the last that was no plain allow
//     "shadow": {"last", "last_held"} } … ]}       null: nothing is judged beside it
//
// DECISION: {
//   "at", "at_time",
//   "decision",                                    allow, delay, reject
//   "rule",                                        docs/metrics.md; none: it went at once
//   "resource",                                    whose quotas it uses; "": the key's, or not known
//   "another_attempt",                             it had been refused, or had failed, before
//   "tokens": {"input", "output", "counted"},      what it reserves; null: nothing is counted in tokens
//   "quota": {"resource", "quota", "unit", "limit", "window_seconds",   that held it; null: none did
//             "available", "cost"},                what was left then, and what the request takes
//   "evidence",                                    of the cooldown that held it; null: none did
//   "waiting_before",                              in its queue; null: not known
//   "could_go", "could_go_time", "wait_seconds",   as it was expected; null: never
//   "deadline", "deadline_time", "patience_seconds",
//   "waited_seconds"}                              null: it waits, or its client has left
//
// REFUSAL: {"at", "at_time",
//   "rule", "status",                              limit, breaker
//   "limit": {"name", "limit", "window_seconds"},  of the operator's own; null: the breaker did
//   "lacks",                                       the part of the limit's `by` that it does not have
//   "caller", "key",                               whose it was, as far as is known
//   "could_go", "could_go_time", "wait_seconds"}   null: never
#pragma once

#include <string>

#include "base/clock.h"
#include "expose/guard_facts.h"

namespace apiquota::expose {

std::string GuardJson(const GuardFacts& facts, SystemTime now);
// REQUIRES: the facts are of one api.
std::string GuardExplainJson(const GuardFacts& facts, SystemTime now);

}  // namespace apiquota::expose
