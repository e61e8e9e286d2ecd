// More of the Guard dashboard: whom the operator's own rules stop, and what memory saves.
import { graph, limitQuery, query, row, unit } from "./kit";
import { apis, keys, moved, noneIsGood, perMinute } from "./model";

const ownUse = `apiquota_limit_used_ratio{${apis}}`;
const limited = `apiquota_decisions_total{${apis}, mode="on", decision="reject", rule="limit"}`;
const forgotten = `apiquota_limit_evictions_total{${apis}}`;
const underWay = `apiquota_inflight_requests{${keys}}`;
const slots = `apiquota_inflight_limit{${keys}}`;
const breaker = `apiquota_breaker_open{${apis}}`;
const trips = `apiquota_breaker_trips_total{${apis}}`;
const degraded = `apiquota_degraded{${apis}}`;
const cacheResults = `apiquota_cache_requests_total{${apis}}`;
const cacheBytes = `apiquota_cache_bytes{${apis}}`;
const cacheCapacity = `apiquota_cache_capacity_bytes{${apis}}`;
const evictions = `apiquota_cache_evictions_total{${apis}}`;
const orphans = `apiquota_cache_orphans{${apis}}`;
const givenUp = `apiquota_cache_orphans_given_up_total{${apis}}`;
const identical = `apiquota_coalescable_requests_total{${apis}}`;
const batchable = `apiquota_batchable_requests_total{${apis}}`;
const saved = `apiquota_quota_saved_total{${apis}}`;

export const own = row(28, "Whom do its own rules stop?",
  graph({
    id: 29, title: "Own limits, used", size: [12, 8], unit: unit.ratio, softMax: 1,
    steps: ["green", [0.9, "orange"]],
    help: "The share of each limit of your own that callers and keys have used in its window; limits by " +
      "address or header are only in /api/v1/guard. A fixed window climbs and begins anew; a line that " +
      "stays above the dashed 90 %: that caller asks for more than you gave it.",
    queries: [
      query(`max by (api, limit, caller) (${ownUse})`, "{{api}} {{limit}} {{caller}}"),
    ],
    empty: "No limit of your own by caller or key is written, or nobody has used one.",
  }),
  graph({
    id: 30, title: "Refused by own limits", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Requests that were refused with 429 because a limit of your own was used up, whoever asked. " +
      "/api/v1/explain names the last one with its limit.",
    queries: [query(moved("api", limited), "{{api}}")],
    empty: "No limit of your own refused anything.",
  }),
  graph({
    id: 31, title: "Slots", size: [24, 7], unit: unit.count, decimals: 0,
    help: "Requests under way beneath how many may be (dashed), by key, each agent's. An adaptive limit " +
      "falls after refusals for concurrency or overload and climbs back. Lines at their limit: the others " +
      "wait in the queue.",
    queries: [
      query(`max by (api, key) (${underWay} and ${slots})`, "{{api}} {{key}}"),
      limitQuery(`max by (api, key) (${slots})`, "limit of {{api}} {{key}}"),
    ],
    empty: "No concurrency is written.",
  }),
  graph({
    id: 32, title: "Breaker", size: [12, 8], unit: unit.count, decimals: 0, steps: noneIsGood, max: 1,
    help: "Is 1 while an API is not asked because it failed again and again; one probe at a time goes out. " +
      "It closes with the first that succeeds: see the provider's status page meanwhile.",
    queries: [query(`max by (api) (${breaker})`, "{{api}}")],
    empty: "No breaker is written.",
  }),
  graph({
    id: 33, title: "Breaker openings", size: [12, 8], unit: unit.perMinute, stacked: true,
    help: "How often breakers opened, each agent's by itself. Many short ones: the API fails now and " +
      "then, or the breaker's numbers are too tight for it.",
    queries: [query(moved("api", trips), "{{api}}")],
    empty: "No breaker opened.",
  }),
  graph({
    id: 40, title: "Users of limits forgotten", size: [24, 6], unit: unit.perMinute, stacked: true,
    softMax: 1,
    help: "Users of a limit of your own (callers, keys, addresses, headers) that were forgotten before " +
      "their time because its memory was full: their limit began anew. Very many addresses at once do it.",
    queries: [query(perMinute("api, limit", forgotten), "{{api}} {{limit}}")],
    empty: "No limit of your own is written.",
  }));

export const saves = row(34, "What does memory save?",
  graph({
    id: 35, title: "Answers by where they came from", size: [12, 8], unit: unit.requestsPerMinute,
    stacked: true,
    colors: [
      [/^hit/, "green"], [/^coalesced/, "blue"], [/^revalidated/, "purple"], [/^miss/, "orange"],
      [/^stale/, "red"],
    ],
    help: "What came of requests. hit: from memory; coalesced: with the answer to somebody's identical " +
      "request; revalidated: the API confirmed what was kept; miss: it was asked; bypass: memory may not " +
      "answer; stale, red: it failed, and an old answer was served; shadow_hit: would have been a hit.",
    queries: [query(moved("result", cacheResults), "{{result}}")],
    empty: "No cache is written, or nothing was asked.",
  }),
  graph({
    id: 36, title: "Quota saved", size: [12, 8], unit: unit.perMinute,
    help: "What these requests would have taken of quotas if the API had been asked, by unit. Nothing, " +
      "with much asked: answers forbid to be kept, or differ by what they vary on.",
    queries: [query(moved("api, unit", saved), "{{api}}, {{unit}}")],
    empty: "Nothing was answered from memory.",
  }),
  graph({
    id: 37, title: "Memory of answers", size: [12, 8], unit: unit.bytes,
    help: "What kept answers take, each agent's, beneath their capacity (dashed). A full memory is no " +
      "trouble unless answers are pushed out before they are asked for again.",
    queries: [
      query(`max by (api) (${cacheBytes})`, "{{api}}"),
      limitQuery(`max by (api) (${cacheCapacity})`, "capacity of {{api}}"),
    ],
    empty: "No cache is written.",
  }),
  graph({
    id: 38, title: "Answers pushed out", size: [12, 8], unit: unit.perMinute, stacked: true, softMax: 1,
    help: "Kept answers that made room for others. Many, with few hits: raise the cache's size.",
    queries: [query(perMinute("api", evictions), "{{api}}")],
    empty: "No cache is written.",
  }),
  graph({
    id: 39, title: "Serving with less", size: [12, 8], unit: unit.count, decimals: 0, max: 1,
    steps: noneIsGood,
    help: "Is 1 while clients of an API get less than it: breaker: refusals, or what is remembered; stale: " +
      "within the last minute answers past their freshness, because the API fails.",
    queries: [query(`max by (api, mode) (${degraded})`, "{{api}} {{mode}}")],
    empty: "No breaker and no cache is written.",
  }),
  graph({
    id: 41, title: "What more could be saved", size: [12, 8], unit: unit.requestsPerMinute,
    help: "Calls that were the same as another of the same key within ten minutes, which a cache or " +
      "coalescing could answer, and calls that the API's batch endpoint would have taken, often for less " +
      "money. Reported, not done: /api/v1/guard has them by route.",
    queries: [
      query(moved("api", identical), "{{api}}, identical"),
      query(moved("api", batchable), "{{api}}, batchable"),
    ],
    empty: "No call of a guarded API was the same as another or could have been batched.",
  }),
  graph({
    id: 42, title: "Going on without their client", size: [24, 6], unit: unit.count, decimals: 0, softMax: 1,
    colors: [[/ given up$/, "red"]],
    help: "Requests whose client has gone while the API was answering, and which go on because others wait " +
      "for the answer or it will be kept. given up, a minute, red: too many did so at once, and their " +
      "answers were lost; clients are too impatient for this API.",
    queries: [
      query(`sum by (api) (${orphans})`, "{{api}}"),
      query(moved("api", givenUp), "{{api}}, given up"),
    ],
    empty: "No cache is written.",
  }));
