// One client's request as the guard protects it: what it needs in order to be sent later or once more, and
// the conversation about it. Asks for its turn, holds its ticket, tells what becomes of it, and whether it
// may be repeated. What it decides is carried out by Relay (relay_guarded.cc).
//
// Whatever it holds goes back on every way out: End, another Begin, its destruction. One per client
// connection whose apis are guarded, reused from request to request. Belongs to one loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/guard.h"
#include "http/codec.h"
#include "net/timer_wheel.h"
#include "proxy/attempt_record.h"
#include "proxy/caller_waits.h"
#include "proxy/guard_refusal.h"
#include "proxy/held_answer.h"
#include "proxy/kept_body.h"
#include "proxy/request_record.h"

namespace apiquota::proxy {

class GuardedRequest final : public SignalSink {
 public:
  // What it waits at most for a body that names its resource.
  static constexpr Micros kBodyWaitMax = std::chrono::seconds(1);

  enum class Step : uint8_t { kSend, kWait, kRefuse };

  // `timer` is told of this request's deadline. All of it must outlive the object.
  GuardedRequest(guard::Guard& guard, const Clock& clock, KeptBytes& kept, CallerWaits& waits,
                 RequestRecord& record, net::TimerHandler& timer, uint32_t home);
  ~GuardedRequest() { End(false); }

  // The record is active, and its account is known. `head`: the client's; the other two as an attempt sends
  // them.
  void Begin(const http::RequestHead& head, std::string upstream_head, std::string websocket_accept);
  bool active() const { return phase_ != Phase::kIdle; }
  // It may only watch: nothing waits, nothing is refused or repeated.
  bool only_watches() const { return !decides_; }
  bool asked() const { return phase_ != Phase::kIdle && phase_ != Phase::kReading; }

  // Its turn; `ended`: its body has. kWait: a grant for waiter() comes; kRefuse: Refuse() says what follows.
  Step Ask(const http::RequestHead& head, bool ended);
  Step Take(guard::Granted granted);
  guard::Id waiter() const { return waiter_; }  // 0: it does not wait
  const guard::Account* account() const { return account_.get(); }
  // What its answer took of token quotas, as far as it has said so.
  std::optional<double> tokens() const { return cost_ ? std::optional(cost_->counted) : std::nullopt; }
  RefusalAnswer Refuse();  // what its client is told, and a log line

  void Sent();                                               // an attempt's head
  guard::Ticket TakeTicket() { return std::move(ticket_); }  // a tunnel's, from here on

  void Failed(metrics::UpstreamError error);  // an attempt, before anything else is made of it

  // The answer under way has said all that it may.
  bool understood() const { return understood_; }
  // … and says, as its exporter file reads it, that the API refused for want of quota.
  bool throttled() const { return throttle_.has_value(); }
  // Whether an answer of this status is to be held until it has been looked at.
  bool Holds(int status) const;
  // Its answer, as far as it was understood, or its failure: if it goes back to its queue, what is next. A
  // turn that would be refused is none: what has come is better than that.
  std::optional<Step> AskAgain(const http::RequestHead& head, int status);
  std::optional<Step> AskAgain(const http::RequestHead& head, metrics::UpstreamError error);

  void OnSignals(const http::Exchange& exchange, const provider::Signals& signals) override;
  void OnStreamSignals(const http::Exchange& exchange, const provider::Signals& signals) override;

  // What an answer tells of the guard's part: how long the request waited, and that it was repeated in vain.
  // False: nothing.
  bool Explains(int status) const;
  const http::ResponseHead& Explain(const http::ResponseHead& head);  // a copy, valid until the next call

  // What it holds: its slot and reservations; what its answer took is settled. whole: that came to its end.
  void GiveBack(bool whole);
  void End(bool whole);

  const std::string& upstream_head() const { return upstream_head_; }
  const std::string& websocket_accept() const { return websocket_accept_; }
  KeptBody& body() { return body_; }
  HeldAnswer& held() { return held_; }
  net::Timer& timer() { return timer_; }

 private:
  enum class Phase : uint8_t {
    kIdle,
    kReading,  // its body, for the name of its resource
    kWaiting,  // for its turn
    kTurn,     // it has had it: sent, refused or over
  };

  SystemTime now() const { return clock_.RunningNow().at; }
  const guard::Options& options() const { return record_.route().guard; }
  guard::Request AsRequest(const http::RequestHead& head);
  void LookAtBody(const http::RequestHead& head, bool ended);
  void EstimateTokens(const guard::TokenModel& model, bool ended);
  // guarded_admission.cc
  std::optional<guard::Refusal> AskApi(const http::RequestHead& head, SystemTime now);
  Step AskGuard(const http::RequestHead& head, SystemTime now, SystemTime not_before, bool again);
  Step Enter(guard::Ticket ticket, SystemTime now);
  Step Refused(guard::Refusal refusal);
  void CountWait(const guard::Granted& granted);
  void Count(const guard::Verdict& verdict);

  std::optional<Step> Repeat(const http::RequestHead& head, guard::RetryCause cause);
  std::optional<guard::RetryCause> CauseOf(int status) const;
  void ForgetAnswer();
  std::optional<double> TokensOf(bool whole) const;
  void Tell(AccessFacts* access) const;

  guard::Guard& guard_;
  const Clock& clock_;
  CallerWaits& waits_;
  RequestRecord& record_;
  const uint32_t home_;
  net::Timer timer_;
  KeptBody body_;
  HeldAnswer held_;

  Phase phase_ = Phase::kIdle;
  bool decides_ = false;
  bool repeatable_ = false;
  std::shared_ptr<guard::Account> account_;
  std::shared_ptr<guard::ApiGuard> api_guard_;
  guard::Ticket ticket_;
  guard::ApiTurn api_turn_;  // its permit, and how the operator's own limits stand
  guard::Id waiter_ = 0;
  CallerWaits::Wait wait_;  // told to its caller, where that is known
  SystemTime began_at_;
  SystemTime deadline_;
  int attempts_ = 1;
  std::string upstream_head_;
  std::string websocket_accept_;
  std::string resource_, route_;
  struct Tokens {
    guard::TokenCost cost = {};
    bool capped = false;
    bool charged_at_start = true;
    double text_bytes = 0;
  };
  Tokens tokens_;
  std::optional<guard::Refusal> refusal_;

  // Of the last answer.
  bool understood_ = false;
  bool declined_ = false;  // by its status: nothing was made for it
  std::optional<provider::Throttle> throttle_;
  std::optional<double> retry_after_seconds_;
  std::optional<guard::TokenCost> cost_;

  // What the client is told of its waits: all of them, and the reason of the longest.
  Micros waited_{};
  Micros longest_wait_{};
  guard::Reason wait_reason_ = guard::Reason::kNone;
  std::string wait_quota_;
  http::ResponseHead explained_;
};

}  // namespace apiquota::proxy
