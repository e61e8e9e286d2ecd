#include "net/resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>

namespace apiquota::net {
namespace {

using std::chrono::seconds;

class FakeClock final : public Clock {
 public:
  SystemTime SystemNow() const override { return SystemTime(); }
  SteadyTime SteadyNow() const override { return SteadyTime(seconds(1'000'000 + at_.load())); }
  void Pass(int64_t s) { at_ += s; }

 private:
  std::atomic<int64_t> at_{0};
};

// Names in memory; every lookup is counted and can be waited for.
class ResolverTest : public testing::Test {
 protected:
  Addresses Lookup(const std::string& host) {
    const std::lock_guard lock(mutex_);
    ++lookups_;
    const auto found = names_.find(host);
    return found == names_.end() ? Addresses{} : found->second;
  }
  void Set(const std::string& host, const Addresses& addresses) {
    const std::lock_guard lock(mutex_);
    names_[host] = addresses;
  }
  int Lookups() {
    const std::lock_guard lock(mutex_);
    return lookups_;
  }
  // The answer, from the cache or from the lookup's callback.
  Addresses Resolve(const std::string& host) {
    std::promise<Addresses> promise;
    if (auto known = resolver_.Resolve(host, [&](const Addresses& a) { promise.set_value(a); }))
      return *known;
    return promise.get_future().get();
  }
  // A refresh in the background has been answered once a lookup queued behind it is.
  void WaitForRefresh() { Resolve("barrier-" + std::to_string(++barriers_)); }

  static Addresses One(std::string_view text) { return {*IpAddress::Parse(text)}; }

  FakeClock clock_;
  std::mutex mutex_;
  std::map<std::string, Addresses> names_;
  int lookups_ = 0;
  int barriers_ = 0;
  Resolver resolver_{clock_, {.threads = 1}, [this](const std::string& host) { return Lookup(host); }};
};

TEST_F(ResolverTest, LiteralsNeedNoLookup) {
  EXPECT_EQ(Resolve("10.1.2.3"), One("10.1.2.3"));
  EXPECT_EQ(Resolve("::1"), One("::1"));
  EXPECT_EQ(Lookups(), 0);
}

TEST_F(ResolverTest, AFreshAnswerIsUsedAgain) {
  Set("a.test", One("1.1.1.1"));
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
  Set("a.test", One("2.2.2.2"));
  clock_.Pass(29);
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
  EXPECT_EQ(Lookups(), 1);
}

TEST_F(ResolverTest, AnOldAnswerIsUsedWhileANewOneIsFetched) {
  Set("a.test", One("1.1.1.1"));
  Resolve("a.test");
  Set("a.test", One("2.2.2.2"));
  clock_.Pass(31);
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
  WaitForRefresh();
  EXPECT_EQ(Resolve("a.test"), One("2.2.2.2"));
}

TEST_F(ResolverTest, TheLastGoodAnswerIsKeptForAnHourOfFailures) {
  Set("a.test", One("1.1.1.1"));
  Resolve("a.test");
  Set("a.test", {});
  for (int minute = 1; minute < 60; ++minute) {
    clock_.Pass(60);
    ASSERT_EQ(Resolve("a.test"), One("1.1.1.1")) << minute;
    WaitForRefresh();
  }
  clock_.Pass(61);
  EXPECT_EQ(Resolve("a.test"), Addresses{});
}

TEST_F(ResolverTest, AFailureIsRememberedForAFewSeconds) {
  EXPECT_EQ(Resolve("none.test"), Addresses{});
  clock_.Pass(4);
  EXPECT_EQ(Resolve("none.test"), Addresses{});
  EXPECT_EQ(Lookups(), 1);
  Set("none.test", One("3.3.3.3"));
  clock_.Pass(2);
  EXPECT_EQ(Resolve("none.test"), One("3.3.3.3"));
}

TEST_F(ResolverTest, LocalhostIsLoopbackWhateverTheMachineSays) {
  for (const char* name : {"localhost", "LocalHost", "agent.localhost"}) {
    const Addresses addresses = Resolver::SystemLookup(name);
    EXPECT_EQ(addresses, (Addresses{*IpAddress::Parse("127.0.0.1"), *IpAddress::Parse("::1")})) << name;
  }
}

}  // namespace
}  // namespace apiquota::net
