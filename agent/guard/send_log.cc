#include "guard/send_log.h"

#include <algorithm>
#include <cmath>

namespace apiquota::guard {
namespace {

constexpr size_t kExactMax = 4096;
constexpr Micros kSoon = std::chrono::milliseconds(20);  // of a connection that was there already

}  // namespace

std::deque<SendLog::Send>::iterator SendLog::Find(Id ticket) {
  const auto found =
      std::find_if(sends_.rbegin(), sends_.rend(), [&](const Send& send) { return send.ticket == ticket; });
  return found == sends_.rend() ? sends_.end() : std::prev(found.base());
}

void SendLog::Add(Id ticket, double cost, SystemTime now) {
  if (!sends_.empty()) now = std::max(now, sends_.back().at);
  if (sends_.size() >= 2 * kExactMax) {  // nobody knows its window
    total_ -= sends_.front().cost;
    sends_.pop_front();
  }
  sends_.push_back({now, cost, ticket});
  total_ += cost;
}

void SendLog::Sent(Id ticket, SystemTime now) {
  const auto found = Find(ticket);
  if (found == sends_.end() || found->at + kSoon >= now) return;
  const double cost = found->cost;
  sends_.erase(found);
  total_ -= cost;
  Add(ticket, cost, now);
}

void SendLog::Settle(Id ticket, double cost) {
  const auto found = Find(ticket);
  if (found == sends_.end()) return;
  total_ += cost - found->cost;
  found->cost = cost;
}

void SendLog::Remove(Id ticket) {
  const auto found = Find(ticket);
  if (found == sends_.end()) return;
  total_ -= found->cost;
  sends_.erase(found);
}

void SendLog::Forget(Micros window, SystemTime now) {
  while (!sends_.empty() && sends_.front().at + window <= now) {
    total_ -= sends_.front().cost;
    freed_ += sends_.front().cost;
    sends_.pop_front();
  }
  if (sends_.empty()) total_ = 0;
  if (sends_.size() > kExactMax) Thin(window);
}

// Those of one sixtieth of the window become one, as late as the last of them.
void SendLog::Thin(Micros window) {
  std::deque<Send> thinned;
  SystemTime first{};
  for (const Send& send : sends_) {
    if (!thinned.empty() && send.at - first <= window / 60) {
      thinned.back().at = send.at;
      thinned.back().cost += send.cost;
      thinned.back().ticket = 0;
    } else {
      thinned.push_back(send);
      first = send.at;
    }
  }
  sends_ = std::move(thinned);
}

SystemTime SendLog::EarliestFor(double cost, double ahead, double limit, Micros window, SystemTime now) {
  Forget(window, now);
  const double need = std::min(cost, limit) + ahead;
  double room = limit - total_;
  if (room >= need) return now;
  for (const Send& send : sends_) {
    room += send.cost;
    if (room >= need) return send.at + window;
  }
  // More than one window's worth is before it.
  const SystemTime last = sends_.empty() ? now : sends_.back().at + window;
  const double windows = limit > 0 ? std::ceil((need - limit) / limit) : 1;
  return last + window * static_cast<int64_t>(std::clamp(windows, 0.0, 1e6));
}

SystemTime SendLog::FreeAt(double cost, Micros window) const {
  for (const Send& send : sends_) {
    cost -= send.cost;
    if (cost <= 0) return send.at + window;
  }
  return sends_.empty() ? SystemTime{} : sends_.back().at + window;
}

std::vector<std::pair<SystemTime, double>> SendLog::Parts(Micros window, SystemTime now) {
  Forget(window, now);
  std::vector<std::pair<SystemTime, double>> parts;
  SystemTime first{};
  for (const Send& send : sends_) {
    if (!parts.empty() && send.at - first <= window / 60) {
      parts.back() = {send.at, parts.back().second + send.cost};
    } else {
      parts.emplace_back(send.at, send.cost);
      first = send.at;
    }
  }
  return parts;
}

// Before what has been sent since.
void SendLog::TakeUp(const std::vector<std::pair<SystemTime, double>>& parts) {
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!sends_.empty() && part->first > sends_.front().at) continue;
    sends_.push_front({part->first, part->second, 0});
    total_ += part->second;
  }
}

double SendLog::Total(Micros window, SystemTime now) {
  Forget(window, now);
  return total_;
}

}  // namespace apiquota::guard
