#include "expose/metrics_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "expose/label_text.h"

namespace apiquota::expose {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

std::string_view ToText(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

// Sixteen digits at most, as the library writes them; whole numbers, which most values are, the quick way.
void AppendNumber(double value, std::string* text) {
  constexpr double kWholeMax = 1e15;
  constexpr int kDigits = 16;
  if (std::isnan(value)) return void(text->append("Nan"));
  if (std::isinf(value)) return void(text->append(value > 0 ? "+Inf" : "-Inf"));
  std::array<char, 32> buffer;
  const auto whole = static_cast<int64_t>(std::abs(value) < kWholeMax ? value : 0);
  const bool is_whole = static_cast<double>(whole) == value && !std::signbit(value);
  const std::to_chars_result end = is_whole
                                       ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), whole)
                                       : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                                       std::chars_format::general, kDigits);
  text->append(buffer.data(), end.ptr);
}

void AppendEscaped(std::string_view value, std::string* text) {
  for (const char c : value) {
    if (c == '\n') {
      text->append("\\n");
    } else {
      if (c == '\\' || c == '"') text->push_back('\\');
      text->push_back(c);
    }
  }
}

bool IsPlain(std::string_view value) {
  for (const char c : value) {
    if (c < ' ' || c > '~' || c == '\\' || c == '"') return false;
  }
  return true;
}

std::string LabelsOf(const ClientMetric& metric) {
  std::string labels;
  for (const ClientMetric::Label& label : metric.label) {
    MetricsWriter::AddLabel(label.name, label.value, &labels);
  }
  return labels;
}

}  // namespace

void MetricsWriter::AddLabel(std::string_view name, std::string_view value, std::string* labels) {
  if (!labels->empty()) labels->push_back(',');
  labels->append(name).append("=\"");
  if (IsPlain(value)) {
    labels->append(value);
  } else {
    AppendEscaped(LabelValue(value), labels);
  }
  labels->push_back('"');
}

void MetricsWriter::BeginFamily(std::string_view name, std::string_view help, MetricType type) {
  name_ = name;
  help_ = help;
  type_ = type;
  head_written_ = false;
}

void MetricsWriter::Head() {
  head_written_ = true;
  text_.append("# HELP ").append(name_).append(" ").append(help_).append("\n");
  text_.append("# TYPE ").append(name_).append(" ").append(ToText(type_)).append("\n");
}

void MetricsWriter::Line(std::string_view suffix, std::string_view labels, std::string_view le,
                         double value) {
  text_.append(name_).append(suffix);
  if (!labels.empty() || !le.empty()) {
    text_.append("{").append(labels);
    if (!le.empty()) text_.append(labels.empty() ? "le=\"" : ",le=\"").append(le).append("\"");
    text_.append("}");
  }
  text_.push_back(' ');
  AppendNumber(value, &text_);
  text_.push_back('\n');
}

void MetricsWriter::AddSample(std::string_view labels, double value) {
  if (!head_written_) Head();
  Line("", labels, "", value);
}

void MetricsWriter::AddHistogram(std::string_view labels, const ClientMetric::Histogram& histogram) {
  if (!head_written_) Head();
  Line("_count", labels, "", static_cast<double>(histogram.sample_count));
  Line("_sum", labels, "", histogram.sample_sum);
  std::string bound;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    bound.clear();
    AppendNumber(bucket.upper_bound, &bound);
    Line("_bucket", labels, bound, static_cast<double>(bucket.cumulative_count));
  }
}

void MetricsWriter::AddFamily(const prometheus::MetricFamily& family) {
  BeginFamily(family.name, family.help, family.type);
  for (const ClientMetric& metric : family.metric) {
    const std::string labels = LabelsOf(metric);
    if (family.type == MetricType::Histogram) {
      AddHistogram(labels, metric.histogram);
    } else {
      AddSample(labels, family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
    }
  }
}

}  // namespace apiquota::expose
