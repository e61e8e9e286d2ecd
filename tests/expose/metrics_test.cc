#include "expose/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "expose/label_text.h"
#include "metrics/agent_metrics.h"
#include "tests/expose/golden.h"
#include "tests/expose/sample_page.h"

namespace apiquota::expose {
namespace {

// The whole page, every family on it.
TEST(MetricsTest, ThePageIsTheGoldenOne) { EXPECT_TRUE(IsGolden("metrics.txt", MetricsText(SamplePage()))); }

TEST(MetricsTest, EveryFamilyTheAgentCountsIsOnTheGoldenPage) {
  metrics::Registry registry;
  const metrics::AgentMetrics metrics(registry);
  const std::string golden = GoldenText("metrics.txt");
  registry.ForEachFamily([&](const auto& family) {
    const std::string& name = family.options().name;
    EXPECT_NE(golden.find("# TYPE " + name + " "), std::string::npos) << name;
  });
}

TEST(MetricsTest, PromtoolAcceptsTheGoldenPage) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "SKIPPED: promtool is not installed";
  const std::string command = "promtool check metrics <'" + GoldenPath("metrics.txt") + "' >&2";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(MetricsTest, AnEmptyLedgerHasNoQuotaSeries) {
  MetricsPage page;
  page.agent = {"1.2.3", "abc", true, SystemTime(std::chrono::seconds(1'700'000'000)), 0};
  EXPECT_EQ(MetricsText(page),
            "# HELP apiquota_build_info Version and source revision of the agent; always 1.\n"
            "# TYPE apiquota_build_info gauge\n"
            "apiquota_build_info{version=\"1.2.3\",revision=\"abc\"} 1\n"
            "# HELP apiquota_config_last_reload_success_timestamp_seconds When the configuration in use was "
            "loaded.\n"
            "# TYPE apiquota_config_last_reload_success_timestamp_seconds gauge\n"
            "apiquota_config_last_reload_success_timestamp_seconds 1700000000\n"
            "# HELP apiquota_config_last_reload_successful 1 if the last load of the configuration "
            "succeeded, 0 if the "
            "one before it is still in use.\n"
            "# TYPE apiquota_config_last_reload_successful gauge\n"
            "apiquota_config_last_reload_successful 1\n"
            "# HELP apiquota_log_dropped_total Log lines dropped because stderr was too slow.\n"
            "# TYPE apiquota_log_dropped_total counter\n"
            "apiquota_log_dropped_total 0\n");
}

std::string FamilyText(const MetricsPage& page, const std::string& name) {
  std::string lines;
  const std::string text = MetricsText(page);
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (text.compare(at, name.size(), name) == 0) lines += text.substr(at, end - at + 1);
    at = end + 1;
  }
  return lines;
}

TEST(MetricsTest, AnExpiredReadingLeavesOnlyWhatIsStillTrue) {
  MetricsPage page;
  quota::QuotaView view;
  view.id = {"api", "ci", "", "requests", "requests"};
  view.exporter = "generic";
  view.limit = 60;
  view.limit_assumed = true;
  view.window_seconds = 3600;
  view.observed_at = SystemTime(std::chrono::seconds(1'700'000'000));
  view.consumed_total = 12;
  page.snapshot.quotas = {view};
  const std::string q = "{api=\"api\",key=\"ci\",resource=\"\",quota=\"requests\",unit=\"requests\"";
  EXPECT_EQ(FamilyText(page, "apiquota_quota_"),
            "apiquota_quota_consumed_total" + q + "} 12\n" +                               //
                "apiquota_quota_info" + q + ",exporter=\"generic\",kind=\"fixed\"} 1\n" +  //
                "apiquota_quota_limit_changes_total" + q + "} 0\n" +                       //
                "apiquota_quota_observed_timestamp_seconds" + q + "} 1700000000\n" +       //
                "apiquota_quota_windows_exhausted_total" + q + "} 0\n");
}

// The ledger's caps count with these numbers.
TEST(MetricsTest, AQuotaOfWhichAllIsKnownIsAsManySeriesAsItIsTakenFor) {
  MetricsPage page;
  page.snapshot = SampleSnapshot();
  quota::QuotaView view = SampleCore();
  view.exhaustion_at = SampleTime(900);
  view.window_peaks = quota::PeakHistogram{};
  page.snapshot.quotas = {view};
  const std::string lines = FamilyText(page, "apiquota_quota_");
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(lines, '\n')),
            quota::kSeriesPerQuota + quota::kSeriesPerPeaks);
}

TEST(MetricsTest, EveryApiHasTheSameLabels) {
  MetricsPage page;
  page.apis = {{"b", "github", "", "/b", {}, {{"team", "core"}, {"cost-center", "7"}, {"api", "forged"}}},
               {"a", "openai", "", "/a", {}, {{"team", "research"}}}};
  EXPECT_EQ(FamilyText(page, "apiquota_api_info"),
            "apiquota_api_info{api=\"a\",exporter=\"openai\",cost_center=\"\",team=\"research\"} 1\n"
            "apiquota_api_info{api=\"b\",exporter=\"github\",cost_center=\"7\",team=\"core\"} 1\n");
}

TEST(MetricsTest, ALabelValueThatIsNoTextCannotBreakThePage) {
  MetricsPage page;
  page.apis = {{"a", "openai", "", "/a", {}, {{"team", "r\xFF\"\n\\\xC3\xA9"}}}};
  EXPECT_EQ(FamilyText(page, "apiquota_api_info"),
            "apiquota_api_info{api=\"a\",exporter=\"openai\",team=\"r\\\\xFF\\\"\\n\\\\\xC3\xA9\"} 1\n");
}

TEST(LabelTextTest, NamesBecomeWhatPrometheusAccepts) {
  EXPECT_EQ(LabelName("team"), "team");
  EXPECT_EQ(LabelName("cost-center.eu"), "cost_center_eu");
  EXPECT_EQ(LabelName("1st"), "_1st");
  EXPECT_EQ(LabelName("__name__"), "_name__");
  EXPECT_EQ(LabelName("--"), "_");
  EXPECT_EQ(LabelName(""), "_");
}

TEST(LabelTextTest, ValuesAreUtf8AndStayApart) {
  EXPECT_EQ(LabelValue("gpt-4o ünï \xF0\x9F\x98\x80"), "gpt-4o ünï \xF0\x9F\x98\x80");
  EXPECT_EQ(LabelValue("a\xFE"), "a\\xFE");
  EXPECT_EQ(LabelValue("\xC0\x80"), "\\xC0\\x80");                    // overlong
  EXPECT_EQ(LabelValue("\xE0\x9F\xBF"), "\\xE0\\x9F\\xBF");           // overlong
  EXPECT_EQ(LabelValue("\xED\xA0\x80"), "\\xED\\xA0\\x80");           // a surrogate
  EXPECT_EQ(LabelValue("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(LabelValue("\xE2\x82"), "\\xE2\\x82");                    // cut short
}

}  // namespace
}  // namespace apiquota::expose
