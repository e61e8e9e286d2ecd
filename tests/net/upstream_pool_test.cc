#include "net/upstream_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>

#include "tests/net/doors.h"
#include "tests/net/moved_clock.h"
#include "tests/net/peer.h"

namespace apiquota::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Waits for its connection, or for the reason why there is none.
struct Asker final : UpstreamAsker {
  void OnUpstream(UpstreamConnection& got) override {
    connection = &got;
    done.set_value();
  }
  void OnUpstreamFailed(ConnectFailure failure) override {
    error = failure.error;
    done.set_value();
  }
  UpstreamConnection* connection = nullptr;
  std::optional<ConnectError> error;
  std::promise<void> done;
};

class UpstreamPoolTest : public testing::Test {
 protected:
  UpstreamPoolTest() : upstream_([](Peer& peer) { peer.ReadAll(); }) {}

  void Make(UpstreamLimits limits, bool private_allowed = true) {
    Make(upstream_.port(), limits, private_allowed);
  }
  void Make(uint16_t port, UpstreamLimits limits, bool private_allowed = true) {
    environment_.limits = limits;
    pool_ = std::make_unique<UpstreamPool>(
        environment_,
        UpstreamAddress{.host = "127.0.0.1", .port = port, .tls = false, .private_allowed = private_allowed});
    loop_.Start();
  }

  // Runs on the loop, as everything that touches the pool must.
  template <class Work>
  auto OnLoop(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    loop_.Post([&task] { task(); });
    return result.get();
  }

  // Acquires and waits until there is an answer.
  UpstreamConnection* Acquire(Asker& asker) {
    const auto at_once = OnLoop([&] { return pool_->Acquire(asker); });
    if (!at_once) asker.error = at_once.error();
    if (!at_once || *at_once != nullptr) return at_once ? *at_once : nullptr;
    asker.done.get_future().wait();
    return asker.connection;
  }

  void Release(UpstreamConnection* connection) {
    OnLoop([&] { pool_->Release(*connection); });
  }
  void TearDown() override {
    loop_.Stop();
    pool_.reset();
  }

  // The upstream's act and the next request meet: the loop has no turn between them.
  void ExpectNotHandedOutAfter(Doors& doors, const std::function<void(Peer&)>& act) {
    Asker askers[2];
    UpstreamConnection* first = Acquire(askers[0]);
    Peer peer(doors.Take());
    Release(first);
    const bool handed_out = OnLoop([&] {
      act(peer);
      clock_.Pass(seconds(1));
      return *pool_->Acquire(askers[1]) != nullptr;
    });
    EXPECT_FALSE(handed_out);
    askers[1].done.get_future().wait();
    EXPECT_FALSE(askers[1].connection->reused());
    EXPECT_EQ(Connections(), 1U);
  }

  size_t Idle() {
    return OnLoop([&] { return pool_->idle(); });
  }
  size_t Connections() {
    return OnLoop([&] { return pool_->connections(); });
  }

  FakeUpstream upstream_;
  Resolver resolver_{RealClock()};
  TlsClient tls_ = *TlsClient::Create({});
  MovedClock clock_;
  Loop loop_{clock_};
  UpstreamEnvironment environment_{
      .connect = {.loop = loop_, .resolver = resolver_, .tls = tls_, .own_ports = {}}, .limits = {}};
  std::unique_ptr<UpstreamPool> pool_;
};

TEST_F(UpstreamPoolTest, TheMostRecentlyUsedConnectionIsHandedOutFirst) {
  Make({});
  Asker askers[5];
  UpstreamConnection* a = Acquire(askers[0]);
  UpstreamConnection* b = Acquire(askers[1]);
  Release(a);
  Release(b);
  EXPECT_EQ(Idle(), 2U);
  EXPECT_EQ(Acquire(askers[2]), b);
  EXPECT_EQ(Acquire(askers[3]), a);
  EXPECT_TRUE(a->reused());
  Asker third;
  EXPECT_FALSE(Acquire(third)->reused());
  EXPECT_EQ(Connections(), 3U);
}

TEST_F(UpstreamPoolTest, AnIdleConnectionIsClosedAfterItsTime) {
  Make({.idle_timeout = milliseconds(100)});
  Asker asker;
  Release(Acquire(asker));
  while (Connections() > 0) std::this_thread::yield();
  EXPECT_EQ(Idle(), 0U);
}

TEST_F(UpstreamPoolTest, AskersBeyondTheCapWaitInOrderForWhatIsGivenBack) {
  Make({.connections_max = 1, .queue_max = 2});
  Asker askers[4];
  UpstreamConnection* only = Acquire(askers[0]);
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(OnLoop([&] { return pool_->Acquire(askers[i]); }).value(), nullptr);
  }
  Acquire(askers[3]);
  EXPECT_EQ(askers[3].error, ConnectError::kQueueFull);
  Release(only);
  askers[1].done.get_future().wait();
  EXPECT_EQ(askers[1].connection, only);
  EXPECT_EQ(askers[2].connection, nullptr);
  OnLoop([&] { pool_->Discard(*only); });  // a new one is made for the next in the queue
  askers[2].done.get_future().wait();
  EXPECT_NE(askers[2].connection, nullptr);
  EXPECT_EQ(Connections(), 1U);
}

TEST_F(UpstreamPoolTest, OneWhoCancelsIsNotServed) {
  Make({.connections_max = 1});
  Asker askers[3];
  UpstreamConnection* only = Acquire(askers[0]);
  OnLoop([&] { return pool_->Acquire(askers[1]).has_value() && pool_->Acquire(askers[2]).has_value(); });
  OnLoop([&] { pool_->Cancel(askers[1]); });
  Release(only);
  askers[2].done.get_future().wait();
  EXPECT_EQ(askers[1].connection, nullptr);
  EXPECT_EQ(askers[2].connection, only);
}

TEST_F(UpstreamPoolTest, CancellingWhileConnectingGivesTheSlotBack) {
  Make({.connections_max = 1});
  Asker gone;
  OnLoop([&] {
    const bool pending = pool_->Acquire(gone).has_value();
    pool_->Cancel(gone);
    return pending;
  });
  EXPECT_EQ(Connections(), 0U);
  Asker next;
  EXPECT_NE(Acquire(next), nullptr);
}

TEST_F(UpstreamPoolTest, AConnectionWhoseEndIsThereIsNotHandedOut) {
  Doors doors;
  Make(doors.port(), {});
  ExpectNotHandedOutAfter(doors, [](Peer& peer) { peer.Close(); });
}

TEST_F(UpstreamPoolTest, AConnectionThatWasSpokenToUnaskedIsNotHandedOut) {
  Doors doors;
  Make(doors.port(), {});
  ExpectNotHandedOutAfter(doors, [](Peer& peer) { peer.Send("HTTP/1.1 408 Request Timeout\r\n\r\n"); });
}

TEST_F(UpstreamPoolTest, AnUpstreamThatClosesUnsaidBehindAnAnswerIsNotTrustedWithTheNextRequest) {
  Doors doors;
  Make(doors.port(), {.connections_max = 2});
  clock_.StopSteady();
  Asker askers[5];
  UpstreamConnection* closed = Acquire(askers[0]);
  Peer closer(doors.Take());
  OnLoop([&] {
    pool_->Release(*closed);
    closer.Close();
    clock_.Pass(milliseconds(5));
    return *pool_->Acquire(askers[1]);
  });
  askers[1].done.get_future().wait();
  UpstreamConnection* open = askers[1].connection;
  Release(open);
  UpstreamConnection* fresh = Acquire(askers[2]);
  EXPECT_FALSE(fresh->reused()) << "the open one has not rested long enough to be believed";
  Release(fresh);
  EXPECT_FALSE(Acquire(askers[3])->reused()) << "nor may it be waited for where no third is allowed";
  EXPECT_EQ(Connections(), 2U);
  clock_.Pass(milliseconds(20));
  EXPECT_EQ(Acquire(askers[4]), open);
  Release(open);
  Asker next;
  EXPECT_EQ(Acquire(next), open) << "it has stayed: the upstream is trusted again";
}

TEST_F(UpstreamPoolTest, AConnectionIsNotHandedOutLaterThanTheUpstreamKeepsIt) {
  Make({.idle_timeout = hours(1)});
  Asker askers[3];
  UpstreamConnection* connection = Acquire(askers[0]);
  const auto reused_after = [&](Micros idle, Asker& asker) {
    return OnLoop([&] {
      pool_->Release(*connection, seconds(60));
      clock_.Pass(idle);
      return *pool_->Acquire(asker) == connection;
    });
  };
  EXPECT_TRUE(reused_after(seconds(58), askers[1]));
  EXPECT_FALSE(reused_after(seconds(59), askers[2]));
  askers[2].done.get_future().wait();
}

TEST_F(UpstreamPoolTest, AnIdleConnectionIsClosedBeforeTheUpstreamDoesIt) {
  Make({.idle_timeout = hours(1)});
  Asker asker;
  UpstreamConnection* connection = Acquire(asker);
  OnLoop([&] { pool_->Release(*connection, milliseconds(100)); });
  while (Connections() > 0) std::this_thread::yield();
}

TEST_F(UpstreamPoolTest, AConnectionThatTheUpstreamDoesNotKeepIsNotKept) {
  Make({});
  Asker asker;
  UpstreamConnection* connection = Acquire(asker);
  OnLoop([&] { pool_->Release(*connection, Micros(0)); });
  EXPECT_EQ(Connections(), 0U);
}

TEST_F(UpstreamPoolTest, WhatNobodyWantsAnyMoreIsEmptyOnceTheLastIsBack) {
  Make({});
  Asker askers[2];
  UpstreamConnection* in_use = Acquire(askers[0]);
  Release(Acquire(askers[1]));
  OnLoop([&] { pool_->SetWanted(false); });
  EXPECT_EQ(Idle(), 0U);
  EXPECT_FALSE(OnLoop([&] { return pool_->empty(); })) << "a request under way keeps its connection";
  Release(in_use);
  EXPECT_TRUE(OnLoop([&] { return pool_->empty(); }));
}

TEST_F(UpstreamPoolTest, WantedAgainItKeepsWhatIsGivenBack) {
  Make({});
  OnLoop([&] { pool_->SetWanted(false); });
  OnLoop([&] { pool_->SetWanted(true); });
  Asker asker;
  Release(Acquire(asker));
  EXPECT_EQ(Idle(), 1U);
}

TEST_F(UpstreamPoolTest, NobodyWaitsInTheQueueForLongerThanItsTimeout) {
  Make({.connections_max = 1, .queue_timeout = seconds(10)});
  Asker askers[3];
  UpstreamConnection* only = Acquire(askers[0]);
  OnLoop([&] {
    const bool first = pool_->Acquire(askers[1]).has_value();
    clock_.Pass(seconds(9));
    return first && pool_->Acquire(askers[2]).has_value();
  });
  clock_.Pass(seconds(2));
  askers[1].done.get_future().wait();
  EXPECT_EQ(askers[1].error, ConnectError::kQueueTimeout);
  Release(only);
  askers[2].done.get_future().wait();
  EXPECT_EQ(askers[2].connection, only);
}

TEST_F(UpstreamPoolTest, AForbiddenAddressIsNotConnectedTo) {
  Make({}, false);
  Asker asker;
  EXPECT_EQ(Acquire(asker), nullptr);
  EXPECT_EQ(asker.error, ConnectError::kForbidden);
  EXPECT_EQ(upstream_.connections(), 0U);
}

}  // namespace
}  // namespace apiquota::net
