// What the dashboards share: selectors, the labels of a quota, thresholds, links. The thresholds are those of
// alerts/thresholds.rules.yaml; a test holds the two together.
import { annotation, Steps, variable } from "./kit";

export const useSteps: Steps = ["green", [0.8, "orange"], [0.9, "red"]];
export const throttledSteps: Steps = ["green", [0.05, "orange"]];
export const noneIsGood: Steps = ["green", [1, "red"]];
export const anyIsALook: Steps = ["green", [1, "orange"]];

// A quota is shared state: agents that watch one credential report the same thing. Readings are combined with
// max by and min by these labels, never with sum.
export const quota = "api, key, resource, quota, unit";

export const agents = 'job=~"$job", instance=~"$instance"';
export const apis = `${agents}, api=~"$api"`;
export const keys = `${apis}, key=~"$key"`;
export const resources = `${keys}, resource=~"$resource"`;

export const rate = (counter: string) => `rate(${counter}[$__rate_interval])`;
export const perMinute = (labels: string, counter: string) => `60 * sum by (${labels}) (${rate(counter)})`;
// Only what moved: what stands still only fills the legend.
export const moved = (labels: string, counter: string) => `${perMinute(labels, counter)} > 0`;
// Without the NaN of a time in which nothing was observed.
export const quantile = (share: number, labels: string, buckets: string) =>
  `histogram_quantile(${share}, sum by (${labels}) (${rate(buckets)})) >= 0`;
// In the time that the dashboard shows.
export const inAll = (counter: string) => `sum(increase(${counter}[$__range])) or vector(0)`;
// To a moment that is yet to come; a bucket's reset may be past, when it is full.
export const left = (timestamp: string) => `${timestamp} - time() > 0`;

export const agentVariables = [
  variable({ name: "job", label: "Job", query: "label_values(apiquota_build_info, job)" }),
  variable({
    name: "instance", label: "Instance", query: 'label_values(apiquota_build_info{job=~"$job"}, instance)',
  }),
];
export const apiQuery = `label_values(apiquota_api_info{${agents}}, api)`;

const kept = "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}";
export const toOverview = { title: "Overview", url: `/d/apiquota-overview?${kept}` };
export const toApi = { title: "API", url: `/d/apiquota-api?${kept}` };
export const toGuard = { title: "Guard", url: `/d/apiquota-guard?${kept}` };
export const toAgent = { title: "Agent", url: `/d/apiquota-agent?${kept}` };

// From a table's row to the dashboard of its API, with the row's labels.
export const rowLink = (title: string, ...labels: string[]) => {
  const values = labels.map((label) => `var-${label}=\${__data.fields.${label}}`).join("&");
  return { title, url: `${toApi.url}&${values}&\${__url_time_range}` };
};

export const restarts = annotation({
  name: "Agent restarts",
  color: "blue",
  expr: `changes(process_start_time_seconds{${agents}}[$__rate_interval]) > 0`,
  title: "Agent restarted",
  text: "{{instance}}",
});

// With the selectors of the dashboard that shows them.
export const throttles = (selector: string) =>
  annotation({
    name: "Throttles",
    color: "red",
    expr: `sum by (api, scope) (increase(apiquota_throttles_total{${selector}}[$__rate_interval])) > 0`,
    title: "Throttled",
    text: "{{api}} {{scope}}",
  });

export const limitChanges = (selector: string) => {
  const changes = `increase(apiquota_quota_limit_changes_total{${selector}}[$__rate_interval])`;
  return annotation({
    name: "Limit changes",
    color: "purple",
    expr: `max by (${quota}) (${changes}) > 0`,
    title: "Limit changed",
    text: "{{api}} {{resource}} {{quota}}",
  });
};
