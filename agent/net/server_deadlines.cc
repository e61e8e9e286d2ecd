// What may take how long. Times are the loop's ticks: coarse, and cheap enough for every piece of a body.
#include <algorithm>

#include "net/server_connection.h"

namespace apiquota::net {
namespace {

constexpr Micros kLingerIdle = std::chrono::seconds(2);    // nothing more comes
constexpr Micros kLingerTotal = std::chrono::seconds(30);  // … or still does

}  // namespace

void ServerConnection::Rearm() {
  switch (state_) {
    case State::kReading: {
      // While answers are unread, the reader's pace governs, unless a head has begun that may still come.
      const bool begun = parser_.got_some() || !stream_.input().empty();
      if (stream_.unsent() >= limits_.high_bytes || (stream_.unsent() > 0 && !begun)) return ArmForPace();
      return ArmForHead();
    }
    case State::kBusy:
    case State::kClosing:
      return ArmForPace();
    case State::kLingering: {
      const SteadyTime now = loop_.timers().now();
      if (linger_until_ == SteadyTime()) linger_until_ = now + kLingerTotal;
      if (now < linger_until_) loop_.timers().Arm(timer_, kLingerIdle);
      return;
    }
    case State::kGone:
      return;
  }
}

// The deadline for a head counts from its first byte (for a connection's first one, from the connection).
void ServerConnection::ArmForHead() {
  const bool some = parser_.got_some() || !stream_.input().empty();
  if (some && in_head_) return;
  in_head_ = some;
  if (some && first_request_ && timer_.armed()) return;
  loop_.timers().Arm(timer_, some || first_request_ ? limits_.head_timeout : limits_.idle_timeout);
}

// A body that waits for us is not late.
bool ServerConnection::BodyDue() {
  return state_ == State::kBusy && !request_complete_ && !stream_.paused() && handler_.WantsBody();
}

void ServerConnection::ArmForPace() {
  const SteadyTime now = loop_.timers().now();
  body_.Look(pace_, BodyDue(), received_, now);
  reading_.Look(pace_, stream_.unsent() > 0, stream_.sent(), now);
  if (!body_.due() && !reading_.due()) return timer_.Disarm();
  if (timer_.armed()) return;
  SteadyTime look = SteadyTime::max();
  if (body_.due()) look = body_.NextLook(pace_, now);
  if (reading_.due()) look = std::min(look, reading_.NextLook(pace_, now));
  loop_.timers().Arm(timer_, std::chrono::ceil<Micros>(look - now));
}

bool ServerConnection::Stalled() const {
  const SteadyTime now = loop_.timers().now();
  return body_.TooSlow(pace_, received_, now) || reading_.TooSlow(pace_, stream_.sent(), now);
}

void ServerConnection::OnTimer(Timer&) {
  switch (state_) {
    case State::kReading:
      if (stream_.unsent() >= limits_.high_bytes) break;
      if (in_head_) return Refuse(kHeadTimeout);
      if (stream_.unsent() > 0) break;
      return End();
    case State::kBusy:
    case State::kClosing:
      break;
    default:
      return End();
  }
  if (!Stalled()) return Rearm();
  handler_.OnRefused(kBodyTimeout, state_ == State::kBusy);
  if (state_ == State::kGone) return;
  if (state_ != State::kBusy || response_begun_ || stream_.unsent() > 0) return Abort();
  keep_alive_ = false;
  Answer({.status = kBodyTimeout.status,
          .proxy_status_error = "http_request_error",
          .rule = kBodyTimeout.rule,
          .detail = kBodyTimeout.detail});
}

}  // namespace apiquota::net
