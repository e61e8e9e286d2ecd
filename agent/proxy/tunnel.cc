#include "proxy/tunnel.h"

#include <algorithm>
#include <utility>

#include "proxy/worker.h"

namespace apiquota::proxy {

Tunnel::Tunnel(Worker& worker, net::Stream client, net::DetachedUpstream upstream, guard::Ticket ticket)
    : worker_(worker),
      ticket_(std::move(ticket)),
      options_(worker.shared().options),
      pace_(options_.body_idle_timeout, options_.body_rate_min),
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
  if (&side == &upstream_) ticket_ = guard::Ticket();
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

void Tunnel::Rearm() {
  const SteadyTime now = worker_.loop().timers().now();
  SteadyTime due = moved_at_ + IdleMax();
  for (Side* side : {&client_, &upstream_}) {
    side->reading.Look(pace_, side->stream.unsent() > 0, side->stream.sent(), now);
    if (side->reading.due()) due = std::min(due, side->reading.NextLook(pace_, now));
  }
  worker_.loop().timers().Arm(timer_, std::chrono::ceil<Micros>(std::max(due, now) - now));
}

bool Tunnel::StandsStill(const Side& side) const {
  return side.reading.TooSlow(pace_, side.stream.sent(), worker_.loop().timers().now());
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
  ticket_ = guard::Ticket();
  client_.stream.Reset();
  upstream_.stream.Reset();
}

}  // namespace apiquota::proxy
