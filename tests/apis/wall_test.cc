// What observing throws ends there: the process goes on.
#include <gtest/gtest.h>

#include <stdexcept>

#include "apis/observe.h"
#include "provider/catalogue.h"
#include "tests/apis/allocation_budget.h"
#include "tests/metrics/collected.h"

using apiquota::apis::allocations_left;

[[gnu::noinline]] void* operator new(size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left != SIZE_MAX) --allocations_left;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace apiquota::apis {
namespace {

class WallTest : public testing::Test {
 protected:
  WallTest() {
    exchange_.method = "GET";
    exchange_.path = "/v1/models";
    exchange_.status = 429;
    exchange_.received_at = SystemTime(std::chrono::seconds(1'800'000'000));
    for (const std::string_view line : {"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 0",
                                        "x-ratelimit-reset-requests: 20s", "retry-after: soon"}) {
      const size_t colon = line.find(':');
      exchange_.fields.Add(line.substr(0, colon), line.substr(colon + 2));
    }
  }

  double Failures() {
    for (const auto& family : metrics::Collected(registry_)) {
      if (family.name != "apiquota_parse_errors_total") continue;
      for (const auto& metric : family.metric) {
        if (metric.label.back().value == "exception") return metric.counter.value;
      }
    }
    return 0;
  }

  metrics::Registry registry_;
  metrics::AgentMetrics families_{registry_};
  provider::Catalogue exporters_ = *provider::Catalogue::Embedded();
  provider::ExporterPtr exporter_ = exporters_.Find("openai");
  metrics::ApiMetrics api_{families_, "demo", Info(*exporter_), {}};
  metrics::KeyMetrics& key_ = api_.ForKey("anonymous", "");
  http::Exchange exchange_;
};

TEST_F(WallTest, AnExceptionWhileObservingIsCountedAndGoesNoFurther) {
  EXPECT_TRUE(Walled(api_, [] {}));
  EXPECT_EQ(Failures(), 0);
  EXPECT_FALSE(Walled(api_, [] { throw std::runtime_error("what a response said"); }));
  EXPECT_FALSE(Walled(api_, [] { throw 7; }));
  EXPECT_EQ(Failures(), 2);
}

// Memory that runs out at any moment of observing a response.
TEST_F(WallTest, NoAllocationThatFailsWhileObservingEndsTheProcess) {
  const Observed observed{.exporter = *exporter_, .api = api_, .key = key_, .key_label = "anonymous"};
  size_t failed = 0;
  for (size_t allowed = 0; allowed < 1000; ++allowed) {
    quota::Ledger ledger{quota::LedgerOptions{}};
    Observer observer(ledger);
    allocations_left = allowed;
    const provider::Signals signals = observer.Observe(observed, exchange_, exchange_.received_at);
    const bool whole = allocations_left > 0;
    allocations_left = SIZE_MAX;
    if (whole) {
      EXPECT_EQ(ledger.Read(exchange_.received_at).quotas.size(), 1U);
      break;
    }
    ++failed;
  }
  EXPECT_GT(failed, 5U);
  EXPECT_LT(failed, 1000U);
  // Once there is memory again, everything is as it was.
  EXPECT_FALSE(Walled(api_, [] { throw std::bad_alloc(); }));
  EXPECT_GE(Failures(), 1);
}

}  // namespace
}  // namespace apiquota::apis
