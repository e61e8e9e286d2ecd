// Agent: the watcher watched. Its own traffic, what it costs, its polls, and what it could not read or keep.
import { dashboard, graph, query, row, stat, table, unit, valueOf, variable } from "./kit";
import {
  agents, agentVariables, anyIsALook, apiQuery, apis, inAll, moved, noneIsGood, perMinute, quantile, rate,
  restarts, rowLink, toApi, toGuard, toOverview,
} from "./model";

const agentLabels = "job, instance";
const overhead = (share: number) => quantile(share, "phase, le", `apiquota_overhead_seconds_bucket{${apis}}`);
const loaded = `apiquota_config_last_reload_success_timestamp_seconds{${agents}}`;
const conflicts = `apiquota_quota_conflicts_total{${apis}}`;
const yesNo: Record<string, [string, "green" | "red"]> = { 1: ["yes", "green"], 0: ["no", "red"] };

const well = row(1, "Is it well?",
  stat({
    id: 2, title: "Agents down", size: [4, 4], unit: unit.count, steps: noneIsGood,
    help: "Agents that do not answer their scrapes. Red: nobody watches their APIs; see whether the " +
      "process runs and whether Prometheus can reach its admin address.",
    query: query(`count(up{${agents}} == 0) or vector(0)`),
  }),
  stat({
    id: 3, title: "Old configurations", size: [4, 4], unit: unit.count, steps: anyIsALook,
    help: "Agents whose last reload failed: they run on the configuration before it. The agent's log " +
      "names file, line and column of the mistake.",
    query: query(`count(apiquota_config_last_reload_successful{${agents}} == 0) or vector(0)`),
  }),
  stat({
    id: 4, title: "Failing polls", size: [4, 4], unit: unit.count, steps: anyIsALook,
    help: "Polled APIs whose last poll failed; their quotas go stale. The table of polls below names them.",
    query: query(`count(min by (api, key) (apiquota_poll_success{${apis}}) == 0) or vector(0)`),
  }),
  stat({
    id: 5, title: "Restarts", size: [4, 4], unit: unit.count, decimals: 0, steps: anyIsALook,
    help: "Restarts in the chosen time. Counters begin again at 0; readings survive. More than your own " +
      "deployments: look at the log's last lines and at Memory below.",
    query: query(`sum(changes(process_start_time_seconds{${agents}}[$__range])) or vector(0)`),
  }),
  stat({
    id: 6, title: "Series dropped", size: [4, 4], unit: unit.count, decimals: 0, steps: anyIsALook,
    help: "Series the agents left out or counted under \"other\" in the chosen time because an API had " +
      "used up its share or one of its caps. Orange: some keys or resources are not shown; raise the bound " +
      "in the configuration, or see who makes so many.",
    query: query(inAll(`apiquota_series_dropped_total{${apis}}`)),
  }),
  stat({
    id: 7, title: "Unread signals", size: [4, 4], unit: unit.count, decimals: 0, steps: anyIsALook,
    help: "Rate-limit fields in the chosen time that could not be read or could not be true. Orange: an " +
      "API may have changed its words, and its exporter file needs a look; the graph below names the " +
      "field.",
    query: query(inAll(`apiquota_parse_errors_total{${apis}}`)),
  }),
  table({
    id: 8, title: "Agents", size: [24, 6], unit: unit.count,
    help: "Each agent with its version, since when it runs, and the configuration it runs on.",
    queries: [
      query(`max by (${agentLabels}) (up{${agents}})`),
      query(`max by (${agentLabels}, version, revision) (apiquota_build_info{${agents}})`),
      query(`1000 * max by (${agentLabels}) (process_start_time_seconds{${agents}})`),
      query(`1000 * max by (${agentLabels}) (${loaded})`),
      query(`max by (${agentLabels}) (apiquota_config_last_reload_successful{${agents}})`),
      query(`count by (${agentLabels}) (apiquota_api_info{${apis}})`),
    ],
    worst: valueOf("C"),
    columns: [
      { field: "instance", title: "Agent" },
      { field: valueOf("A"), title: "Up", words: yesNo, width: 80 },
      { field: "version", title: "Version" },
      { field: "revision", title: "Revision" },
      { field: valueOf("C"), title: "Started", unit: unit.fromNow },
      { field: valueOf("D"), title: "Configuration loaded", unit: unit.fromNow },
      { field: valueOf("E"), title: "Last reload read", words: yesNo },
      { field: valueOf("F"), title: "APIs", width: 80 },
    ],
    empty: "No agent is scraped under this job.",
  }));

const traffic = row(9, "What does it carry?",
  graph({
    id: 10, title: "Answers to clients", size: [8, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "What clients got from the proxy, by status. 502, 503 and 504 with Proxy-Status: apiquota are " +
      "the agent's own words for an API that did not answer.",
    queries: [query(moved("code", `apiquota_proxy_requests_total{${apis}}`), "{{code}}")],
    colors: [[/^2../, "green"], [/^3../, "blue"], [/^4../, "orange"], [/^429/, "red"], [/^5../, "purple"]],
    empty: "No client has asked anything.",
  }),
  graph({
    id: 11, title: "Requests to APIs by door", size: [8, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Answered requests: proxy is what clients asked, poll is what the agent asked for itself. " +
      "Polls cost quota unless the exporter file says otherwise; if they weigh, poll less often.",
    queries: [query(moved("door", `apiquota_upstream_requests_total{${apis}}`), "{{door}}")],
    empty: "Nothing was asked.",
  }),
  graph({
    id: 12, title: "Refused and failed", size: [8, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Refused: what the proxy turned away before any API was asked, by reason; broken clients or " +
      "attacks. No answer: APIs that could not be reached or broke off.",
    queries: [
      query(moved("reason", `apiquota_http_rejected_total{${agents}}`), "refused: {{reason}}"),
      query(moved("reason", `apiquota_upstream_errors_total{${apis}}`), "no answer: {{reason}}"),
    ],
    empty: "Nothing was refused, and every request was answered.",
  }));

const cost = row(13, "What does it cost?",
  graph({
    id: 14, title: "Time added", size: [8, 8], unit: unit.seconds,
    help: "What the agent itself adds to half and to 99 % of the requests and responses. Milliseconds " +
      "that last: the machine is short of processor time.",
    queries: [query(overhead(0.5), "{{phase}}, half"), query(overhead(0.99), "{{phase}}, 99 %")],
    empty: "No client has asked anything.",
  }),
  graph({
    id: 15, title: "Processor", size: [8, 8], unit: unit.ratio,
    help: "Processor time of each agent; 100 % is one core. Near the number of its event loops: give it " +
      "more, or add an agent.",
    queries: [query(rate(`process_cpu_seconds_total{${agents}}`), "{{instance}}")],
  }),
  graph({
    id: 16, title: "Memory", size: [8, 8], unit: unit.bytes,
    help: "Resident memory of each agent. It grows with open connections and with series, both of which " +
      "have bounds; growth without end is a bug worth reporting.",
    queries: [query(`process_resident_memory_bytes{${agents}}`, "{{instance}}")],
  }),
  graph({
    id: 17, title: "Open files", size: [8, 8], unit: unit.ratio, max: 1, steps: ["green", [0.8, "red"]],
    help: "Open file descriptors, mostly connections, as a share of what the process may open. Over the " +
      "dashed line: raise the limit (LimitNOFILE) or bound the clients.",
    queries: [query(`process_open_fds{${agents}} / process_max_fds{${agents}}`, "{{instance}}")],
  }),
  graph({
    id: 18, title: "Scrape time", size: [8, 8], unit: unit.seconds,
    help: "How long Prometheus waits for the page of each agent. Toward the scrape timeout of 10 s " +
      "readings get lost: fewer series, or a longer interval.",
    queries: [query(`scrape_duration_seconds{${agents}}`, "{{instance}}")],
  }),
  graph({
    id: 19, title: "Series per scrape", size: [8, 8], unit: unit.count,
    help: "Samples on the page of each agent. The agent bounds them (10,000 by default); steps are new " +
      "keys, resources or APIs.",
    queries: [query(`scrape_samples_scraped{${agents}}`, "{{instance}}")],
  }));

const polls = row(20, "Do its polls work?",
  table({
    id: 21, title: "Polls, failing first", size: [12, 8], unit: unit.count,
    help: "Each polled API and key: whether the last poll worked, when one last did, how often it is " +
      "asked and how long it took. An age of many intervals: the quota shown is stale; see the agent's " +
      "log for the reason.",
    queries: [
      query(`1 - min by (api, key) (apiquota_poll_success{${apis}})`),
      query(`time() - min by (api, key) (apiquota_poll_last_success_timestamp_seconds{${apis}})`),
      query(`min by (api, key) (apiquota_poll_interval_seconds{${apis}})`),
      query(`max by (api, key) (apiquota_poll_duration_seconds{${apis}})`),
    ],
    worst: valueOf("A"),
    link: rowLink("Open this API", "api", "key"),
    columns: [
      { field: "api", title: "API", linked: true },
      { field: "key", title: "Key" },
      { field: valueOf("A"), title: "Works", words: { 0: ["yes", "green"], 1: ["no", "red"] }, width: 80 },
      { field: valueOf("B"), title: "Last success", unit: unit.seconds },
      { field: valueOf("C"), title: "Every", unit: unit.seconds, width: 90 },
      { field: valueOf("D"), title: "Took", unit: unit.seconds, width: 90 },
    ],
    empty: "No API is polled.",
  }),
  graph({
    id: 27, title: "Cost of polls", size: [6, 8], unit: unit.perMinute,
    help: "What the polls themselves take from each API's quota, as its exporter file prices one. Free " +
      "polls are at 0. If it weighs beside the limit, poll less often.",
    queries: [query(perMinute("api, unit", `apiquota_poll_cost_total{${apis}}`), "{{api}} {{unit}}")],
    empty: "No API is polled.",
  }),
  graph({
    id: 22, title: "Credentials refused", size: [6, 8], unit: unit.requestsPerMinute, stacked: true,
    help: "Answers by which an API rejected a credential, in polls and in clients' requests. Any that " +
      "last: the key has expired, was revoked or lacks a permission.",
    queries: [query(moved("api, key", `apiquota_auth_failures_total{${apis}}`), "{{api}} {{key}}")],
    empty: "No credential was refused.",
  }));

const lost = row(23, "What is lost?",
  graph({
    id: 24, title: "Unread signals by field", size: [6, 8], unit: unit.perMinute, stacked: true,
    help: "Rate-limit fields that could not be read or could not be true, by API and field. Any that " +
      "last: the API changed its words; `apiquota explain` on a response says what is not understood.",
    queries: [query(moved("api, field", `apiquota_parse_errors_total{${apis}}`), "{{api}} {{field}}")],
    empty: "Everything was read.",
  }),
  graph({
    id: 25, title: "Series dropped by API", size: [6, 8], unit: unit.perMinute, stacked: true,
    help: "Series left out or counted under \"other\" because the API had used up its share or one of its " +
      "caps; some keys or resources are not shown. Raise the bound in the configuration, or see who makes " +
      "so many.",
    queries: [query(moved("api, family", `apiquota_series_dropped_total{${apis}}`), "{{api}} {{family}}")],
    empty: "Nothing was dropped.",
  }),
  graph({
    id: 28, title: "Two limiters under one name", size: [6, 8], unit: unit.perMinute, stacked: true,
    help: "Readings that contradicted another one of the same quota; the stricter is shown. Any that last: " +
      "two limits of the API share a name, and its exporter file should tell them apart.",
    queries: [query(`60 * max by (api) (${rate(conflicts)}) > 0`, "{{api}}")],
    empty: "No quota was contradicted.",
  }),
  graph({
    id: 26, title: "Log lines dropped", size: [6, 8], unit: unit.perMinute,
    help: "Lines thrown away because whatever reads the agent's stderr was too slow. Any at all: the log " +
      "has holes; look at the collector.",
    queries: [query(perMinute("instance", `apiquota_log_dropped_total{${agents}}`), "{{instance}}")],
  }));

export const agent = dashboard({
  name: "agent",
  title: "Agent",
  help: "The agents themselves: their traffic, what they cost, their polls, and what is lost.",
  variables: [...agentVariables, variable({ name: "api", label: "API", query: apiQuery })],
  annotations: [restarts],
  links: [toOverview, toApi, toGuard],
  rows: [well, traffic, cost, polls, lost],
});
