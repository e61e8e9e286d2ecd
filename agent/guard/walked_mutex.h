// A mutex over something that one thread walks through in many short steps while others need it for a moment.
// std::mutex is not fair: who unlocks and locks again at once keeps all others out until the walk is over.
// Here the walker calls LetOthersGo() between its steps. Who finds it free pays for nothing but the mutex.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace apiquota::guard {

class WalkedMutex {
 public:
  void lock() {
    if (mutex_.try_lock()) return;
    waiting_.fetch_add(1);
    mutex_.lock();
    waiting_.fetch_sub(1);
    waiting_.notify_all();
  }
  void unlock() { mutex_.unlock(); }

  bool awaited() const { return waiting_.load() > 0; }
  // Returns once everybody who is waiting for the mutex now has had it. REQUIRES: the caller does not hold
  // it.
  void LetOthersGo() {
    for (uint32_t waiting = waiting_.load(); waiting > 0; waiting = waiting_.load()) waiting_.wait(waiting);
  }

 private:
  std::mutex mutex_;
  std::atomic<uint32_t> waiting_{0};
};

}  // namespace apiquota::guard
