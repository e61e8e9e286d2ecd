// What one API answers, and why it refuses: rows of its dashboard.
import { Color, graph, query, row, unit } from "./kit";
import { apis, keys, moved, quantile, resources } from "./model";

const throttled = `apiquota_throttles_total{${resources}}`;
const asked = `apiquota_upstream_requests_total{${keys}}`;

const quantiles = (histogram: string, ...shares: number[]) => shares.map((share) =>
  query(quantile(share, "le", `${histogram}{${apis}}`), `${100 * share} %`));

const codes: [RegExp, Color][] = [
  [/^2../, "green"], [/^3../, "blue"], [/^4../, "orange"], [/^429/, "red"], [/^5../, "purple"],
];

const scopes: [RegExp, Color][] = [
  [/^primary/, "orange"], [/^concurrency/, "blue"], [/^overload/, "purple"], [/^spend/, "red"],
];

const refusal = (id: number, title: string, scope: string, help: string, empty: string) =>
  graph({
    id, title, size: [8, 8], unit: unit.requestsPerMinute, stacked: true, help, empty,
    queries: [query(moved("key, resource", `apiquota_throttles_total{${resources}, scope="${scope}"}`),
      "{{key}} {{resource}}")],
  });

export const says = row(20, "What does it answer?",
  graph({
    id: 21, title: "Answers by status", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    colors: codes,
    help: "Red 429s are throttles, purple is the API's own trouble, orange the caller's mistakes. A few " +
      "429s at the end of a window are normal; many mean that clients retry against a closed door.",
    queries: [query(moved("code", asked), "{{code}}")],
    empty: "Nothing was asked.",
  }),
  graph({
    id: 23, title: "Requests without an answer", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Requests that ended without a whole answer, by reason. Any that last: look at the provider's " +
      "status page, then at names, addresses and certificates.",
    queries: [query(moved("reason", `apiquota_upstream_errors_total{${apis}}`), "{{reason}}")],
    empty: "Every request was answered.",
  }),
  graph({
    id: 24, title: "Time to the whole answer", size: [12, 8], unit: unit.seconds,
    help: "Half, 95 % and 99 % of the answers had ended within these times. Rising at the same load: the " +
      "API slows callers down in place of refusing them.",
    queries: quantiles("apiquota_upstream_duration_seconds_bucket", 0.5, 0.95, 0.99),
    empty: "Nothing was asked.",
  }),
  graph({
    id: 25, title: "Time to the first byte", size: [12, 8], unit: unit.seconds,
    help: "Half and 95 % of the answers had begun within these times. For streams this is what users " +
      "wait for.",
    queries: quantiles("apiquota_upstream_first_byte_seconds_bucket", 0.5, 0.95),
    empty: "Nothing was asked.",
  }));

export const refusals = row(31, "Why does it refuse?",
  graph({
    id: 22, title: "Throttles by scope", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    colors: scopes,
    help: "Primary: a quota is used up. Secondary: too fast, spread the calls. Concurrency: too many at " +
      "once. Overload: the API's own trouble, retry later. Spend: a budget, talk to whoever pays.",
    queries: [query(moved("scope", throttled), "{{scope}}")],
    empty: "Nothing was throttled.",
  }),
  graph({
    id: 26, title: "Asked to wait", size: [12, 8], unit: unit.seconds,
    help: "Half and 95 % of the waiting times in Retry-After and its relatives. Clients that come back " +
      "sooner are refused again; long ones point to a daily limit.",
    queries: quantiles("apiquota_retry_after_seconds_bucket", 0.5, 0.95),
    empty: "The API asked nobody to wait.",
  }),
  refusal(32, "Refused for want of money", "spend",
    "Calls refused because a budget, a credit or a payment is missing, by key and resource. Waiting " +
      "mends nothing: top up, or stop what calls in vain.",
    "No call was refused for want of money."),
  refusal(33, "Refused, too many at once", "concurrency",
    "Calls refused because too many were under way, by key and resource. Fewer workers at once, or a " +
      "queue before the key; the rate may stay.",
    "Never were too many calls under way."),
  refusal(34, "Refused, provider overloaded", "overload",
    "Calls refused because the provider lacks capacity, whatever is left of the quotas, by key and " +
      "resource. Wait longer between retries, or move to another model or region.",
    "The provider was never overloaded."));
