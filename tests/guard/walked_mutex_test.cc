#include "guard/walked_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace apiquota::guard {
namespace {

TEST(WalkedMutexTest, WhoWaitsHasItsTurnBetweenTwoStepsOfAWalk) {
  for (int i = 0; i < 100; ++i) {
    WalkedMutex mutex;
    bool has_had_it = false;
    mutex.lock();
    std::thread other([&] {
      const std::lock_guard lock(mutex);
      has_had_it = true;
    });
    while (!mutex.awaited()) std::this_thread::yield();
    mutex.unlock();
    mutex.LetOthersGo();
    mutex.lock();  // without the line above: most often before it has come to run
    EXPECT_TRUE(has_had_it);
    mutex.unlock();
    other.join();
  }
}

TEST(WalkedMutexTest, AWalkEndsHoweverManyWaitAllTheTime) {
  WalkedMutex mutex;
  std::atomic<bool> over = false;
  const auto crowd = [&] {
    while (!over) {
      const std::lock_guard lock(mutex);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  std::thread first(crowd), second(crowd), third(crowd);
  for (int i = 0; i < 20; ++i) {
    while (!mutex.awaited()) std::this_thread::yield();
    mutex.LetOthersGo();
    const std::lock_guard lock(mutex);
  }
  over = true;
  first.join();
  second.join();
  third.join();
}

TEST(WalkedMutexTest, NobodyWaitsForNobody) {
  WalkedMutex mutex;
  mutex.LetOthersGo();
  const std::lock_guard lock(mutex);
}

TEST(WalkedMutexTest, OneAtATime) {
  WalkedMutex mutex;
  int count = 0;
  const auto add = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const std::lock_guard lock(mutex);
      ++count;
    }
  };
  std::thread first(add), second(add);
  for (int i = 0; i < 1'000; ++i) {
    mutex.LetOthersGo();
    const std::lock_guard lock(mutex);
    ++count;
  }
  first.join();
  second.join();
  EXPECT_EQ(count, 41'000);
}

}  // namespace
}  // namespace apiquota::guard
