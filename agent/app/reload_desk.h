// Where POST /-/reload, on one of the admin server's threads, waits for main's thread to have reloaded.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/clock.h"
#include "base/error.h"

namespace apiquota::app {

class ReloadDesk {
 public:
  // `wake` makes main's thread call Serve.
  explicit ReloadDesk(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Asks for a reload that begins from now on; its outcome, or an error after `patience`.
  Status Ask(Micros patience);

  // Main's thread: reloads and tells everybody who asked before it began.
  void Serve(const std::function<Status()>& reload);

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable done_;
  uint64_t asked_ = 0;     // guarded by mutex_
  uint64_t answered_ = 0;  // guarded by mutex_
  Status outcome_;         // guarded by mutex_; of the last reload
};

}  // namespace apiquota::app
