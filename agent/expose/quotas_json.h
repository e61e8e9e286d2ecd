// /api/v1/quotas and /api/v1/apis as JSON text. Pure and thread-safe; members always in the order below.
// null: the API did not say, or what it said no longer holds. Times twice: seconds since the epoch, and RFC
// 3339 in UTC (rounded down to whole seconds) under the same name with _time.
//
// quotas: {"at", "at_time", "dropped_total", "quotas": [ {
//   "api", "key", "resource", "quota", "unit",     which quota: the labels of the metrics
//   "exporter", "kind",                            fixed sliding bucket concurrency balance
//   "source",                                      said by the API, or declared: counted by this agent
//   "valid",                                       false: the reading has expired
//   "limit", "limit_assumed",                      assumed: expired, but the limit is likely the same still
//   "remaining", "used", "used_ratio",
//   "reset_at", "reset_at_time", "resets_in_seconds",
//   "window_seconds", "policy",
//   "derived",                                     names of fields computed, not said
//   "observed_at", "observed_at_time",
//   "exhaustion_at", "exhaustion_at_time",         forecast
//   "consumed_total", "windows_exhausted_total", "limit_changes_total" } … ]}  sorted by the first five
//
// apis: {"apis": [ {"name", "exporter", "base_url", "route", "keys": [aliases], "labels": {…},  as configured
//   "polls": [ {                                   empty: the api is not polled
//     "key", "method", "path",                     without its query
//     "interval_seconds",                          as configured
//     "next_at", "next_at_time",                   null: under way
//     "failures",                                  in a row
//     "last": null or {"at", "at_time", "duration_seconds", "success",
//       "result",                                  ok silent throttled rejected status, or an upstream error
//       "status", "reason"},                       null: no answer; a sentence, null if all is well
//     "last_success_at", "last_success_at_time"} … ]} … ]}
#pragma once

#include <string>
#include <vector>

#include "expose/facts.h"
#include "quota/snapshot.h"

namespace apiquota::expose {

std::string QuotasJson(const quota::Snapshot& snapshot);
std::string ApisJson(const std::vector<ApiFacts>& apis, const std::vector<PollFacts>& polls);

}  // namespace apiquota::expose
