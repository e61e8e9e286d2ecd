// Guard: what it decided, who waits and for how long, what it repeats, what it holds (and guard_rules.ts).
import { Color, dashboard, graph, limitQuery, query, row, stat, table, unit, valueOf, variable } from "./kit";
import {
  agentVariables, anyIsALook, apiQuery, apis, keys, left, moved, quantile, rate, restarts, rowLink,
  throttles, toAgent, toApi, toOverview,
} from "./model";
import { own, saves } from "./guard_rules";

const decisions = (selector: string) => `apiquota_decisions_total{${apis}, ${selector}}`;
const depth = `apiquota_queue_depth{${apis}}`;
const capacity = `apiquota_queue_capacity{${apis}}`;
const oldest = `apiquota_queue_oldest_seconds{${apis}}`;
const overdue = `apiquota_queue_overdue_seconds{${apis}}`;
const cooldowns = `apiquota_cooldown_until_timestamp_seconds{${keys}}`;
const retried = `apiquota_retries_total{${apis}, outcome="retried"}`;
const clientRetries = `apiquota_client_retries_total{${apis}}`;
const answers = `apiquota_proxy_requests_total{${apis}}`;
const blind = `apiquota_guard_blind_total{${apis}}`;
const upstream = `apiquota_upstream_requests_total{${keys}, door="proxy"}`;
const guarded = decisions('mode="on"');
const delayed = decisions('mode="on", decision="delay"');
const refused = decisions('mode="on", decision="reject"');
const shadow = decisions('mode="shadow"');

const repeated = `(sum(${rate(retried)}) + (sum(${rate(clientRetries)}) or vector(0)))`;

const ways: [RegExp, Color][] = [[/^allow/, "green"], [/^delay/, "orange"], [/^reject/, "red"]];
const perSecond = (labels: string, counter: string) => `sum by (${labels}) (${rate(counter)})`;

const protects = row(1, "Does it protect?",
  stat({
    id: 2, title: "Waiting now", size: [4, 4], unit: unit.count, decimals: 0,
    help: "Requests that wait for their turn, all APIs together. Some are normal: that is how a quota " +
      "is used and not overrun. Compare with the queue's capacity below.",
    query: query(`sum(${depth}) or vector(0)`),
  }),
  stat({
    id: 3, title: "Fullest queue", size: [4, 4], unit: unit.ratio, decimals: 0,
    steps: ["green", [0.8, "red"]],
    help: "The share of its capacity that the fullest queue holds. Red from 80 %: beyond 100 % " +
      "requests are refused at once with 503. More is asked than the quota has, for longer than a " +
      "queue can help.",
    query: query(`max(max by (api) (${depth} / (${capacity} > 0))) or vector(0)`),
  }),
  stat({
    id: 4, title: "Longest wait now", size: [4, 4], unit: unit.seconds, decimals: 0,
    help: "How long the request has waited that came first: at most the queue's max_wait, and less where " +
      "clients say that they wait for less. Who waits for longer is drawn below as overdue.",
    query: query(`max(${oldest}) or vector(0)`),
  }),
  stat({
    id: 5, title: "Cooldowns", size: [4, 4], unit: unit.count, decimals: 0, steps: anyIsALook,
    help: "Keys and resources that are not asked now because the API refused. Orange: the table below " +
      "names them and when they end; /api/v1/guard says on what evidence.",
    query: query(`count(max by (api, key, resource) (${left(cooldowns)})) or vector(0)`),
  }),
  stat({
    id: 6, title: "Refused by the guard", size: [4, 4], unit: unit.ratio, decimals: 1,
    steps: ["green", [0.05, "orange"]],
    help: "The share of requests of the last minutes that were refused because their turn would not " +
      "have come in time. Orange from 5 %: clients ask for more than there is, or wait for less than " +
      "it takes.",
    query: query(`sum(${rate(refused)}) / (sum(${rate(guarded)}) > 0) or vector(0)`),
  }),
  stat({
    id: 7, title: "Repeated share", size: [4, 4], unit: unit.ratio, decimals: 1,
    steps: ["green", [0.2, "red"]],
    help: "Further attempts of the guard and requests that clients say they repeat, as a share of all " +
      "answers of the last minutes. Red from 20 %: an API fails, and every retry makes it worse.",
    query: query(`${repeated} / (sum(${rate(answers)}) > 0) or vector(0)`),
  }));

const decided = row(8, "What does it decide?",
  graph({
    id: 9, title: "Decisions", size: [12, 8], unit: unit.requestsPerMinute, stacked: true, colors: ways,
    help: "What became of requests: sent at once, held back, or refused. Much orange is the guard at " +
      "work; red that lasts means more is asked than there is.",
    queries: [query(moved("decision", guarded), "{{decision}}")],
    empty: "No API is guarded (guard: on), or nothing was asked.",
  }),
  graph({
    id: 10, title: "Decisions of the shadow", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    colors: ways,
    help: "What a guard that only watches, or a second block of settings, would have decided about the " +
      "same requests. Less orange and red than beside it: those settings suit better.",
    queries: [query(moved("decision", shadow), "{{decision}}")],
    empty: "No shadow is judged (guard: shadow, or a block shadow).",
  }),
  graph({
    id: 11, title: "Held back, by rule", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Why requests waited. pace: the quota has not enough left; retry_after: the API said when; " +
      "cooldown: it refused without saying when; queue: others were first; ramp: waiters leave one " +
      "after the other.",
    queries: [query(moved("api, rule", delayed), "{{api}} {{rule}}")],
    empty: "Nothing had to wait.",
  }),
  graph({
    id: 12, title: "Refused, by rule", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Why requests were refused without being sent. queue: it was full; the others: their turn " +
      "would have come too late for the client, or after max_wait.",
    queries: [query(moved("api, rule", refused), "{{api}} {{rule}}")],
    empty: "The guard refused nothing.",
  }));

const waits = row(13, "How long do requests wait?",
  graph({
    id: 14, title: "Waits by reason", size: [12, 8], unit: unit.seconds,
    help: "The time within which 95 % of the waits ended, by what was waited for longest. Beyond half " +
      "of what your clients are willing to wait they give up and come again.",
    queries: [
      query(quantile(0.95, "reason, le", `apiquota_delay_seconds_bucket{${apis}}`), "{{reason}}, 95 %"),
    ],
    empty: "Nothing had to wait.",
  }),
  graph({
    id: 15, title: "Waits that ended", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "How many requests had waited, by what they waited for longest. Steps at the minute are " +
      "windows that begin anew; an even band is a quota that refills.",
    queries: [query(moved("reason", `apiquota_delay_seconds_count{${apis}}`), "{{reason}}")],
    empty: "Nothing had to wait.",
  }),
  graph({
    id: 16, title: "Queue", size: [12, 8], unit: unit.count, decimals: 0,
    help: "Requests that wait beneath the queue's capacity (dashed). A line that rises and never " +
      "falls: the quota is too small for what is asked.",
    queries: [
      query(`sum by (api) (${depth})`, "{{api}}"),
      limitQuery(`sum by (api) (${capacity})`, "capacity of {{api}}"),
    ],
    empty: "No API with a queue was used.",
  }),
  graph({
    id: 17, title: "Oldest request in the queue", size: [12, 8], unit: unit.seconds,
    colors: [[/ overdue$/, "red"]],
    help: "How long the request has waited that came first, at most max_wait. overdue, red: how long ago " +
      "a request that still waits should have had its turn or been refused; something is stuck, and an " +
      "alert tells.",
    queries: [
      query(`max by (api) (${oldest})`, "{{api}}"),
      query(`max by (api) (${overdue}) > 0`, "{{api}}, overdue"),
    ],
    empty: "Nobody waited.",
  }));

const repeats = row(18, "What does it repeat?",
  graph({
    id: 19, title: "Further attempts by outcome", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    colors: [[/ retried$/, "green"], [/ budget$/, "red"]],
    help: "Failures that called for another attempt. retried: it was made; else why not. budget: too " +
      "many at once; body: too large to keep; deadline: the client would not have waited.",
    queries: [query(moved("reason, outcome", `apiquota_retries_total{${apis}}`), "{{reason}} {{outcome}}")],
    empty: "Nothing called for another attempt.",
  }),
  graph({
    id: 20, title: "Amplification", size: [12, 8], unit: unit.count, decimals: 2, softMax: 1.4,
    steps: ["green", [1.2, "red"]],
    help: "Requests that reached the API for each answer to a client. 1: each was sent once; below: " +
      "some were refused here; above the dashed 1.2: retries multiply the load.",
    queries: [query(`${perSecond("api", upstream)} / (${perSecond("api", answers)} > 0)`, "{{api}}")],
    empty: "Nothing was asked.",
  }),
  graph({
    id: 21, title: "Repeated by clients", size: [12, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Requests whose client says that it sends them again, by caller. With the guard on there is " +
      "little to repeat: a client that goes on is impatient or does not obey Retry-After.",
    queries: [query(moved("api, caller", clientRetries), "{{api}} {{caller}}")],
    empty: "No client said that it repeats anything.",
  }),
  graph({
    id: 22, title: "Blind share", size: [12, 8], unit: unit.ratio, softMax: 1,
    steps: ["green", [0.2, "orange"]],
    help: "The share of requests of which the guard could not know the model or resource beforehand, " +
      "so that only what all resources share was kept. Above the dashed 20 %: see which requests name " +
      "none.",
    queries: [query(`${perSecond("api", blind)} / (${perSecond("api", guarded)} > 0)`, "{{api}}")],
    empty: "No API is guarded, or nothing was asked.",
  }));

const holds = row(23, "What does it hold?",
  table({
    id: 24, title: "Cooldowns, the longest first", size: [24, 7], unit: unit.count,
    help: "What is not asked now because the API refused, and when that ends; a long one lets a probe " +
      "through every few minutes and ends with the first success. /api/v1/guard says on what evidence.",
    queries: [
      query(`max by (api, key, resource) (${left(cooldowns)})`),
      query(`1000 * max by (api, key, resource) (${cooldowns} > time())`),
    ],
    worst: valueOf("A"),
    link: rowLink("Open this API", "api", "key"),
    columns: [
      { field: "api", title: "API", linked: true },
      { field: "key", title: "Key" },
      { field: "resource", title: "Resource" },
      {
        field: valueOf("A"), title: "Left", unit: unit.seconds, decimals: 0,
        steps: ["text", [900, "orange"]],
      },
      { field: valueOf("B"), title: "Ends", unit: unit.fromNow },
    ],
    empty: "Nothing is cooling down.",
  }),
  graph({
    id: 25, title: "Requests under way", size: [12, 8], unit: unit.count, decimals: 0,
    help: "Requests that were let through and whose answers are not complete, by key. A line that " +
      "never comes down while nobody asks is a fault: report it.",
    queries: [query(`sum by (api, key) (apiquota_inflight_requests{${keys}})`, "{{api}} {{key}}")],
    empty: "No API is guarded, or nothing was asked.",
  }),
  graph({
    id: 26, title: "Reserved", size: [12, 8], unit: unit.count,
    help: "What requests under way have set aside of each quota, in its unit; their answers say what " +
      "they really cost. It is 0 at rest; what stays is a fault, and an alert tells.",
    queries: [
      query(`sum by (api, key, quota, unit) (apiquota_reserved{${keys}})`,
        "{{api}} {{quota}} ({{key}}), {{unit}}"),
    ],
    empty: "No API is guarded, or nothing was asked.",
  }),
  graph({
    id: 27, title: "Patience spent", size: [24, 7], unit: unit.seconds, stacked: true,
    help: "Seconds that all requests together waited in each second, by API: how much patience the " +
      "quotas cost. Near the number of a caller's workers, all of them do nothing but wait.",
    queries: [query(`${perSecond("api", `apiquota_delay_seconds_sum{${apis}}`)} > 0`, "{{api}}")],
    empty: "Nothing had to wait.",
  }));

export const guard = dashboard({
  name: "guard",
  title: "Guard",
  help: "What the guard does: its decisions and a shadow's, waits, queues, retries, cooldowns, " +
    "reservations; limits of your own, the breaker, the cache.",
  variables: [
    ...agentVariables,
    variable({ name: "api", label: "API", query: apiQuery }),
    variable({ name: "key", label: "Key", query: `label_values(apiquota_inflight_requests{${apis}}, key)` }),
  ],
  annotations: [throttles(keys), restarts],
  links: [toOverview, toApi, toAgent],
  rows: [protects, decided, waits, repeats, holds, own, saves],
});
