#include "expose/metrics_writer.h"

#include <prometheus/text_serializer.h>

#include <utility>

#include "expose/label_text.h"

namespace apiquota::expose {

using prometheus::ClientMetric;
using prometheus::MetricType;

void MetricsWriter::AddLabel(std::string_view name, std::string_view value, Labels* labels) {
  labels->push_back({std::string(name), LabelValue(value)});
}

void MetricsWriter::BeginFamily(std::string_view name, std::string_view help, MetricType type) {
  Flush();
  family_.name = name;
  family_.help = help;
  family_.type = type;
}

void MetricsWriter::AddSample(const Labels& labels, double value) {
  ClientMetric& metric = family_.metric.emplace_back();
  metric.label = labels;
  (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

void MetricsWriter::AddHistogram(const Labels& labels, ClientMetric::Histogram histogram) {
  ClientMetric& metric = family_.metric.emplace_back();
  metric.label = labels;
  metric.histogram = std::move(histogram);
}

void MetricsWriter::AddFamily(prometheus::MetricFamily family) {
  Flush();
  family_ = std::move(family);
  for (ClientMetric& metric : family_.metric) {
    for (ClientMetric::Label& label : metric.label) label.value = LabelValue(label.value);
  }
}

std::string MetricsWriter::Take() {
  Flush();
  return std::move(text_).str();
}

void MetricsWriter::Flush() {
  if (!family_.metric.empty()) prometheus::TextSerializer().Serialize(text_, {family_});
  family_.metric.clear();
}

}  // namespace apiquota::expose
