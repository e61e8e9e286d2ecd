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
    passed_.fetch_add(1);
    passed_.notify_all();
  }
  void unlock() { mutex_.unlock(); }

  bool awaited() const { return waiting_.load() > 0; }
  // Returns once as many have had the mutex as are waiting for it now, however many come after them.
  // REQUIRES: the caller does not hold it.
  void LetOthersGo() {
    const uint32_t before = passed_.load();  // first: who passes in between is then counted by neither
    const uint32_t waiting = waiting_.load();
    for (uint32_t passed = before; passed - before < waiting; passed = passed_.load()) passed_.wait(passed);
  }

 private:
  std::mutex mutex_;
  std::atomic<uint32_t> waiting_{0};
  std::atomic<uint32_t> passed_{0};  // of those who had to wait
};

}  // namespace apiquota::guard
