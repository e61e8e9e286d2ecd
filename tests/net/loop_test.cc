#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <string>

#include "net/alarm.h"

namespace apiquota::net {
namespace {

// Runs `work` on the loop and waits for it.
void On(Loop& loop, const std::function<void()>& work) {
  std::promise<void> done;
  loop.Post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

struct Pair {
  Pair() {
    int fds[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
    near = Descriptor(fds[0]);
    far = Descriptor(fds[1]);
  }
  void Speak() const { EXPECT_EQ(::write(far.get(), "x", 1), 1); }
  Descriptor near, far;
};

struct Heard final : EventHandler {
  void OnEvents(uint32_t events) override {
    ++times;
    last = events;
    if (then) then();
  }
  int times = 0;
  uint32_t last = 0;
  std::function<void()> then;
};

class LoopTest : public testing::Test {
 protected:
  Loop loop_{RealClock()};
};

TEST_F(LoopTest, DrivenByHandTellsWhatHasHappenedAndNeverWaits) {
  const Pair pair;
  Heard heard;
  int posted = 0;
  loop_.Watch(pair.near.get(), EPOLLIN | EPOLLET, heard);
  EXPECT_FALSE(loop_.Turn());
  pair.Speak();
  loop_.Post([&] { ++posted; });
  EXPECT_TRUE(loop_.Turn());
  EXPECT_EQ(heard.times, 1);
  EXPECT_EQ(posted, 1);
  loop_.Post([&] { loop_.Post([&] { ++posted; }); });  // the second letter is for a turn of its own
  while (loop_.Turn()) {
  }
  EXPECT_EQ(posted, 2);
  EXPECT_EQ(heard.times, 1);
  loop_.Unwatch(pair.near.get(), heard);
}

// A later loop may stand at the same address, and then belongs to a thread of its own.
TEST_F(LoopTest, WhoDrivesItByHandIsOnItForATurnOnly) {
  std::string order;
  struct Later final : Deferred {
    explicit Later(std::string& its) : order(its) {}
    void OnTurn() override { order += "deferred "; }
    std::string& order;
  } later(order);
  loop_.Turn();
  loop_.Defer(later);
  loop_.Post([&] { order += "posted "; });
  loop_.Turn();
  EXPECT_EQ(order, "posted deferred ") << "a call from outside rings, like any other thread's";
}

TEST_F(LoopTest, RunsWhatIsPostedInOrder) {
  std::string order;
  loop_.Post([&] {
    order += "a";
    loop_.Post([&] { order += "c"; });  // from the loop itself
  });
  loop_.Post([&] { order += "b"; });
  loop_.Start();
  On(loop_, [] {});
  On(loop_, [&] { EXPECT_EQ(order, "abc"); });
}

TEST_F(LoopTest, ThreadsMayPostAtOnce) {
  loop_.Start();
  int count = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) loop_.Post([&] { ++count; });
      });
    }
  }
  On(loop_, [&] { EXPECT_EQ(count, 4000); });
}

TEST_F(LoopTest, TellsOfADescriptorUntilUnwatched) {
  Pair pair;
  Heard heard;
  std::promise<void> said;
  heard.then = [&] {
    loop_.Unwatch(pair.near.get(), heard);
    said.set_value();
  };
  loop_.Start();
  On(loop_, [&] { EXPECT_TRUE(loop_.Watch(pair.near.get(), EPOLLIN, heard)); });
  pair.Speak();
  said.get_future().wait();
  pair.Speak();
  On(loop_, [] {});
  On(loop_, [&] {
    EXPECT_EQ(heard.times, 1);
    EXPECT_EQ(heard.last, static_cast<uint32_t>(EPOLLIN));
    EXPECT_FALSE(loop_.Watch(-1, EPOLLIN, heard));
  });
}

// Two events of one batch: the first handler's end takes the second one's away.
TEST_F(LoopTest, AnUnwatchedHandlerHearsNothingOfTheBatchUnderWay) {
  Pair a, b;
  Heard first, second;
  const auto silence = [&](Heard& other, const Pair& pair) {
    return [&] { loop_.Unwatch(pair.near.get(), other); };
  };
  first.then = silence(second, b);
  second.then = silence(first, a);
  loop_.Watch(a.near.get(), EPOLLIN | EPOLLET, first);
  loop_.Watch(b.near.get(), EPOLLIN | EPOLLET, second);
  a.Speak();
  b.Speak();
  EXPECT_TRUE(loop_.Turn());
  EXPECT_FALSE(loop_.Turn());
  EXPECT_EQ(first.times + second.times, 1);
  loop_.Unwatch(a.near.get(), first);
  loop_.Unwatch(b.near.get(), second);
}

struct Turn final : Deferred {
  explicit Turn(std::function<void()> what_in) : what(std::move(what_in)) {}
  void OnTurn() override { what(); }
  std::function<void()> what;
};

TEST_F(LoopTest, TheDeferredHaveTheirTurnOnceAndInOrder) {
  std::string order;
  Turn b([&] { order += "b"; });
  std::unique_ptr<Turn> gone = std::make_unique<Turn>([&] { order += "gone"; });
  Turn a([&] {
    order += "a";
    gone.reset();
    if (order.size() < 3) loop_.Defer(a);  // again: after b
  });
  loop_.Start();
  On(loop_, [&] {
    loop_.Defer(a);
    loop_.Defer(a);
    loop_.Defer(*gone);
    loop_.Defer(b);
  });
  On(loop_, [] {});
  On(loop_, [&] { EXPECT_EQ(order, "aba"); });
}

TEST_F(LoopTest, StoppingDropsWhatIsStillPosted) {
  bool ran = false;
  loop_.Post([&] { ran = true; });
  loop_.Stop();
  EXPECT_FALSE(ran);
}

TEST_F(LoopTest, AnAlarmRingsOnceAndMayBeSetAnewOrTakenBack) {
  std::string order;
  std::promise<void> rung;
  std::unique_ptr<Alarm> alarm, late, replaced;
  loop_.Start();
  On(loop_, [&] {
    alarm = std::make_unique<Alarm>(loop_, [&] {
      order += "a";
      alarm.reset();  // from inside
      rung.set_value();
    });
    late = std::make_unique<Alarm>(loop_, [&] { order += "late"; });
    replaced = std::make_unique<Alarm>(loop_, [&] { order += "r"; });
    alarm->Set(std::chrono::milliseconds(20));
    late->Set(std::chrono::milliseconds(1));
    late->Cancel();
    replaced->Set(std::chrono::hours(1));
    replaced->Set(Micros(-5));  // at once
  });
  rung.get_future().wait();
  On(loop_, [&] {
    EXPECT_EQ(order, "ra");
    late.reset();
    replaced.reset();
  });
}

}  // namespace
}  // namespace apiquota::net
