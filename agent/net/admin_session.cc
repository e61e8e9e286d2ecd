#include "net/admin_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "http/forward.h"

namespace apiquota::net {
namespace {

constexpr Micros kBehindTimeout = std::chrono::seconds(60);

bool StaysHere(std::string_view name) {
  constexpr std::string_view kOurs[] = {"connection", "content-length",    "expect", "keep-alive", "te",
                                        "trailer",    "transfer-encoding", "upgrade"};
  return EqualsIgnoreCase(name, kDoorField) ||
         std::ranges::any_of(kOurs, [&](std::string_view ours) { return EqualsIgnoreCase(name, ours); });
}

}  // namespace

AdminSession::AdminSession(AdminDoor& door, Stream stream)
    : door_(door),
      timer_(*this),
      parser_(http::CodecLimits{}),
      connection_(door.loop(), std::move(stream), door.limits(), *this) {}

void AdminSession::OnRequest(std::span<const std::string_view>, bool) {
  if (!door_.TakeToken(door_.loop().clock().SteadyNow()))
    return Answer(429, "rate_limit", "more requests than this listener's rate_limit allows");
  const http::RequestHead& request = connection_.request();
  const std::string authorization = request.fields.Joined("authorization").value_or("");
  const std::optional<bool> known = door_.auth().Known(authorization);
  computing_ = !known;
  if (!BuildHead()) return;
  state_ = State::kWaiting;
  if (door_.Ask(*this)) return;
  state_ = State::kIdle;
  Answer(503, "queue_full", "too many requests are being answered");
}

// The request as the server behind gets it; false: it has been answered.
bool AdminSession::BuildHead() {
  const http::RequestHead& request = connection_.request();
  const auto path = http::RequestPath(request.target);
  if (!path) return Answer(path.error().status, path.error().rule, path.error().detail, true), false;
  const auto authority = http::TargetAuthority(request.target);
  if (authority && !door_.IsOurs(*authority))
    return Answer(403, "host", "the target names another host than this agent", true), false;
  // The token first: it can't be the one that is too many.
  head_ = fmt::format("{} {} HTTP/1.{}\r\n{}: {}\r\n", request.method, *path, request.minor_version,
                      kDoorField, door_.behind().token);
  for (size_t i = 0; i < request.fields.size(); ++i) {
    const http::FieldView field = request.fields[i];
    if (!StaysHere(field.name))
      fmt::format_to(std::back_inserter(head_), "{}: {}\r\n", field.name, field.value);
  }
  head_ += "\r\n";
  return true;
}

void AdminSession::OnTurnBehind() {
  state_ = State::kRunning;
  parser_.Reset(connection_.request().method);
  behind_.emplace(door_.loop());
  behind_->SetHandler(this);
  behind_->SetLowMark(0);
  door_.loop().timers().Arm(timer_, kBehindTimeout);
  behind_->Connect({.ip = *IpAddress::Parse("127.0.0.1"), .port = door_.behind().port}, Reserve::kUses);
}

void AdminSession::OnOpen() {
  behind_->Resume();
  behind_->Write({head_});
}

void AdminSession::OnBytes() {
  while (state_ == State::kRunning && !behind_->input().empty()) {
    slices_.clear();
    const http::ParseStep step = parser_.Parse(behind_->input(), &slices_);
    if (step.refusal) return Fail(step.refusal->detail);
    behind_->Consume(step.consumed);
    // An interim response is no answer, and was not asked for: nobody is told to go on, or switched.
    if (step.head_complete && parser_.head().status / 100 == 1) return Fail("it answered 1xx");
    if (step.head_complete || !slices_.empty() || step.complete)
      connection_.Send(step.head_complete ? &parser_.head() : nullptr, nullptr, slices_, step.complete);
    if (step.complete) return Leave();
    if (step.consumed == 0) return;
  }
}

void AdminSession::OnEnd(StreamEnd end) {
  if (end != StreamEnd::kClosed || !parser_.ParseEnd()) return Fail("the connection ended early");
  connection_.Send(nullptr, nullptr, {}, true);
  Leave();
}

void AdminSession::OnTimer(Timer&) { Fail("it took too long"); }

void AdminSession::Fail(std::string_view why) {
  LogFolded(LogLevel::kWarn, "admin_page_failed", why, {{"reason", std::string(why)}});
  const bool begun = connection_.response_begun();
  Leave();
  if (begun) return connection_.CutShort();
  Answer(502, "admin_server", "the page could not be made");
}

void AdminSession::Answer(int status, std::string_view rule, std::string_view detail, bool close) {
  connection_.Answer({.status = status, .rule = rule, .detail = detail, .close = close});
}

// Nothing more is wanted of the server behind. The stream stays until it is used again: this may be a call of
// its.
void AdminSession::Leave() {
  timer_.Disarm();
  if (behind_) behind_->Close();
  if (state_ == State::kIdle) return;
  door_.Done(*this);
  state_ = State::kIdle;
  if (gone_) door_.Remove(*this);
}

// A page that is being made holds its thread, whether or not somebody still waits for it: so does its turn.
void AdminSession::OnGone() {
  gone_ = state_ == State::kRunning;
  if (gone_) return;
  Leave();
  door_.Remove(*this);
}

}  // namespace apiquota::net
