// API: one API at a time. Its quotas, and who spends them; what it answers is in answers.ts.
import { refusals, says } from "./answers";
import {
  annotation, dashboard, graph, limitQuery, query, row, stat, table, unit, valueOf, variable,
} from "./kit";
import {
  agentVariables, apiQuery, apis, inAll, keys, left, limitChanges, moved, quota, rate, resources, restarts,
  throttledSteps, throttles, toAgent, toGuard, toOverview, useSteps,
} from "./model";

const quotas = `${resources}, quota=~"$quota"`;
const ofUnit = `${quotas}, unit=~"$unit"`;
const quotaLegend = "{{resource}} {{quota}} ({{key}})";

const used = `max by (${quota}) (apiquota_quota_used_ratio{${quotas}})`;
const remaining = `min by (${quota}) (apiquota_quota_remaining{${quotas}})`;
const limit = `max by (${quota}) (apiquota_quota_limit{${quotas}})`;
const windowSeconds = `max by (${quota}) (apiquota_quota_window_seconds{${quotas}})`;
const resets = `apiquota_quota_reset_timestamp_seconds{${quotas}}`;
const reset = `max by (${quota}) (${resets})`;
const exhaustion = `min by (${quota}) (apiquota_quota_exhaustion_timestamp_seconds{${quotas}})`;
const observed = `max by (${quota}) (apiquota_quota_observed_timestamp_seconds{${quotas}})`;
const burn = (selector: string) =>
  `max by (${quota}) (${rate(`apiquota_quota_consumed_total{${selector}}`)})`;
const throttled = `apiquota_throttles_total{${resources}}`;
const tokens = `apiquota_tokens_total{${resources}}`;
const asked = `apiquota_upstream_requests_total{${keys}}`;
const peaks = (le: string) =>
  `sum(rate(apiquota_quota_window_peak_used_ratio_bucket{${quotas}, le="${le}"}[$__rate_interval]))`;
const closed = `sum(${rate(`apiquota_quota_window_peak_used_ratio_count{${quotas}}`)})`;

const info = (selector: string, label: string) => `label_values(apiquota_quota_info{${selector}}, ${label})`;
const askedOfApi = `apiquota_upstream_requests_total{${apis}}`;

const standing = row(1, "Where does it stand?",
  stat({
    id: 2, title: "Worst quota", size: [4, 4], unit: unit.ratio, decimals: 0, steps: useSteps,
    help: "The highest use of this API's quotas. Orange from 80 %, red from 90 %: the thresholds of the " +
      "alerts. Red: see below which quota it is and who spends it.",
    query: query(`max(${used})`), empty: "nothing heard",
  }),
  stat({
    id: 3, title: "Next reset in", size: [4, 4], unit: unit.seconds, decimals: 0,
    help: "How long until the first quota comes back; a bucket is full by then. Without a number the API " +
      "does not tell its resets, or every reading has expired.",
    query: query(`min(${left(reset)})`), empty: "not told",
  }),
  stat({
    id: 4, title: "Runs out in", size: [4, 4], unit: unit.seconds, decimals: 0,
    steps: ["red", [900, "orange"], [3600, "green"]],
    help: "When the first quota will be exhausted at its present pace, if that is before its reset. Red: " +
      "in less than 15 minutes. Without a number nothing is running out.",
    query: query(`min(${left(exhaustion)})`), empty: "nothing runs out",
  }),
  stat({
    id: 5, title: "Throttled share", size: [4, 4], unit: unit.ratio, decimals: 1, steps: throttledSteps,
    help: "The share of the requests of the last minutes that the API refused or slowed down. Orange " +
      "from 5 %. Look at Throttles by scope for the kind of limit.",
    query: query(`sum(${rate(throttled)}) / (sum(${rate(asked)}) > 0) or vector(0)`),
  }),
  stat({
    id: 6, title: "Requests", size: [4, 4], unit: unit.requestsPerMinute, decimals: 1,
    help: "Requests that the API answered in the last minutes, per minute, polls included.",
    query: query(`60 * sum(${rate(asked)}) or vector(0)`),
  }),
  stat({
    id: 7, title: "Credential refused", size: [4, 4], unit: unit.count, decimals: 0,
    steps: ["green", [1, "red"]],
    help: "Answers in the chosen time by which the API rejected the credential. Red: a key has expired, " +
      "was revoked or lacks a permission; the Agent dashboard shows which.",
    query: query(inAll(`apiquota_auth_failures_total{${keys}}`)),
  }),
  table({
    id: 8, title: "Quotas, worst first", size: [24, 8], unit: unit.count,
    help: "One line for each quota, with its window and when it was last heard of. An empty cell: the " +
      "API did not say, or the reading no longer holds because its window is over.",
    queries: [
      query(used), query(remaining), query(limit), query(windowSeconds), query(`1000 * (${reset} > time())`),
      query(`1000 * (${exhaustion} > time())`), query(`1000 * ${observed}`),
      query(`max by (${quota}, kind) (apiquota_quota_info{${quotas}})`),
    ],
    worst: valueOf("A"),
    columns: [
      { field: "key", title: "Key", width: 150 },
      { field: "resource", title: "Resource", width: 160 },
      { field: "quota", title: "Quota", width: 130 },
      { field: "kind", title: "Kind", width: 100 },
      { field: valueOf("A"), title: "Used", unit: unit.ratio, decimals: 0, bar: true, steps: useSteps },
      { field: valueOf("B"), title: "Left", unit: unit.exactly, width: 100 },
      { field: valueOf("C"), title: "Limit", unit: unit.exactly, width: 100 },
      { field: "unit", title: "Unit", width: 100 },
      { field: valueOf("D"), title: "Window", unit: unit.seconds, width: 100 },
      { field: valueOf("E"), title: "Resets", unit: unit.fromNow, width: 140 },
      { field: valueOf("F"), title: "Runs out", unit: unit.fromNow, width: 140, color: "orange" },
      { field: valueOf("G"), title: "Last heard", unit: unit.fromNow, width: 150 },
    ],
    empty: "This API has said nothing about a quota yet.",
  }));

const each = row(9, "How is each quota doing?",
  graph({
    id: 10, title: "Use", size: [12, 9], unit: unit.ratio, softMax: 1, steps: useSteps,
    help: "The share of each quota that is used; the dashed lines are the alerts' 80 % and 90 %. Above " +
      "100 % it is overdrawn. A fall to 0 is a reset. A line that ends: the reading no longer holds, and " +
      "nothing newer was heard.",
    queries: [query(used, quotaLegend)],
    empty: "This API has said nothing about a quota yet.",
  }),
  graph({
    id: 11, title: "Burn against the sustainable pace", size: [12, 9], unit: unit.count, decimals: 1,
    steps: ["green", [1, "red"]],
    help: "How many times faster a quota is spent than would just last for its whole window. Above the " +
      "dashed 1 for long, it runs out before it comes back. By anybody who uses the credential. Quotas " +
      "without a window have no line.",
    queries: [query(`${burn(quotas)} * ${windowSeconds} / (${limit} > 0)`, quotaLegend)],
    empty: "No quota with a known window was used.",
  }),
  graph({
    id: 12, title: "Left of the limit, $unit", size: [24, 9], unit: unit.count, repeat: "unit",
    help: "What is left of each quota beneath its limit (dashed). It jumps back up at the reset, or " +
      "climbs if it is a bucket. A step in the limit is another plan or policy.",
    queries: [
      query(`min by (${quota}) (apiquota_quota_remaining{${ofUnit}})`, quotaLegend),
      limitQuery(`max by (${quota}) (apiquota_quota_limit{${ofUnit}})`, `limit of ${quotaLegend}`),
    ],
    empty: "This API has said nothing about a quota yet.",
  }),
  graph({
    id: 13, title: "Time to the reset", size: [12, 8], unit: unit.seconds,
    help: "How long until each quota comes back: all at once, or, for a bucket, until it would be full. " +
      "APIs that do not tell a reset have no line.",
    queries: [query(left(reset), quotaLegend)],
    empty: "This API does not tell when its quotas reset.",
  }),
  graph({
    id: 14, title: "Time to exhaustion", size: [12, 8], unit: unit.seconds, logarithmic: true,
    steps: ["red", [900, "orange"], [3600, "green"]],
    help: "How long each quota will last at its present pace; only quotas that run out before they reset " +
      "have a line. Below the dashed lines, an hour and 15 minutes, slow down or ask for more.",
    queries: [query(left(exhaustion), quotaLegend)],
    empty: "No quota runs out before it resets.",
  }),
  graph({
    id: 15, title: "Short windows that went too far", size: [12, 7], unit: unit.ratio, max: 1,
    steps: ["green", [0.5, "red"]],
    help: "Of the windows under 30 minutes that closed, the share that peaked over 80 %, over 90 % and " +
      "at the limit: what happens between two scrapes. Above the dashed half: spread the calls over the " +
      "window.",
    queries: [
      query(`1 - ${peaks("0.8")} / (${closed} > 0)`, "over 80 %"),
      query(`1 - ${peaks("0.9")} / (${closed} > 0)`, "over 90 %"),
      query(`1 - ${peaks("0.99")} / (${closed} > 0)`, "at the limit"),
    ],
    colors: [[/^over 80/, "orange"], [/^over 90/, "red"], [/^at the limit/, "purple"]],
    empty: "No window under 30 minutes closed.",
  }),
  graph({
    id: 30, title: "Overdrawn", size: [12, 7], unit: unit.ratio, decimals: 0, steps: useSteps,
    help: "The use of quotas of which more than all is used: the API let calls through that it may charge " +
      "for, or cut off later. Stop what can wait until the reset.",
    queries: [query(`${used} > 1`, quotaLegend)],
    empty: "No quota is overdrawn.",
  }));

const spenders = row(16, "Who spends?",
  table({
    id: 17, title: "Keys and callers, most requests first", size: [12, 8], unit: unit.count,
    help: "Requests in the chosen time by key and caller, and how many of them were throttled. Callers " +
      "have names where the configuration lists them.",
    queries: [
      query(`sum by (key, caller) (increase(apiquota_upstream_requests_total{${keys}}[$__range]))`),
      query(`sum by (key, caller) (increase(apiquota_throttles_total{${resources}}[$__range]))`),
    ],
    worst: valueOf("A"),
    columns: [
      { field: "key", title: "Key" },
      { field: "caller", title: "Caller" },
      { field: valueOf("A"), title: "Requests", unit: unit.exactly, decimals: 0 },
      { field: valueOf("B"), title: "Throttled", decimals: 0, steps: ["text", [1, "orange"]] },
    ],
    empty: "Nothing was asked in the chosen time.",
  }),
  graph({
    id: 18, title: "Requests by key and caller", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Requests through the agents. Compare with what is spent: if a quota falls while these stand " +
      "still, somebody else uses the credential elsewhere.",
    queries: [query(moved("key, caller", asked), "{{key}} {{caller}}")],
    empty: "Nothing was asked.",
  }),
  graph({
    id: 19, title: "Spent by key and resource, $unit", size: [24, 8], unit: unit.perMinute, stacked: true,
    repeat: "unit",
    help: "What each key spends of each quota per minute, by anybody who uses the credential. The " +
      "broadest band is whom to talk to.",
    queries: [query(`60 * ${burn(ofUnit)} > 0`, quotaLegend)],
    empty: "Nothing was spent.",
  }));

const tokenRow = row(27, "Where do the tokens go?",
  graph({
    id: 28, title: "Tokens by type", size: [12, 8], unit: unit.perMinute, stacked: true,
    help: "Tokens that the API reported in its answers, or that were estimated where it did not. The " +
      "types do not overlap: together they are the total.",
    queries: [query(moved("type", tokens), "{{type}}")],
    empty: "This API reported no tokens.",
  }),
  graph({
    id: 29, title: "Tokens by resource and caller", size: [12, 8], unit: unit.perMinute, stacked: true,
    help: "Which model, key and caller the tokens went to. The broadest band is where a shorter prompt " +
      "or a smaller model saves most.",
    queries: [query(moved("resource, key, caller", tokens), "{{resource}} {{caller}} ({{key}})")],
    empty: "This API reported no tokens.",
  }));

export const api = dashboard({
  name: "api",
  title: "API",
  help: "One API: each quota against its limit, who spends it, and what the API answers.",
  variables: [
    ...agentVariables,
    variable({ name: "api", label: "API", query: apiQuery, one: true }),
    variable({ name: "key", label: "Key", query: `label_values(${askedOfApi}, key)` }),
    variable({ name: "resource", label: "Resource", all: ".*", query: info(keys, "resource") }),
    variable({ name: "quota", label: "Quota", query: info(resources, "quota") }),
    variable({ name: "unit", label: "Unit", hidden: true, query: info(quotas, "unit") }),
  ],
  annotations: [
    throttles(resources), limitChanges(quotas), restarts,
    annotation({
      name: "Resets of windows over 30 minutes",
      color: "green",
      expr: `max by (${quota}) (delta(${resets}[$__rate_interval])) > 900`,
      title: "Quota reset",
      text: "{{resource}} {{quota}} ({{key}})",
    }),
  ],
  links: [toOverview, toGuard, toAgent],
  rows: [standing, each, spenders, says, refusals, tokenRow],
});
