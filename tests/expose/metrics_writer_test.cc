#include "expose/metrics_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace apiquota::expose {
namespace {

using prometheus::MetricType;

TEST(MetricsWriterTest, FamiliesStandOneAfterTheOther) {
  MetricsWriter writer;
  writer.BeginFamily("c_total", "Counts.", MetricType::Counter);
  writer.AddSample({{"a", "1"}}, 3);
  writer.BeginFamily("h", "Times.", MetricType::Histogram);
  writer.AddHistogram({}, {2, 1.5, {{1, 0.5}, {2, std::numeric_limits<double>::infinity()}}});
  writer.AddFamily({"g", "Gauges.", MetricType::Gauge, {{}}});
  EXPECT_EQ(writer.Take(),
            "# HELP c_total Counts.\n# TYPE c_total counter\nc_total{a=\"1\"} 3\n"
            "# HELP h Times.\n# TYPE h histogram\nh_count 2\nh_sum 1.5\n"
            "h_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
            "# HELP g Gauges.\n# TYPE g gauge\ng 0\n");
}

TEST(MetricsWriterTest, AFamilyWithoutSamplesLeavesNoTrace) {
  MetricsWriter writer;
  writer.BeginFamily("c_total", "Counts.", MetricType::Counter);
  writer.AddFamily({"g", "Gauges.", MetricType::Gauge, {}});
  EXPECT_EQ(writer.Take(), "");
}

TEST(MetricsWriterTest, BytesThatAreNoTextAreMadeVisible) {
  MetricsWriter::Labels labels;
  MetricsWriter::AddLabel("a", "x\xFFy", &labels);
  EXPECT_EQ(labels[0].value, "x\\xFFy");
}

}  // namespace
}  // namespace apiquota::expose
