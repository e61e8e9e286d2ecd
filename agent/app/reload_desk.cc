#include "app/reload_desk.h"

namespace apiquota::app {

Status ReloadDesk::Ask(Micros patience) {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++asked_;
  wake_();
  if (!done_.wait_for(lock, patience, [&] { return answered_ >= mine; })) {
    return Fail("the reload is still under way; the log will say how it ends");
  }
  return outcome_;
}

void ReloadDesk::Serve(const std::function<Status()>& reload) {
  std::unique_lock lock(mutex_);
  const uint64_t upto = asked_;
  lock.unlock();
  Status outcome = reload();
  lock.lock();
  outcome_ = std::move(outcome);
  answered_ = upto;
  lock.unlock();
  done_.notify_all();
}

}  // namespace apiquota::app
