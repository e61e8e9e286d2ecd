#include "expose/quota_families.h"

#include <limits>
#include <optional>
#include <string>

#include "base/clock.h"

namespace apiquota::expose {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using quota::QuotaView;

std::vector<ClientMetric::Label> Labels(const quota::QuotaId& id) {
  return {
      {"api", id.api}, {"key", id.key}, {"resource", id.resource}, {"quota", id.quota}, {"unit", id.unit}};
}

using Value = std::optional<double> (*)(const QuotaView&);

std::optional<double> Seconds(const std::optional<SystemTime>& time) {
  return time ? std::optional(ToUnixSeconds(*time)) : std::nullopt;
}

// An assumed limit is a guess: the page and the JSON say so, a metric can't.
std::optional<double> WhileValid(const QuotaView& view, std::optional<double> value) {
  return view.valid ? value : std::nullopt;
}

// Calls in progress come back when they end: nothing is consumed.
bool IsConsumed(const QuotaView& view) { return view.kind != provider::QuotaKind::kConcurrency; }

struct Row {
  const char* name;
  const char* help;
  MetricType type;
  Value value;
};

const Row kRows[] = {
    {"apiquota_quota_limit", "What the quota amounts to per window, in its unit, as the API said it.",
     MetricType::Gauge, [](const QuotaView& v) { return WhileValid(v, v.limit); }},
    {"apiquota_quota_remaining",
     "What is left of the quota. Absent once the reading no longer holds: after its reset, else its window, "
     "else 15 "
     "minutes.",
     MetricType::Gauge, [](const QuotaView& v) { return v.remaining; }},
    {"apiquota_quota_used",
     "What is used of the quota, in its unit. Absent once the reading no longer holds.", MetricType::Gauge,
     [](const QuotaView& v) { return v.used; }},
    {"apiquota_quota_used_ratio",
     "Share of the quota that is used; may exceed 1. Absent without a limit and once the reading no longer "
     "holds.",
     MetricType::Gauge, [](const QuotaView& v) { return v.used_ratio; }},
    {"apiquota_quota_reset_timestamp_seconds",
     "When the quota resets; for a bucket, when it will be full. Absent if the API does not say.",
     MetricType::Gauge, [](const QuotaView& v) { return Seconds(v.reset_at); }},
    {"apiquota_quota_window_seconds", "Length of the quota's window; for a bucket, from empty to full.",
     MetricType::Gauge, [](const QuotaView& v) { return WhileValid(v, v.window_seconds); }},
    {"apiquota_quota_observed_timestamp_seconds", "When the API last said something about the quota.",
     MetricType::Gauge, [](const QuotaView& v) { return Seconds(v.observed_at); }},
    {"apiquota_quota_exhaustion_timestamp_seconds",
     "When the quota will be exhausted at the present pace. Absent unless that is before its reset and rests "
     "on three "
     "readings.",
     MetricType::Gauge, [](const QuotaView& v) { return Seconds(v.exhaustion_at); }},
    {"apiquota_quota_consumed_total",
     "What was consumed of the quota since the agent started, by whomever uses the credential. Combine "
     "replicas with "
     "max by, never with sum.",
     MetricType::Counter,
     [](const QuotaView& v) { return IsConsumed(v) ? std::optional(v.consumed_total) : std::nullopt; }},
    {"apiquota_quota_windows_exhausted_total",
     "Windows of the quota that closed after nothing had been left.", MetricType::Counter,
     [](const QuotaView& v) -> std::optional<double> {
       return static_cast<double>(v.windows_exhausted_total);
     }},
    {"apiquota_quota_limit_changes_total",
     "How often the API changed the quota's limit: another plan or policy.", MetricType::Counter,
     [](const QuotaView& v) -> std::optional<double> { return static_cast<double>(v.limit_changes_total); }},
};

MetricFamily Render(const Row& row, const quota::Snapshot& snapshot) {
  MetricFamily family{row.name, row.help, row.type, {}};
  for (const QuotaView& view : snapshot.quotas) {
    const std::optional<double> value = row.value(view);
    if (!value) continue;
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = Labels(view.id);
    (row.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
  }
  return family;
}

MetricFamily Info(const quota::Snapshot& snapshot) {
  MetricFamily family{"apiquota_quota_info",
                      "Facts about the quota that do not change, as labels; always 1.",
                      MetricType::Gauge,
                      {}};
  for (const QuotaView& view : snapshot.quotas) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = Labels(view.id);
    metric.label.push_back({"exporter", view.exporter});
    metric.label.push_back({"kind", std::string(ToText(view.kind))});
    metric.gauge.value = 1;
  }
  return family;
}

ClientMetric::Histogram Cumulative(const quota::PeakHistogram& peaks) {
  ClientMetric::Histogram histogram;
  for (size_t i = 0; i < peaks.counts.size(); ++i) {
    histogram.sample_count += peaks.counts[i];
    const bool last = i == quota::kPeakBounds.size();
    histogram.bucket.push_back(
        {histogram.sample_count, last ? std::numeric_limits<double>::infinity() : quota::kPeakBounds[i]});
  }
  histogram.sample_sum = peaks.sum;
  return histogram;
}

MetricFamily Peaks(const quota::Snapshot& snapshot) {
  MetricFamily family{
      "apiquota_quota_window_peak_used_ratio",
      "Highest share used in each window that closed, for windows under 30 minutes: what happens "
      "between two scrapes stays visible.",
      MetricType::Histogram,
      {}};
  for (const QuotaView& view : snapshot.quotas) {
    if (!view.window_peaks) continue;
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = Labels(view.id);
    metric.histogram = Cumulative(*view.window_peaks);
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> QuotaFamilies(const quota::Snapshot& snapshot) {
  std::vector<MetricFamily> families;
  for (const Row& row : kRows) families.push_back(Render(row, snapshot));
  families.push_back(Info(snapshot));
  families.push_back(Peaks(snapshot));
  return families;
}

}  // namespace apiquota::expose
