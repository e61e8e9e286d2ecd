#include "expose/metrics_writer.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <limits>
#include <vector>

namespace apiquota::expose {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string Written(const MetricFamily& family) {
  MetricsWriter writer;
  writer.AddFamily(family);
  return writer.Take();
}

std::string Library(const MetricFamily& family) { return prometheus::TextSerializer().Serialize({family}); }

MetricFamily Gauges(const std::vector<double>& values) {
  MetricFamily family{"g", "Gauges.", MetricType::Gauge, {}};
  for (size_t i = 0; i < values.size(); ++i) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = {{"i", std::to_string(i)}};
    metric.gauge.value = values[i];
  }
  return family;
}

TEST(MetricsWriterTest, NumbersReadAsTheLibraryWritesThem) {
  std::vector<double> values = {0,
                                1,
                                -1,
                                42,
                                0.1,
                                0.25,
                                -0.5,
                                1e-5,
                                2.5e-5,
                                1e15,
                                1e16,
                                1e17,
                                123456789012345678.0,
                                1'700'001'800.25,
                                1'700'001'800.123456,
                                1e300,
                                -1e300,
                                5e-324,
                                1.0 / 3,
                                9007199254740993.0,
                                999999999999999.0,
                                -999999999999999.0,
                                100000,
                                1e6,
                                0.0001};
  for (int i = 0; i < 2000; ++i) values.push_back(std::ldexp(1 + i / 2000.0, i % 120 - 60));
  values.push_back(std::numeric_limits<double>::infinity());
  values.push_back(-std::numeric_limits<double>::infinity());
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(Written(Gauges(values)), Library(Gauges(values)));
}

TEST(MetricsWriterTest, AHistogramReadsAsTheLibraryWritesIt) {
  MetricFamily family{"h_seconds", "Times.", MetricType::Histogram, {}};
  for (const bool labelled : {false, true}) {
    ClientMetric& metric = family.metric.emplace_back();
    if (labelled) metric.label = {{"api", "a\"b\\c\nd"}, {"phase", ""}};
    metric.histogram = {7, 1.25, {{1, 1e-5}, {4, 0.25}, {7, std::numeric_limits<double>::infinity()}}};
  }
  EXPECT_EQ(Written(family), Library(family));
}

TEST(MetricsWriterTest, ACounterReadsAsTheLibraryWritesIt) {
  MetricFamily family{"c_total", "Counts.", MetricType::Counter, {}};
  family.metric.emplace_back().counter.value = 3;
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = {{"a", "ü"}};
  metric.counter.value = 18446744073709551615.0;
  EXPECT_EQ(Written(family), Library(family));
}

TEST(MetricsWriterTest, AFamilyWithoutSamplesLeavesNoTrace) {
  EXPECT_EQ(Written({"c_total", "Counts.", MetricType::Counter, {}}), "");
}

TEST(MetricsWriterTest, BytesThatAreNoTextAreMadeVisible) {
  std::string labels;
  MetricsWriter::AddLabel("a", "x\xFFy", &labels);
  MetricsWriter::AddLabel("b", "z", &labels);
  EXPECT_EQ(labels, R"(a="x\\xFFy",b="z")");
}

}  // namespace
}  // namespace apiquota::expose
