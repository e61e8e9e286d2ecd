// API: one API at a time. Its quotas, who spends them, and what it answers.
import {
  annotation, Color, dashboard, graph, limitQuery, query, row, stat, table, unit, valueOf, variable,
} from "./kit";
import {
  agentVariables, apiQuery, apis, inAll, left, limitChanges, moved, quantile, quota, rate, restarts,
  throttledSteps, throttles, toAgent, toOverview, useSteps,
} from "./model";

const keys = `${apis}, key=~"$key"`;
const resources = `${keys}, resource=~"$resource"`;
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

const quantiles = (histogram: string, ...shares: number[]) => shares.map((share) =>
  query(quantile(share, "le", `${histogram}{${apis}}`), `${100 * share} %`));

const info = (selector: string, label: string) => `label_values(apiquota_quota_info{${selector}}, ${label})`;
const askedOfApi = `apiquota_upstream_requests_total{${apis}}`;

const codes: [RegExp, Color][] = [
  [/^2../, "green"], [/^3../, "blue"], [/^4../, "orange"], [/^429/, "red"], [/^5../, "purple"],
];

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
    id: 10, title: "Use", size: [12, 9], unit: unit.ratio, max: 1, steps: useSteps,
    help: "The share of each quota that is used; the dashed lines are the alerts' 80 % and 90 %. A fall " +
      "to 0 is a reset. A line that ends: the reading no longer holds, and nothing newer was heard.",
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
    id: 15, title: "Short windows that went too far", size: [24, 7], unit: unit.ratio, max: 1,
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

const says = row(20, "What does it answer?",
  graph({
    id: 21, title: "Answers by status", size: [8, 8], unit: unit.requestsPerMinute, stacked: true,
    colors: codes,
    help: "Red 429s are throttles, purple is the API's own trouble, orange the caller's mistakes. A few " +
      "429s at the end of a window are normal; many mean that clients retry against a closed door.",
    queries: [query(moved("code", asked), "{{code}}")],
    empty: "Nothing was asked.",
  }),
  graph({
    id: 22, title: "Throttles by scope", size: [8, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Primary: a quota is used up. Secondary and concurrency: too much at once, spread the calls. " +
      "Overload: the API's own trouble, retry later. Spend: a budget, talk to whoever pays.",
    queries: [query(moved("scope", throttled), "{{scope}}")],
    empty: "Nothing was throttled.",
  }),
  graph({
    id: 23, title: "Requests without an answer", size: [8, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Requests that ended without a whole answer, by reason. Any that last: look at the provider's " +
      "status page, then at names, addresses and certificates.",
    queries: [query(moved("reason", `apiquota_upstream_errors_total{${apis}}`), "{{reason}}")],
    empty: "Every request was answered.",
  }),
  graph({
    id: 24, title: "Time to the whole answer", size: [8, 8], unit: unit.seconds,
    help: "Half, 95 % and 99 % of the answers had ended within these times. Rising at the same load: the " +
      "API slows callers down in place of refusing them.",
    queries: quantiles("apiquota_upstream_duration_seconds_bucket", 0.5, 0.95, 0.99),
    empty: "Nothing was asked.",
  }),
  graph({
    id: 25, title: "Time to the first byte", size: [8, 8], unit: unit.seconds,
    help: "Half and 95 % of the answers had begun within these times. For streams this is what users " +
      "wait for.",
    queries: quantiles("apiquota_upstream_first_byte_seconds_bucket", 0.5, 0.95),
    empty: "Nothing was asked.",
  }),
  graph({
    id: 26, title: "Asked to wait", size: [8, 8], unit: unit.seconds,
    help: "Half and 95 % of the waiting times in Retry-After and its relatives. Clients that come back " +
      "sooner are refused again; long ones point to a daily limit.",
    queries: quantiles("apiquota_retry_after_seconds_bucket", 0.5, 0.95),
    empty: "The API asked nobody to wait.",
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
  links: [toOverview, toAgent],
  rows: [standing, each, spenders, says, tokenRow],
});
