// Writes metric families as Prometheus text (version 0.0.4), byte for byte as prometheus-cpp's TextSerializer
// does, at a tenth of its cost: a scrape of thousands of series is made of these calls. Label values are made
// valid on the way (label_text.h). Not thread-safe: one page, one writer. The text is the writer's own.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <utility>

namespace apiquota::expose {

class MetricsWriter {
 public:
  // What stands between the braces of a sample, `le` left out; written once for all samples that share it.
  static void AddLabel(std::string_view name, std::string_view value, std::string* labels);

  // HELP and TYPE; the samples that follow are this family's. A family without samples leaves no trace.
  void BeginFamily(std::string_view name, std::string_view help, prometheus::MetricType type);

  // `labels` is what AddLabel wrote; empty: none.
  void AddSample(std::string_view labels, double value);
  void AddHistogram(std::string_view labels, const prometheus::ClientMetric::Histogram& histogram);

  void AddFamily(const prometheus::MetricFamily& family);

  std::string Take() { return std::move(text_); }

 private:
  void Head();
  void Line(std::string_view suffix, std::string_view labels, std::string_view le, double value);

  std::string text_;
  std::string name_, help_;
  prometheus::MetricType type_ = prometheus::MetricType::Untyped;
  bool head_written_ = false;
};

}  // namespace apiquota::expose
