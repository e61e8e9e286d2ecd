#include "net/connector.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "tests/net/door.h"
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
    connector_ = std::make_unique<Connector>(environment_, target_, &session_, *this);
    loop_.Start();
    loop_.Post([this] { connector_->Start(); });
  }
  void TearDown() override {
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
  void OnConnectFailed(ConnectError error) override {
    connector_.reset();
    outcome_.set_value(std::unexpected(error));
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

TEST_F(ConnectorTest, ADeadAddressKeepsNoOtherWaitingForItsTimeout) {
  Door good("127.0.0.2");
  const Door dead("127.0.0.1", good.port(), true);
  environment_.connect_timeout = hours(1);
  dns_->Say({Ip("127.0.0.1"), Ip("127.0.0.2")});
  Start(good.port());
  EXPECT_EQ(Outcome(), Ip("127.0.0.2"));
}

// The kernel knocks again after a second: that is how long this try needs.
TEST_F(ConnectorTest, ManyAddressesDoNotShortenATry) {
  Door slow("127.0.0.1", 0, true);
  Addresses addresses = {Ip("127.0.0.1")};
  std::vector<std::unique_ptr<Door>> dead;
  for (int i = 2; i < 12; ++i) {
    const std::string address = "127.0.0." + std::to_string(i);
    addresses.push_back(Ip(address));
    dead.push_back(std::make_unique<Door>(address, slow.port(), true));
  }
  environment_.connect_timeout = seconds(4);
  dns_->Say(addresses);
  Start(slow.port());
  WaitForDns();  // the first try has begun
  const Descriptor made_room(slow.Take());
  EXPECT_EQ(Outcome(), Ip("127.0.0.1"));
}

TEST_F(ConnectorTest, TheNextAddressIsTriedAtOnceWhenOneRefuses) {
  Door good("127.0.0.2");
  dns_->Say({Ip("127.0.0.1"), Ip("127.0.0.3"), Ip("127.0.0.2")});
  Start(good.port());
  EXPECT_EQ(Outcome(), Ip("127.0.0.2"));
}

TEST_F(ConnectorTest, ARefusalIsToldApartFromAnAddressNoRouteLeadsTo) {
  uint16_t closed = 0;
  {
    closed = Door().port();
  }
  dns_->Say({Ip("255.255.255.255"), Ip("127.0.0.1")});
  Start(closed);
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kRefused));
}

TEST_F(ConnectorTest, AnAddressNoRouteLeadsToDoesNotCountAsARefusal) {
  dns_->Say({Ip("255.255.255.255")});
  Start(80);
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kUnreachable));
}

TEST_F(ConnectorTest, ALackOfDescriptorsIsNotTheUpstreamsRefusal) {
  Door good("127.0.0.1");
  dns_->Say({Ip("127.0.0.1")});
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  Start(good.port());
  setrlimit(RLIMIT_NOFILE, &none);
  WaitForDns();
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
  const Door dead("127.0.0.1", 0, true);
  environment_.connect_timeout = hours(10);
  Start(dead.port());
  loop_.Post([this] { clock_.Pass(hours(9)); });
  dns_->Say({Ip("127.0.0.1")});
  WaitForDns();
  clock_.Pass(hours(2));
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kTimeout));
}

TEST_F(ConnectorTest, TheHandshakeHasItsOwnTimeAndReason) {
  Door mute("127.0.0.1");
  environment_.connect_timeout = hours(1);
  environment_.tls_timeout = std::chrono::milliseconds(1);
  dns_->Say({Ip("127.0.0.1")});
  Start(mute.port(), true);
  EXPECT_EQ(Outcome(), std::unexpected(ConnectError::kTlsTimeout));
}

}  // namespace
}  // namespace apiquota::net
