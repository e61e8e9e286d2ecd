// Overview: every API, the worst quota first; where to look next is a link in each row.
import { dashboard, graph, query, row, stat, table, unit, valueOf, variable } from "./kit";
import {
  agents, agentVariables, anyIsALook, apiQuery, apis, left, limitChanges, moved, noneIsGood, quantile,
  quota, rate, restarts, rowLink, throttledSteps, throttles, toAgent, toApi, toGuard, useSteps,
} from "./model";

const used = `apiquota_quota_used_ratio{${apis}}`;
const remaining = `min by (${quota}) (apiquota_quota_remaining{${apis}})`;
const limit = `max by (${quota}) (apiquota_quota_limit{${apis}})`;
const reset = `max by (${quota}) (apiquota_quota_reset_timestamp_seconds{${apis}})`;
const exhaustion = `apiquota_quota_exhaustion_timestamp_seconds{${apis}}`;
const throttled = `apiquota_throttles_total{${apis}}`;
const unanswered = `apiquota_upstream_errors_total{${apis}}`;
const durations = `apiquota_upstream_duration_seconds_bucket{${apis}}`;
const asked = `apiquota_upstream_requests_total{${apis}}`;

// Alerts keep the labels of what they are about; those of the agents have no api.
const firing = `ALERTS{alertname=~"Api.+", alertstate="firing", api=~"$api|"}`;
const since = `ALERTS_FOR_STATE{alertname=~"Api.+", api=~"$api|"}`;
const labels = "alertname, severity, api, key, resource, quota, instance";

const canICall = row(1, "Can I still call?",
  stat({
    id: 2, title: "Worst quota", size: [4, 4], unit: unit.ratio, decimals: 0, steps: useSteps,
    help: "The highest use of any quota. Orange from 80 %, red from 90 %: the thresholds of the alerts. " +
      "Red: find the quota in the table below, open its API, and slow down who spends it.",
    query: query(`max(${used})`), empty: "none heard of",
  }),
  stat({
    id: 3, title: "Exhausted quotas", size: [4, 4], unit: unit.count, steps: noneIsGood,
    help: "Quotas with nothing left. Red: calls are refused until the reset in the table below. A limit " +
      "of 0 means that the quota does not apply, and is not counted.",
    query: query(`count(${remaining} <= 0 unless ${limit} <= 0) or vector(0)`),
  }),
  stat({
    id: 23, title: "Next runs out in", size: [4, 4], unit: unit.seconds, decimals: 0,
    steps: ["red", [900, "orange"], [3600, "green"]],
    help: "When the first quota will be exhausted at its present pace, if that is before its reset. Red: " +
      "in less than 15 minutes. Without a number nothing is running out.",
    query: query(`min(${left(exhaustion)})`), empty: "nothing runs out",
  }),
  stat({
    id: 4, title: "Throttled share", size: [4, 4], unit: unit.ratio, decimals: 1, steps: throttledSteps,
    help: "The share of requests that the APIs refused or slowed down in the last minutes. Orange from 5 " +
      "%, where the alert on throttle spikes begins to look. Look at Throttles below: the scope says " +
      "which kind of limit it was.",
    query: query(`sum(${rate(throttled)}) / (sum(${rate(asked)}) > 0) or vector(0)`),
  }),
  stat({
    id: 24, title: "Firing alerts", size: [4, 4], unit: unit.count, steps: anyIsALook,
    help: "Alerts that fire now, as Prometheus evaluates alerts/*.rules.yaml; the table below names " +
      "them. Always 0 where the rules are not loaded.",
    query: query(`count(${firing}) or vector(0)`),
  }),
  stat({
    id: 5, title: "Agents down", size: [4, 4], unit: unit.count, steps: noneIsGood,
    help: "Agents that do not answer their scrapes. Red: what they watch is missing from this page; open " +
      "the Agent dashboard, and see whether the process runs.",
    query: query(`count(up{${agents}} == 0) or vector(0)`),
  }),
  table({
    id: 6, title: "Quotas, worst first", size: [24, 10], unit: unit.count,
    help: "One line for each quota: its use, what is left of the limit, when it comes back, and when it " +
      "would run out if that is sooner. An empty cell: the API did not say, or nothing runs out. Agents " +
      "that watch one credential share a line. The API's name opens its dashboard.",
    queries: [
      query(`max by (${quota}) (${used})`), query(remaining), query(limit),
      query(`1000 * (${reset} > time())`), query(`1000 * (min by (${quota}) (${exhaustion}) > time())`),
    ],
    worst: valueOf("A"),
    link: rowLink("Open this API", "api", "key", "resource", "quota"),
    columns: [
      { field: "api", title: "API", linked: true, width: 170 },
      { field: "key", title: "Key", width: 150 },
      { field: "resource", title: "Resource", width: 170 },
      { field: "quota", title: "Quota", width: 140 },
      { field: valueOf("A"), title: "Used", unit: unit.ratio, decimals: 0, bar: true, steps: useSteps },
      { field: valueOf("B"), title: "Left", unit: unit.exactly, width: 110 },
      { field: valueOf("C"), title: "Limit", unit: unit.exactly, width: 110 },
      { field: "unit", title: "Unit", width: 110 },
      { field: valueOf("D"), title: "Resets", unit: unit.fromNow, width: 150 },
      { field: valueOf("E"), title: "Runs out", unit: unit.fromNow, width: 150, color: "orange" },
    ],
    empty: "No API has said anything about a quota yet.",
  }));

const firingRow = row(25, "What is firing?",
  table({
    id: 26, title: "Firing alerts, newest first", size: [24, 6], unit: unit.text,
    help: "What Prometheus has found, and since when. Each alert has an entry of its name in " +
      "alerts/runbook.md that says what to do. Empty: nothing fires, or the rules are not loaded.",
    queries: [query(`1000 * max by (${labels}) (${since} and ignoring (alertstate) ${firing})`)],
    worst: valueOf("A"),
    link: rowLink("Open this API", "api"),
    columns: [
      { field: "severity", title: "Severity", width: 110,
        words: { critical: ["critical", "red"], warning: ["warning", "orange"], info: ["info", "blue"] } },
      { field: "alertname", title: "Alert", width: 260 },
      { field: "api", title: "API", linked: true },
      { field: "key", title: "Key" },
      { field: "resource", title: "Resource" },
      { field: "quota", title: "Quota" },
      { field: "instance", title: "Agent" },
      { field: valueOf("A"), title: "Since", unit: unit.fromNow, width: 160 },
    ],
    empty: "Nothing is firing.",
  }));

const howFast = row(7, "How fast is it going?",
  graph({
    id: 8, title: "Use of each API's worst quota", size: [12, 9], unit: unit.ratio, softMax: 1,
    steps: useSteps,
    help: "The highest use among each API's quotas; the dashed lines are the alerts' 80 % and 90 %. Above " +
      "100 % it is overdrawn. A saw-tooth is a quota that resets. A line that ends: the reading no longer " +
      "holds, and nothing newer was heard.",
    queries: [query(`max by (api) (${used})`, "{{api}}")],
    empty: "No API has said anything about a quota yet.",
  }),
  graph({
    id: 11, title: "Time to exhaustion", size: [12, 9], unit: unit.seconds, logarithmic: true,
    steps: ["red", [900, "orange"], [3600, "green"]],
    help: "How long the first of each API's quotas will last at its present pace; only quotas that run " +
      "out before they reset have a line. Below the dashed lines, an hour and 15 minutes, slow down or " +
      "ask for more.",
    queries: [query(`min by (api) (${left(exhaustion)})`, "{{api}}")],
    empty: "No quota runs out before it resets.",
  }));

const answers = row(12, "What do the APIs answer?",
  graph({
    id: 14, title: "Requests by API", size: [6, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "What the agents sent to each API and was answered. A step up explains a falling quota; a fall " +
      "to nothing means that clients stopped, or that the API no longer answers.",
    queries: [query(moved("api", asked), "{{api}}")],
    empty: "Nothing was asked.",
  }),
  graph({
    id: 13, title: "Throttles by API and scope", size: [6, 8], unit: unit.requestsPerMinute,
    help: "Answers by which each API refused or slowed the caller, and why. Spend: a budget, talk to " +
      "whoever pays. Overload: the API's own trouble. Concurrency: too many at once. Primary, with a quota " +
      "that is not used up: a limit that the API does not announce.",
    queries: [query(moved("api, scope", throttled), "{{api}} {{scope}}")],
    empty: "Nothing was throttled.",
  }),
  graph({
    id: 15, title: "Requests without an answer", size: [6, 8], unit: unit.requestsPerMinute,
    help: "Requests that ended without a whole answer, by API and reason. Any that last: look at the " +
      "provider's status page, then at names, addresses and certificates.",
    queries: [query(moved("api, reason", unanswered), "{{api}} {{reason}}")],
    empty: "Every request was answered.",
  }),
  graph({
    id: 18, title: "Slowest 5 % of answers", size: [6, 8], unit: unit.seconds,
    help: "The time within which 95 % of each API's answers had ended. Rising with no change of the " +
      "load: the API slows callers down in place of refusing them.",
    queries: [query(quantile(0.95, "api, le", durations), "{{api}}")],
    empty: "Nothing was asked.",
  }));

export const overview = dashboard({
  name: "overview",
  title: "Overview",
  help: "How much of every API's quota is left: the worst quota first.",
  variables: [...agentVariables, variable({ name: "api", label: "API", query: apiQuery })],
  annotations: [throttles(apis), limitChanges(apis), restarts],
  links: [toApi, toGuard, toAgent],
  rows: [canICall, firingRow, howFast, answers],
});
