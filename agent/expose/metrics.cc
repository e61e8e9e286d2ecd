#include "expose/metrics.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "expose/guard_families.h"
#include "expose/label_text.h"
#include "expose/metrics_writer.h"
#include "expose/quota_families.h"

namespace apiquota::expose {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Single(std::string name, std::string help, MetricType type, std::optional<double> value,
                    std::vector<ClientMetric::Label> labels = {}) {
  MetricFamily family{std::move(name), std::move(help), type, {}};
  if (!value) return family;
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
  return family;
}

// The operator's labels under names Prometheus accepts; "api" and "exporter" are ours, of two that become one
// the first is kept.
std::map<std::string, std::string> OperatorLabels(const ApiFacts& api) {
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : api.labels) labels.try_emplace(LabelName(name), value);
  labels.erase("api");
  labels.erase("exporter");
  return labels;
}

// Every api has every label, empty where the operator gave none: one family, one label set.
MetricFamily ApiInfo(const std::vector<ApiFacts>& apis) {
  std::set<std::string> names;
  for (const ApiFacts& api : apis) {
    for (const auto& [name, value] : OperatorLabels(api)) names.insert(name);
  }
  MetricFamily family{"apiquota_api_info",
                      "Configured APIs with the operator's labels, to be joined for routing; always 1.",
                      MetricType::Gauge,
                      {}};
  for (const ApiFacts& api : apis) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = {{"api", api.name}, {"exporter", api.exporter}};
    const std::map<std::string, std::string> labels = OperatorLabels(api);
    for (const std::string& name : names) {
      const auto found = labels.find(name);
      metric.label.push_back({name, found == labels.end() ? "" : found->second});
    }
    metric.gauge.value = 1;
  }
  std::ranges::sort(family.metric, {}, &ClientMetric::label);
  return family;
}

// Only of apis that sent some: a page does not list what is well.
MetricFamily UnreadLimitHeaders(const std::vector<ApiFacts>& apis) {
  MetricFamily family{
      "apiquota_unread_limit_headers",
      "Headers of the API's answers that look like limits and that its exporter does not describe, "
      "by name, 20 at most; /api/v1/apis names them. Absent: none was seen.",
      MetricType::Gauge,
      {}};
  for (const ApiFacts& api : apis) {
    if (api.unread_limit_headers.empty()) continue;
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = {{"api", api.name}};
    metric.gauge.value = static_cast<double>(api.unread_limit_headers.size());
  }
  std::ranges::sort(family.metric, {}, &ClientMetric::label);
  return family;
}

// A target that is no longer configured is no longer on the page; what has not happened yet is absent.
void AddPolls(const std::vector<PollFacts>& polls, std::vector<MetricFamily>* families) {
  MetricFamily success{
      "apiquota_poll_success",
      "1 if the last poll got what it asked for (2xx, or a refusal that says what is left), else 0.",
      MetricType::Gauge,
      {}};
  MetricFamily duration{
      "apiquota_poll_duration_seconds", "How long the last poll took.", MetricType::Gauge, {}};
  MetricFamily interval{"apiquota_poll_interval_seconds",
                        "How often the API is polled if all is well, as configured.",
                        MetricType::Gauge,
                        {}};
  MetricFamily last_success{"apiquota_poll_last_success_timestamp_seconds",
                            "When the last successful poll began. Absent until there is one.",
                            MetricType::Gauge,
                            {}};
  const auto add = [](const PollFacts& poll, double value, MetricFamily* family) {
    ClientMetric& metric = family->metric.emplace_back();
    metric.label = {{"api", poll.api}, {"key", poll.key}};
    metric.gauge.value = value;
  };
  for (const PollFacts& poll : polls) {
    add(poll, poll.interval_seconds, &interval);
    if (poll.last) add(poll, poll.last->success ? 1 : 0, &success);
    if (poll.last) add(poll, poll.last->duration_seconds, &duration);
    if (poll.last_success_at) add(poll, ToUnixSeconds(*poll.last_success_at), &last_success);
  }
  for (MetricFamily* family : {&success, &duration, &interval, &last_success}) {
    families->push_back(std::move(*family));
  }
}

void AddAgent(const AgentFacts& agent, std::vector<MetricFamily>* families) {
  const auto gauge = MetricType::Gauge;
  families->push_back(Single("apiquota_build_info", "Version and source revision of the agent; always 1.",
                             gauge, 1, {{"version", agent.version}, {"revision", agent.revision}}));
  families->push_back(
      Single("apiquota_config_last_reload_successful",
             "1 if the last load of the configuration succeeded, 0 if the one before it is still in use.",
             gauge, agent.last_reload_successful ? 1 : 0));
  families->push_back(Single("apiquota_config_last_reload_success_timestamp_seconds",
                             "When the configuration in use was loaded.", gauge,
                             ToUnixSeconds(agent.last_reload_success)));
  families->push_back(Single("apiquota_log_dropped_total", "Log lines dropped because stderr was too slow.",
                             MetricType::Counter, static_cast<double>(agent.log_lines_dropped)));
}

void AddProcess(const ProcessStats& stats, std::vector<MetricFamily>* families) {
  const auto gauge = MetricType::Gauge;
  families->push_back(Single("process_cpu_seconds_total", "Processor time spent, user and system.",
                             MetricType::Counter, stats.cpu_seconds));
  families->push_back(
      Single("process_resident_memory_bytes", "Memory held in RAM.", gauge, stats.resident_bytes));
  families->push_back(
      Single("process_virtual_memory_bytes", "Address space in use.", gauge, stats.virtual_bytes));
  families->push_back(Single("process_open_fds", "Open file descriptors.", gauge, stats.open_fds));
  families->push_back(
      Single("process_max_fds", "Most file descriptors the process may open.", gauge, stats.max_fds));
  families->push_back(
      Single("process_start_time_seconds", "When the process started.", gauge, stats.start_time_seconds));
  families->push_back(Single("process_threads", "Threads of the process.", gauge, stats.threads));
}

void WriteChild(const MetricsWriter::Labels& labels, const metrics::Counter& counter, MetricsWriter& writer) {
  writer.AddSample(labels, static_cast<double>(counter.Value()));
}

void WriteChild(const MetricsWriter::Labels& labels, const metrics::Histogram& histogram,
                MetricsWriter& writer) {
  writer.AddHistogram(labels, histogram.Collect());
}

template <class Metric>
void WriteCounted(const metrics::Family<Metric>& family, MetricsWriter& writer) {
  const metrics::FamilyOptions& options = family.options();
  writer.BeginFamily(
      options.name, options.help,
      std::is_same_v<Metric, metrics::Histogram> ? MetricType::Histogram : MetricType::Counter);
  MetricsWriter::Labels labels;
  family.ForEach([&](const std::vector<std::string>& values, const Metric& child) {
    labels.clear();
    for (size_t i = 0; i < values.size(); ++i) MetricsWriter::AddLabel(options.labels[i], values[i], &labels);
    WriteChild(labels, child, writer);
  });
}

void AddCounted(const metrics::Registry& registry, std::vector<WritableFamily>* families) {
  registry.ForEachFamily([&](const auto& family) {
    families->push_back(
        {family.options().name, [&family](MetricsWriter& writer) { WriteCounted(family, writer); }});
  });
}

}  // namespace

std::string MetricsText(const MetricsPage& page) {
  std::vector<WritableFamily> writable = QuotaFamilies(page.snapshot);
  if (page.counted != nullptr) AddCounted(*page.counted, &writable);
  std::vector<MetricFamily> families;
  families.push_back(ApiInfo(page.apis));
  families.push_back(UnreadLimitHeaders(page.apis));
  AddPolls(page.polls, &families);
  for (MetricFamily& family : GuardFamilies(page.guard, page.snapshot.at))
    families.push_back(std::move(family));
  AddAgent(page.agent, &families);
  AddProcess(page.process, &families);
  for (const MetricFamily& family : families) {
    writable.push_back({family.name, [&family](MetricsWriter& writer) { writer.AddFamily(family); }});
  }
  std::ranges::sort(writable, {}, &WritableFamily::name);
  MetricsWriter writer;
  for (const WritableFamily& family : writable) family.write(writer);
  return writer.Take();
}

}  // namespace apiquota::expose
