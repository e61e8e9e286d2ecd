#include "proxy/tunnel.h"

#include <algorithm>
#include <utility>

#include "proxy/worker.h"

namespace apiquota::proxy {

Tunnel::Tunnel(Worker& worker, net::Stream client, net::DetachedUpstream upstream)
    : worker_(worker),
      options_(worker.shared().options),
      client_stream_(std::move(client)),
      upstream_connection_(std::move(upstream)),
      client_(*this, upstream_, client_stream_),
      upstream_(*this, client_, upstream_connection_.stream()),
      timer_(*this),
      moved_at_(worker.loop().timers().now()) {
  for (Side* side : {&client_, &upstream_}) {
    side->stream.SetHandler(side);
    side->stream.SetLowMark(options_.buffer_low_bytes);
    side->stream.SetInputLimit(0);
    side->stream.AllowHalfOpen();
  }
  Pump(client_);
  Pump(upstream_);
  Rearm();
}

Tunnel::~Tunnel() {
  if (!over_) Cut();
}

void Tunnel::Moved(Side& from) {
  moved_at_ = worker_.loop().timers().now();
  Pump(from);
  Settle();
}

// What waits at one side goes to the other, as far as there is room; then the end, if it has come.
void Tunnel::Pump(Side& from) {
  net::Stream& to = from.other.stream;
  if (!to.sendable()) from.stream.Consume(from.stream.input().size());
  while (!from.stream.input().empty() && to.unsent() < options_.buffer_high_bytes) {
    const size_t room = options_.buffer_high_bytes - to.unsent();
    const std::string_view piece = from.stream.input().substr(0, room);
    to.Write({piece});
    from.stream.Consume(piece.size());
  }
  if (from.ended) {
    const bool last = from.stream.input().empty() && !from.passed_on && to.sendable();
    if (last) to.ShutdownSend();
    from.passed_on = from.passed_on || last;
    return;
  }
  const bool full = to.unsent() >= options_.buffer_high_bytes;
  if (full != from.stream.paused()) full ? from.stream.Pause() : from.stream.Resume();
}

void Tunnel::Ended(Side& side, net::StreamEnd end) {
  side.ended = true;
  if (end != net::StreamEnd::kClosed) {
    Cut();
    return worker_.Remove(*this);
  }
  Moved(side);
}

// Nothing more can be sent to a side whose own end had come before.
void Tunnel::HungUp(Side& side) {
  if (!side.ended) return;
  Cut();
  worker_.Remove(*this);
}

// The way from this side has come to its end.
bool Tunnel::Through(const Side& from) {
  const net::Stream& to = from.other.stream;
  return !to.sendable() || (from.passed_on && to.unsent() == 0);
}

void Tunnel::Settle() {
  if (!Through(client_) || !Through(upstream_)) return Rearm();
  over_ = true;
  timer_.Disarm();
  client_.stream.Close();
  upstream_.stream.Close();
  worker_.Remove(*this);
}

Micros Tunnel::IdleMax() const {
  return client_.ended || upstream_.ended ? std::min(options_.body_idle_timeout, options_.tunnel_idle_timeout)
                                          : options_.tunnel_idle_timeout;
}

void Tunnel::Watch(Side& side) {
  const bool waits = side.stream.unsent() > 0;
  if (waits && !side.waited_for) {
    side.waiting_since = worker_.loop().timers().now();
    side.sent_then = side.stream.sent();
  }
  side.waited_for = waits;
}

void Tunnel::Rearm() {
  SteadyTime due = moved_at_ + IdleMax();
  for (Side* side : {&client_, &upstream_}) {
    Watch(*side);
    if (side->waited_for) due = std::min(due, side->waiting_since + options_.body_idle_timeout);
  }
  const SteadyTime now = worker_.loop().timers().now();
  worker_.loop().timers().Arm(timer_, std::chrono::ceil<Micros>(std::max(due, now) - now));
}

// A reader that has taken too little in its last span; one that has taken enough begins a new one.
bool Tunnel::StandsStill(Side& side) {
  const SteadyTime now = worker_.loop().timers().now();
  if (!side.waited_for || now - side.waiting_since < options_.body_idle_timeout) return false;
  const auto seconds = std::chrono::duration<double>(options_.body_idle_timeout).count();
  const auto least = static_cast<uint64_t>(static_cast<double>(options_.body_rate_min) * seconds);
  if (side.stream.sent() - side.sent_then < std::max<uint64_t>(1, least)) return true;
  side.waited_for = false;
  return false;
}

void Tunnel::OnTimer(net::Timer&) {
  const bool idle = worker_.loop().timers().now() - moved_at_ >= IdleMax();
  if (!idle && !StandsStill(client_) && !StandsStill(upstream_)) return Rearm();
  Cut();
  worker_.Remove(*this);
}

void Tunnel::Cut() {
  over_ = true;
  timer_.Disarm();
  client_.stream.Reset();
  upstream_.stream.Reset();
}

}  // namespace apiquota::proxy
