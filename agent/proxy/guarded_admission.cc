// Turns of a guarded request: what it asks of its api and of its key, and what comes of that.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "proxy/guarded_request.h"

namespace apiquota::proxy {

GuardedRequest::Step GuardedRequest::Ask(const http::RequestHead& head, bool ended) {
  timer_.Disarm();
  LookAtBody(head, ended);
  const SystemTime at = now();
  std::optional<guard::Refusal> refusal = AskApi(head, at);
  if (!refusal) return AskGuard(head, at, {}, false);
  Count({.kind = guard::Verdict::Kind::kRefuse, .reason = refusal->reason});
  return Refused(std::move(*refusal));
}

// What holds for the api as a whole; nothing: it may go on. Of two that refuse the longer wait is told.
std::optional<guard::Refusal> GuardedRequest::AskApi(const http::RequestHead& head, SystemTime now) {
  if (!api_guard_ || !api_guard_->asks()) return std::nullopt;
  guard::ApiTurn& turn = api_turn_;
  api_guard_->Ask(record_.AsLimited(head, tokens_.cost.counted), now, &turn);
  if (turn.shadow) {
    record_.route().metrics->guard().CountDecision(guard::Verdict::Kind::kRefuse, turn.shadow->reason,
                                                   guard::Mode::kShadow);
  }
  if (!turn.refusal || turn.refusal->reason != guard::Reason::kLimit) return std::move(turn.refusal);
  std::optional<guard::Refusal> other = guard_.WouldRefuse(account_, AsRequest(head), now);
  return other && other->until > turn.refusal->until ? std::move(other) : std::move(turn.refusal);
}

GuardedRequest::Step GuardedRequest::Refused(guard::Refusal refusal) {
  phase_ = Phase::kTurn;
  refusal_ = std::move(refusal);
  return Step::kRefuse;
}

// An attempt has its ticket: if the API is still well, it is sent.
GuardedRequest::Step GuardedRequest::Enter(guard::Ticket ticket, SystemTime now) {
  phase_ = Phase::kTurn;
  if (std::optional<guard::Refusal> ill = api_turn_.permit.Enter(now)) {
    ticket.Release(now);
    return Refused(std::move(*ill));
  }
  ticket_ = std::move(ticket);
  return Step::kSend;
}

GuardedRequest::Step GuardedRequest::AskGuard(const http::RequestHead& head, SystemTime now,
                                              SystemTime not_before, bool again) {
  guard::Request request = AsRequest(head);
  request.not_before = not_before;
  request.again = again;
  guard::Turn turn = guard_.Ask(account_, request, now);
  if (!again) {
    Count(turn.verdict);
    if (turn.shadow) {
      record_.route().metrics->guard().CountDecision(turn.shadow->kind, turn.shadow->reason,
                                                     guard::Mode::kShadow);
    }
  }
  switch (turn.verdict.kind) {
    case guard::Verdict::Kind::kAdmit:
      return Enter(std::move(turn.ticket), now);
    case guard::Verdict::Kind::kQueued:
      phase_ = Phase::kWaiting;
      waiter_ = turn.verdict.id;
      if (const auto caller = record_.caller_name(); !caller.empty())
        wait_ = waits_.Begin(record_.route().api, caller);
      return Step::kWait;
    case guard::Verdict::Kind::kRefuse:
      break;
  }
  return Refused(turn.verdict.refusal.value_or(guard::Refusal()));
}

// Each request once; what becomes of further attempts is counted as such.
void GuardedRequest::Count(const guard::Verdict& verdict) {
  if (decides_)
    record_.route().metrics->guard().CountDecision(verdict.kind, verdict.reason, guard::Mode::kOn);
}

GuardedRequest::Step GuardedRequest::Take(guard::Granted granted) {
  waiter_ = 0;
  wait_ = {};
  CountWait(granted);
  const Step step = granted.ticket ? Enter(std::move(granted.ticket), now())
                                   : Refused(granted.refusal.value_or(guard::Refusal()));
  if (step == Step::kRefuse) {
    record_.route().metrics->guard().CountDecision(guard::Verdict::Kind::kRefuse, refusal_->reason,
                                                   guard::Mode::kOn);
  }
  return step;
}

void GuardedRequest::CountWait(const guard::Granted& granted) {
  const Micros waited = std::max(granted.waited, Micros(0));
  Log(LogLevel::kDebug, "guard",
      {{"decision", "delay"},
       {"api", record_.route().api},
       {"rule", std::string(ToText(granted.reason))},
       {"quota", granted.quota},
       {"wait", FormatNumber(ToSeconds(waited))}});
  record_.route().metrics->guard().ObserveDelay(granted.reason, waited);
  waited_ += waited;
  if (waited < longest_wait_) return;
  longest_wait_ = waited;
  wait_reason_ = granted.reason;
  wait_quota_ = granted.quota;
}

}  // namespace apiquota::proxy
