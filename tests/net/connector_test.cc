#include "net/connector.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "tests/net/doors.h"
#include "tests/net/moved_clock.h"

namespace apiquota::net {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

IpAddress Ip(std::string_view text) { return *IpAddress::Parse(text); }

class ConnectorTest : public testing::Test, public ConnectorClient {
 protected:
  // What DNS says of every name; nothing yet: it hangs.
  struct Dns {
    Addresses Lookup() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return addresses.has_value(); });
      return *addresses;
    }
    void Say(Addresses what) {
      const std::lock_guard lock(mutex);
      addresses = std::move(what);
      changed.notify_all();
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Addresses> addresses;
  };

  ~ConnectorTest() override { dns_->Say({}); }

  void Start(uint16_t port, bool tls = false) {
    target_ = {.host = "api.test", .port = port, .tls = tls, .private_allowed = true};
    loop_.Start();
    Again();
  }
  void Again() {
    outcome_ = {};
    connector_ = std::make_unique<Connector>(environment_, target_, &session_, *this);
    loop_.Post([this] { connector_->Start(); });
  }
  void TearDown() override {
    resolver_.Stop();
    loop_.Stop();
    stream_.reset();
    connector_.reset();
  }

  // The address that was connected to, or why none.
  std::expected<IpAddress, ConnectError> Outcome() { return outcome_.get_future().get(); }

  void OnConnected(Stream stream) override {
    stream_ = std::move(stream);
    connector_.reset();
    outcome_.set_value(stream_->peer().ip);
  }
  void OnConnectFailed(ConnectFailure failure) override {
    connector_.reset();
    outcome_.set_value(std::unexpected(failure.error));
  }

  // Until what the resolver has said by now has arrived at the connector.
  void WaitForDns() {
    std::promise<void> done;
    resolver_.Resolve("barrier.test", [&](const Addresses&) { loop_.Post([&] { done.set_value(); }); });
    done.get_future().wait();
  }

  MovedClock clock_;
  std::shared_ptr<Dns> dns_ = std::make_shared<Dns>();
  Resolver resolver_{clock_, {.threads_max = 1}, [dns = dns_](const std::string&) { return dns->Lookup(); }};
  TlsClient tls_ = *TlsClient::Create({});
  TlsSession session_;
  Loop loop_{clock_};
  ConnectEnvironment environment_{.loop = loop_, .resolver = resolver_, .tls = tls_, .own_ports = {}};
  UpstreamAddress target_;
  std::unique_ptr<Connector> connector_;
  std::optional<Stream> stream_;
  std::promise<std::expected<IpAddress, ConnectError>> outcome_;
};

TEST(ByTurnsTest, FamiliesTakeTurnsInTheOrderOfTheFirst) {
  EXPECT_EQ(ByTurns({Ip("::1"), Ip("::2"), Ip("1.1.1.1"), Ip("2.2.2.2"), Ip("3.3.3.3")}),
            (Addresses{Ip("::1"), Ip("1.1.1.1"), Ip("::2"), Ip("2.2.2.2"), Ip("3.3.3.3")}));
  EXPECT_EQ(ByTurns({Ip("1.1.1.1"), Ip("::1"), Ip("::2")}), (Addresses{Ip("1.1.1.1"), Ip("::1"), Ip("::2")}));
  EXPECT_EQ(ByTurns({}), Addresses{});
}

TEST_F(ConnectorTest, TheKernelHoldsNoMegabytesOfWhatAnUpstreamDoesNotRead) {
  const Doors doors;
  dns_->Say({Ip("127.0.0.1")});
  Start(doors.port());
  ASSERT_EQ(Outcome(), Ip("127.0.0.1"));
  std::promise<uint64_t> sent;
  loop_.Post([&] { stream_->Write({std::string(4'000'000, 'x')}); });
  loop_.Post([&] { sent.set_value(stream_->sent()); });
  EXPECT_LT(sent.get_future().get(), 1024U * 1024);
}

TEST_F(ConnectorTest, ADeadAddressKeepsNoOtherWaitingForItsTimeout) {
  const Doors doors({{"127.0.0.1", Answer::kSilence}, {"127.0.0.2", Answer::kOpen}});
  environment_.connect_timeout = hours(1);
  dns_->Say({Ip("127.0.0.1"), Ip("127.0.0.2")});
  Start(doors.port());
  EXPECT_EQ(Outcome(), Ip("127.0.0.2"));
}

// The kernel knocks again after a second: that is how long this try needs.
TEST_F(ConnectorTest, ManyAddressesDoNotShortenATry) {
  Addresses addresses;
  std::vector<std::pair<std::string, Answer>> silent;
  for (int i = 1; i < 12; ++i) {
    silent.emplace_back("127.0.0." + std::to_string(i), Answer::kSilence);
    addresses.push_back(Ip(silent.back().first));
  }
  Doors doors(silent);
  environment_.connect_timeout = seconds(4);
  dns_->Say(addresses);
  Start(doors.port());
  WaitForDns();  // the first try has begun
  const Descriptor made_room(doors.Take());
  EXPECT_EQ(Outcome(), Ip("127.0.0.1"));
}

TEST_F(ConnectorTest, TheNextAddressIsTriedAtOnceWhenOneRefuses) {
  const Doors doors(
      {{"127.0.0.1", Answer::kRefused}, {"127.0.0.3", Answer::kRefused}, {"127.0.0.2", Answer::kOpen}});
  dns_->Say({Ip("127.0.0.1"), Ip("127.0.0.3"), Ip("127.0.0.2")});
  Start(doors.port());
  EXPECT_EQ(Outcome(), Ip("127.0.0.2"));
}

TEST_F(ConnectorTest, ARefusalIsToldApartFromAnAddressNoRouteLeadsTo) {
  const Doors doors({{"127.0.0.1", Answer::kRefused}});
  dns_->Say({Ip("255.255.255.255"), Ip("127.0.0.1")});
  Start(doors.port());
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kRefused));
}

TEST_F(ConnectorTest, AnAddressNoRouteLeadsToDoesNotCountAsARefusal) {
  dns_->Say({Ip("255.255.255.255")});
  Start(80);
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kUnreachable));
}

TEST_F(ConnectorTest, ALackOfDescriptorsIsNotTheUpstreamsRefusal) {
  const Doors doors({{"127.0.0.1", Answer::kRefused}});
  dns_->Say({Ip("127.0.0.1")});
  Start(doors.port());
  // Also for UBSan's sake: it judges an object it has not met before by means of a pipe, and calls it broken
  // where there is no descriptor for one.
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kRefused));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  Again();
  const auto outcome = Outcome();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(outcome, std::unexpected(ConnectError::kLocalLimit));
}

TEST_F(ConnectorTest, ANameThatHangsIsNotCalledAConnectTimeout) {
  Start(80);
  clock_.Pass(seconds(6));
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kDnsTimeout));
}

TEST_F(ConnectorTest, NameAndTcpHaveOneDeadlineTogether) {
  const Doors doors({{"127.0.0.1", Answer::kSilence}});
  environment_.connect_timeout = hours(10);
  Start(doors.port());
  loop_.Post([this] { clock_.Pass(hours(9)); });
  dns_->Say({Ip("127.0.0.1")});
  WaitForDns();
  clock_.Pass(hours(2));
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kTimeout));
}

TEST_F(ConnectorTest, TheHandshakeHasItsOwnTimeAndReason) {
  const Doors doors;
  environment_.connect_timeout = hours(1);
  environment_.tls_timeout = std::chrono::milliseconds(1);
  dns_->Say({Ip("127.0.0.1")});
  Start(doors.port(), true);
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kTlsTimeout));
}

}  // namespace
}  // namespace apiquota::net
