#include "proxy/guard_clock.h"

#include <utility>

namespace apiquota::proxy {

GuardClock::GuardClock(net::Loop& loop) : loop_(loop), alarm_(loop, [this] { Ring(); }) {}

void GuardClock::SetHomes(std::vector<GuardHome*> homes) {
  const std::lock_guard lock(mutex_);
  homes_ = std::move(homes);
}

// What nobody takes goes when the lock does not hold any more: its tickets call the guard, and that may
// deliver again.
void GuardClock::Deliver(uint32_t home, std::vector<guard::Granted> granted) {
  std::vector<guard::Granted> nobodys;
  const std::lock_guard lock(mutex_);
  if (home < homes_.size()) {
    homes_[home]->Take(std::move(granted));
  } else {
    nobodys = std::move(granted);
  }
}

void GuardClock::WakeBy(SystemTime at) {
  SystemTime known = wake_at_.load();
  while (at < known) {
    if (!wake_at_.compare_exchange_weak(known, at)) continue;
    return loop_.Post([this] { Set(); });
  }
}

void GuardClock::Set() {
  const SystemTime at = wake_at_.load();
  if (at == SystemTime::max()) return alarm_.Cancel();
  alarm_.Set(at - loop_.clock().RunningNow().at);
}

// Whoever asks to be woken from here on sets the alarm anew.
void GuardClock::Ring() {
  wake_at_.store(SystemTime::max());
  guard_->Advance(loop_.clock().RunningNow().at);
}

}  // namespace apiquota::proxy
