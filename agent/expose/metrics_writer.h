// A page of Prometheus text (version 0.0.4), one family after the other, by prometheus-cpp's serializer: no
// more than one family stands in the library's values at a time, since those of a whole page are many times
// its text. Label values are made valid on the way (label_text.h). Not thread-safe: one page, one writer.
#pragma once

#include <prometheus/metric_family.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota::expose {

class MetricsWriter {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;

  static void AddLabel(std::string_view name, std::string_view value, Labels* labels);

  // The samples that follow are this family's. A family without samples leaves no trace.
  void BeginFamily(std::string_view name, std::string_view help, prometheus::MetricType type);

  void AddSample(const Labels& labels, double value);
  void AddHistogram(const Labels& labels, prometheus::ClientMetric::Histogram histogram);

  void AddFamily(prometheus::MetricFamily family);

  std::string Take();

 private:
  void Flush();

  std::ostringstream text_;
  prometheus::MetricFamily family_;  // being collected
};

}  // namespace apiquota::expose
