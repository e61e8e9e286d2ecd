#include "net/resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
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

// Names in memory; every lookup is counted and can be waited for. A lookup of "hangs…" does not end before
// Recover, as if that name's servers were gone. Outlives the test in the resolver's threads.
class FakeDns {
 public:
  Addresses Lookup(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++lookups_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return recovered_ || !host.starts_with("hangs"); });
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
  void WaitForLookups(int lookups) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return lookups_ >= lookups; });
  }
  void Recover(bool recovered = true) {
    const std::lock_guard lock(mutex_);
    recovered_ = recovered;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Addresses> names_;
  int lookups_ = 0;
  bool recovered_ = false;
};

class ResolverTest : public testing::Test {
 protected:
  ~ResolverTest() override { dns_->Recover(); }

  void Make(size_t threads_max) {
    resolver_ =
        std::make_unique<Resolver>(clock_, ResolverOptions{.threads_max = threads_max},
                                   [dns = dns_](const std::string& host) { return dns->Lookup(host); });
  }
  void Set(const std::string& host, const Addresses& addresses) { dns_->Set(host, addresses); }
  int Lookups() { return dns_->Lookups(); }

  // The answer, from the cache or from the lookup's callback.
  Addresses Resolve(const std::string& host) {
    std::promise<Addresses> promise;
    if (auto known = resolver_->Resolve(host, [&](const Addresses& a) { promise.set_value(a); }))
      return *known;
    return promise.get_future().get();
  }
  // Nobody waits for the answer.
  void Ask(const std::string& host) {
    resolver_->Resolve(host, [](const Addresses&) {});
  }
  // With one thread, a refresh is through once what was asked after its beginning has been answered.
  void WaitForRefresh(int lookups_before) {
    dns_->WaitForLookups(lookups_before + 1);
    Resolve("barrier-" + std::to_string(++barriers_));
  }

  static Addresses One(std::string_view text) { return {*IpAddress::Parse(text)}; }

  FakeClock clock_;
  std::shared_ptr<FakeDns> dns_ = std::make_shared<FakeDns>();
  int barriers_ = 0;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(ResolverTest, LiteralsNeedNoLookup) {
  Make(1);
  EXPECT_EQ(Resolve("10.1.2.3"), One("10.1.2.3"));
  EXPECT_EQ(Resolve("::1"), One("::1"));
  EXPECT_EQ(Lookups(), 0);
}

TEST_F(ResolverTest, AFreshAnswerIsUsedAgain) {
  Make(1);
  Set("a.test", One("1.1.1.1"));
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
  Set("a.test", One("2.2.2.2"));
  clock_.Pass(29);
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
  EXPECT_EQ(Lookups(), 1);
}

TEST_F(ResolverTest, AnOldAnswerIsUsedWhileANewOneIsFetched) {
  Make(1);
  Set("a.test", One("1.1.1.1"));
  Resolve("a.test");
  Set("a.test", One("2.2.2.2"));
  clock_.Pass(31);
  const int before = Lookups();
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
  WaitForRefresh(before);
  EXPECT_EQ(Resolve("a.test"), One("2.2.2.2"));
}

TEST_F(ResolverTest, TheLastGoodAnswerIsKeptForAnHourOfFailures) {
  Make(1);
  Set("a.test", One("1.1.1.1"));
  Resolve("a.test");
  Set("a.test", {});
  for (int minute = 1; minute < 60; ++minute) {
    clock_.Pass(60);
    const int before = Lookups();
    ASSERT_EQ(Resolve("a.test"), One("1.1.1.1")) << minute;
    WaitForRefresh(before);
  }
  clock_.Pass(61);
  EXPECT_EQ(Resolve("a.test"), Addresses{});
}

TEST_F(ResolverTest, AFailureIsRememberedForAFewSeconds) {
  Make(1);
  EXPECT_EQ(Resolve("none.test"), Addresses{});
  clock_.Pass(4);
  EXPECT_EQ(Resolve("none.test"), Addresses{});
  EXPECT_EQ(Lookups(), 1);
  Set("none.test", One("3.3.3.3"));
  clock_.Pass(2);
  EXPECT_EQ(Resolve("none.test"), One("3.3.3.3"));
}

TEST_F(ResolverTest, NamesThatHangKeepNoOtherNameWaiting) {
  Make(16);
  Set("a.test", One("1.1.1.1"));
  for (int i = 0; i < 15; ++i) Ask("hangs-" + std::to_string(i) + ".test");
  dns_->WaitForLookups(15);
  EXPECT_EQ(Resolve("a.test"), One("1.1.1.1"));
}

TEST_F(ResolverTest, ANameThatHangsIsLookedUpOnceHoweverManyAskForIt) {
  Make(16);
  Set("hangs.test", One("1.1.1.1"));
  for (int i = 0; i < 100; ++i) Ask("hangs.test");
  Resolve("a.test");
  dns_->WaitForLookups(2);
  dns_->Recover();
  EXPECT_EQ(Resolve("hangs.test"), One("1.1.1.1"));
  EXPECT_EQ(Lookups(), 2);
}

TEST_F(ResolverTest, NoMoreThreadsThanAllowedAreInALookup) {
  Make(2);
  for (int i = 0; i < 5; ++i) Ask("hangs-" + std::to_string(i) + ".test");
  dns_->WaitForLookups(2);
  std::promise<Addresses> last;
  resolver_->Resolve("a.test", [&](const Addresses& a) { last.set_value(a); });
  EXPECT_EQ(Lookups(), 2);
  dns_->Recover();
  last.get_future().wait();
  EXPECT_EQ(Lookups(), 6);
}

TEST_F(ResolverTest, RefreshesThatHangKeepNoNewNameWaiting) {
  Make(4);
  dns_->Recover();
  for (int i = 0; i < 8; ++i) {
    Set("hangs-" + std::to_string(i) + ".test", One("1.1.1.1"));
    Resolve("hangs-" + std::to_string(i) + ".test");
  }
  dns_->Recover(false);
  clock_.Pass(31);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(Resolve("hangs-" + std::to_string(i) + ".test"), One("1.1.1.1"));
  }
  dns_->WaitForLookups(10);
  Set("a.test", One("2.2.2.2"));
  EXPECT_EQ(Resolve("a.test"), One("2.2.2.2"));
  EXPECT_EQ(Lookups(), 11);
}

TEST_F(ResolverTest, LocalhostIsLoopbackWhateverTheMachineSays) {
  for (const char* name : {"localhost", "LocalHost", "agent.localhost"}) {
    const Addresses addresses = Resolver::SystemLookup(name);
    EXPECT_EQ(addresses, (Addresses{*IpAddress::Parse("127.0.0.1"), *IpAddress::Parse("::1")})) << name;
  }
}

}  // namespace
}  // namespace apiquota::net
