#include "expose/quota_families.h"

#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"

namespace apiquota::expose {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using quota::QuotaView;

MetricsWriter::Labels LabelsOf(const quota::QuotaId& id) {
  MetricsWriter::Labels labels;
  MetricsWriter::AddLabel("api", id.api, &labels);
  MetricsWriter::AddLabel("key", id.key, &labels);
  MetricsWriter::AddLabel("resource", id.resource, &labels);
  MetricsWriter::AddLabel("quota", id.quota, &labels);
  MetricsWriter::AddLabel("unit", id.unit, &labels);
  return labels;
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

// The snapshot with the labels of each of its quotas, made once.
struct Labelled {
  const quota::Snapshot& snapshot;
  std::vector<MetricsWriter::Labels> labels;
};

void WriteRow(const Row& row, const Labelled& quotas, MetricsWriter& writer) {
  writer.BeginFamily(row.name, row.help, row.type);
  for (size_t i = 0; i < quotas.labels.size(); ++i) {
    const std::optional<double> value = row.value(quotas.snapshot.quotas[i]);
    if (value) writer.AddSample(quotas.labels[i], *value);
  }
}

constexpr std::string_view kInfo = "apiquota_quota_info";
constexpr std::string_view kPeaks = "apiquota_quota_window_peak_used_ratio";

void WriteInfo(const Labelled& quotas, MetricsWriter& writer) {
  writer.BeginFamily(kInfo, "Facts about the quota that do not change, as labels; always 1.",
                     MetricType::Gauge);
  for (size_t i = 0; i < quotas.labels.size(); ++i) {
    const QuotaView& view = quotas.snapshot.quotas[i];
    MetricsWriter::Labels labels = quotas.labels[i];
    MetricsWriter::AddLabel("exporter", view.exporter, &labels);
    MetricsWriter::AddLabel("kind", ToText(view.kind), &labels);
    writer.AddSample(labels, 1);
  }
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

void WritePeaks(const Labelled& quotas, MetricsWriter& writer) {
  writer.BeginFamily(
      kPeaks,
      "Highest share used in each window that closed, for windows under 30 minutes: what happens "
      "between two scrapes stays visible.",
      MetricType::Histogram);
  for (size_t i = 0; i < quotas.labels.size(); ++i) {
    const std::optional<quota::PeakHistogram>& peaks = quotas.snapshot.quotas[i].window_peaks;
    if (peaks) writer.AddHistogram(quotas.labels[i], Cumulative(*peaks));
  }
}

}  // namespace

std::vector<WritableFamily> QuotaFamilies(const quota::Snapshot& snapshot) {
  const auto quotas = std::make_shared<Labelled>(Labelled{snapshot, {}});
  for (const QuotaView& view : snapshot.quotas) quotas->labels.push_back(LabelsOf(view.id));
  std::vector<WritableFamily> families;
  for (const Row& row : kRows) {
    families.push_back({row.name, [&row, quotas](MetricsWriter& writer) { WriteRow(row, *quotas, writer); }});
  }
  families.push_back({kInfo, [quotas](MetricsWriter& writer) { WriteInfo(*quotas, writer); }});
  families.push_back({kPeaks, [quotas](MetricsWriter& writer) { WritePeaks(*quotas, writer); }});
  return families;
}

}  // namespace apiquota::expose
