// The guard's rim (guard/guard.h): wakes it when something is due, and hands its grants to the loops that own
// their requests. Runs on a loop of its own, so that no client's loop walks the queues of all keys.
//
// Deliver and WakeBy may be called from any thread. The loop must be stopped before the guard or the clock
// goes, and homes taken back before they do.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "guard/guard.h"
#include "net/alarm.h"
#include "net/loop.h"

namespace apiquota::proxy {

// A loop that owns waiting requests. Called from any thread, with a lock held: it takes the grants, and that
// is all.
class GuardHome {
 public:
  virtual void Take(std::vector<guard::Granted> granted) = 0;

 protected:
  ~GuardHome() = default;
};

class GuardClock final : public guard::Rim {
 public:
  explicit GuardClock(net::Loop& loop);

  void Wind(guard::Guard& guard) { guard_ = &guard; }  // before the loop runs

  // Requests name their home by its index. What is granted to one that is not there comes back by itself.
  void SetHomes(std::vector<GuardHome*> homes);

  void Deliver(uint32_t home, std::vector<guard::Granted> granted) override;
  void WakeBy(SystemTime at) override;

 private:
  void Ring();
  void Set();

  net::Loop& loop_;
  net::Alarm alarm_;
  guard::Guard* guard_ = nullptr;
  std::atomic<SystemTime> wake_at_{SystemTime::max()};
  std::mutex mutex_;
  std::vector<GuardHome*> homes_;  // guarded by mutex_
};

}  // namespace apiquota::proxy
