#include "proxy/caller_waits.h"

#include <algorithm>

namespace apiquota::proxy {

CallerWaits::Wait::Wait(Wait&& other) noexcept
    : waits_(std::exchange(other.waits_, nullptr)), whose_(std::move(other.whose_)), since_(other.since_) {}

CallerWaits::Wait& CallerWaits::Wait::operator=(Wait&& other) noexcept {
  if (this == &other) return *this;
  End();
  waits_ = std::exchange(other.waits_, nullptr);
  whose_ = std::move(other.whose_);
  since_ = other.since_;
  return *this;
}

void CallerWaits::Wait::End() {
  if (waits_ == nullptr) return;
  CallerWaits& waits = *std::exchange(waits_, nullptr);
  const SystemTime now = waits.clock_.RunningNow().at;
  const std::lock_guard lock(waits.mutex_);
  Entry& entry = waits.entries_[whose_];
  entry.since.erase(entry.since.find(since_));
  entry.last = std::max(now - since_, Micros(0));
}

CallerWaits::Wait CallerWaits::Begin(std::string_view api, std::string_view caller) {
  const SystemTime now = clock_.RunningNow().at;
  std::pair<std::string, std::string> whose(api, caller);
  const std::lock_guard lock(mutex_);
  entries_[whose].since.insert(now);
  return {*this, std::move(whose), now};
}

CallerWaits::View CallerWaits::Of(std::string_view api, std::string_view caller) const {
  const SystemTime now = clock_.RunningNow().at;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({std::string(api), std::string(caller)});
  if (found == entries_.end()) return {};
  const Entry& entry = found->second;
  View view{.waiting = entry.since.size(), .oldest = std::nullopt, .last = entry.last};
  if (!entry.since.empty()) view.oldest = std::max(now - *entry.since.begin(), Micros(0));
  return view;
}

}  // namespace apiquota::proxy
