// ExtractSignals is in the path of every request: an ordinary response costs one allocation, the readings.
#include <gtest/gtest.h>

#include "tests/allocations.h"
#include "tests/provider/signal_lines.h"

namespace apiquota::provider {
namespace {

// How many allocations it takes to read the response for its limits, and how many quotas are found.
std::pair<size_t, size_t> Cost(const std::string& name, const http::Exchange& exchange) {
  const ExporterPtr exporter = Catalogue::Embedded()->Find(name);
  const size_t before = allocations;
  const Signals signals = ExtractSignals(*exporter, exchange, Unknown::kPassOver);
  return {allocations - before, signals.readings.size()};
}

TEST(ExtractHotPathTest, AnOrdinaryResponseCostsOneAllocation) {
  http::Exchange openai = Answer(200, {{"Content-Type", "application/json"},
                                       {"openai-processing-ms", "512"},
                                       {"x-ratelimit-limit-requests", "10000"},
                                       {"x-ratelimit-limit-tokens", "2000000"},
                                       {"x-ratelimit-remaining-requests", "9999"},
                                       {"x-ratelimit-remaining-tokens", "1999744"},
                                       {"x-ratelimit-reset-requests", "6ms"},
                                       {"x-ratelimit-reset-tokens", "7ms"},
                                       {"x-ratelimit-unheard-of", "1"}});
  openai.request_body = {{"/model", "gpt-4o-mini"}};
  EXPECT_EQ(Cost("openai", openai), std::pair(size_t{1}, size_t{2}));
  const http::Exchange github = Answer(200, {{"Server", "github.com"},
                                             {"X-RateLimit-Limit", "5000"},
                                             {"X-RateLimit-Remaining", "4987"},
                                             {"X-RateLimit-Reset", "1718238600"},
                                             {"X-RateLimit-Used", "13"},
                                             {"X-RateLimit-Resource", "core"}});
  EXPECT_EQ(Cost("github", github), std::pair(size_t{1}, size_t{1}));
}

TEST(ExtractHotPathTest, AResponseWithoutLimitsCostsNone) {
  EXPECT_EQ(Cost("openai", Answer(200, {{"Content-Type", "application/json"}, {"Server", "cloudflare"}})),
            std::pair(size_t{0}, size_t{0}));
}

}  // namespace
}  // namespace apiquota::provider
