// What becomes of one call of a world: granted, sent, answered, broken, left, sent again.
#include <algorithm>
#include <utility>

#include "world.h"

namespace apiquota::world {

void World::Grant(const guard::Grant& grant) {
  const auto waiter = waiters_.find(grant.waiter);
  if (waiter == waiters_.end()) {
    checks_.Fail(now_, "a grant for nobody");
    return;
  }
  const uint64_t id = waiter->second;
  waiters_.erase(waiter);
  const Call& call = calls_.at(id);
  if (drained_by_ && now_ > *drained_by_) checks_.Fail(now_, "a waiter outlived the drain");
  report_.late_refusals += grant.ticket == 0;
  if (grant.home != call.home) checks_.Fail(now_, "a grant for another loop");
  checks_.Waited(ClientOf(call).flow, call.client + 1 == options_.clients.size(), call.came, call.deadline,
                 grant.ticket != 0, now_);
  FlowReport& flow = report_.flows[call.client];
  flow.longest_wait = std::max(flow.longest_wait, now_ - call.came);
  Trace(grant.ticket != 0 ? "granted" : "refused", id, ToSeconds(now_ - call.came));
  CountWaiting(call, -1);
  granted_[id] = grant;
  const Micros most = options_.loops > 1 ? options_.network.rim_most : Micros(0);
  At(now_ + network_.Between(Micros(0), most), Kind::kGranted, id);
}

void World::Granted(uint64_t id) {
  if (!granted_.contains(id)) return;  // of before a restart
  const guard::Grant grant = granted_.extract(id).mapped();
  Call* call = Known(id);
  if (call == nullptr) {  // it left while the grant was under way
    if (grant.ticket != 0) subject_->Release(grant.ticket, now_);
    return;
  }
  call->waiter = 0;
  if (grant.ticket == 0) return Refused(id, *grant.refusal);
  call->ticket = grant.ticket;
  At(now_ + network_.Between(Micros(0), options_.network.rim_most), Kind::kSend, id);
}

// Asked when it comes, and again when its turn has come.
bool World::Ill(uint64_t id) {
  guard::ApiTurn turn = api_guard_->Ask({}, now_);
  if (turn.refusal) return Refused(id, *turn.refusal), true;
  calls_.at(id).permit = std::move(turn.permit);
  return false;
}

bool World::Enter(uint64_t id) {
  Call& call = calls_.at(id);
  if (const auto ill = call.permit.Enter(now_)) {
    subject_->Release(std::exchange(call.ticket, 0), now_);
    return Refused(id, *ill), false;
  }
  const auto breaker = api_guard_->View(now_, 0).breaker;
  call.probe = breaker && breaker->open;
  if (call.probe) checks_.Probe(1, now_);
  return true;
}

void World::Shows(Call* call, guard::Health health) {
  if (std::exchange(call->probe, false)) checks_.Probe(-1, now_);
  const auto before = api_guard_->View(now_, 0).breaker;
  call->permit.Answered(health, now_);
  const auto after = api_guard_->View(now_, 0).breaker;
  if (before && after->until != before->until && after->open) checks_.Opened(after->until, now_);
}

void World::Send(uint64_t id) {
  Call* call = Known(id);
  if (call == nullptr || call->ticket == 0 || call->flight != 0) return;
  if (!ClientOf(*call).poll && !Enter(id)) return;
  ++call->attempts;
  if (network_.Chance(options_.network.unsent)) {
    return Failed(id, guard::RetryCause::kUnsent, nullptr);
  }
  ++report_.attempts;
  call->sent_at = now_;
  subject_->Sent(call->ticket, now_);
  const uint64_t flight_id = ++last_flight_;
  call->flight = flight_id;
  Flight& flight = flights_[flight_id];
  flight.call = id;
  flight.resource = ClientOf(*call).resource;
  flight.sent_at = now_;
  flight.asked = call->asked;
  flight.actual = call->actual;
  if (const auto& tokens = ClientOf(*call).tokens) flight.streams = habits_.Around(tokens->stream);
  if (network_.Chance(options_.network.lost_up)) {
    flight.lost = true;
    At(now_ + Up(), Kind::kBreak, flight_id);
    return;
  }
  flight.lost = network_.Chance(options_.network.lost_down);
  At(now_ + Up(), Kind::kArrive, flight_id);
}

void World::Arrive(uint64_t id) {
  Flight& flight = flights_.at(id);
  flight.reply = api_.Handle(flight.resource, flight.asked, now_);
  Trace("arrives", flight.call, flight.reply.status);
  for (const provider::Reading& reading : flight.reply.readings) {
    Trace("  says", flight.call, reading.remaining.value_or(-1));
  }
  const Micros service = network_.Around(options_.api.service);
  const bool streams = flight.streams > Micros(0) && flight.reply.status < 300;
  At(now_ + service + (streams ? flight.streams : Micros(0)), Kind::kApiEnd, id);
  const Micros down = Down();
  if (flight.lost) {
    At(now_ + service + down, Kind::kBreak, id);
    return;
  }
  if (!streams) flight.streams = Micros(0);
  At(now_ + service + down, Kind::kHead, id);
}

void World::Head(uint64_t id) {
  Call* call = nullptr;
  Flight* flight = Current(id, &call);
  if (flight == nullptr) return;
  Reply& reply = flight->reply;
  Api::Receive(&reply, flight->sent_at, now_);
  guard::Answer answer;
  answer.status = reply.status;
  answer.received_at = now_;
  answer.date = reply.date;
  answer.resource = reply.resource;
  answer.readings = reply.readings;
  answer.throttle = reply.throttle ? &*reply.throttle : nullptr;
  answer.retry_after_seconds = reply.retry_after_seconds;
  subject_->Answered(call->ticket, answer, now_);
  const bool fails = reply.status >= 500;
  Shows(call, !fails ? guard::Health::kWell : reply.throttle ? guard::Health::kUnknown : guard::Health::kIll);
  Trace("answered", flight->call, reply.status);
  if (reply.throttle) return Failed(flight->call, guard::RetryCause::kThrottle, &reply);
  if (reply.status >= 500) return Failed(flight->call, guard::RetryCause::kTransient, &reply);
  if (flight->streams > Micros(0)) {
    At(now_ + flight->streams, Kind::kEnd, id);
    return;
  }
  Ended(id);
}

void World::Ended(uint64_t id) {
  Call* call = nullptr;
  Flight* flight = Current(id, &call);
  if (flight == nullptr) return;
  std::optional<guard::TokenCost> cost;
  if (ClientOf(*call).tokens) {
    const simulate::CallCost& actual = flight->actual;
    cost = guard::TokenCost{actual.input_tokens, actual.output_tokens,
                            actual.input_tokens + actual.output_tokens};
  }
  subject_->Settle(std::exchange(call->ticket, 0), cost, now_);
  Finish(flight->call, true, std::nullopt);
}

void World::Break(uint64_t id) {
  ++report_.broken;
  Call* call = nullptr;
  const Flight* flight = Current(id, &call);
  if (flight != nullptr) Failed(flight->call, guard::RetryCause::kTransient, nullptr);
}

void World::Failed(uint64_t id, guard::RetryCause cause, const Reply* reply) {
  Call& call = calls_.at(id);
  Shows(&call, guard::Health::kIll);
  guard::RetryAsk ask;
  ask.cause = cause;
  ask.attempts = call.attempts;
  ask.repeatable = ClientOf(call).repeatable;
  if (reply != nullptr) ask.retry_after_seconds = reply->retry_after_seconds;
  ask.deadline = call.deadline;
  const guard::RetryVerdict verdict = subject_->AskRetry(ask, now_);
  checks_.Retried(verdict, ask, now_);
  subject_->Release(std::exchange(call.ticket, 0), now_);
  call.flight = 0;
  if (verdict.kind == guard::RetryVerdict::Kind::kRetry) return AskTurn(id, true, verdict.not_before);
  std::optional<SystemTime> again_at;
  if (reply != nullptr && reply->retry_after_seconds) {
    again_at = now_ + SecondsToMicros(*reply->retry_after_seconds);
  }
  Finish(id, false, again_at);
}

void World::Refused(uint64_t id, const guard::Refusal& refusal) {
  ++report_.own_refusals;
  if (refusal.until + options_.network.rim_most < now_)
    checks_.Fail(now_, "a refusal tells of a time that is gone");
  if (options_.expect.no_own_refusals) {
    checks_.Fail(now_, "a refusal of ours: " + std::string(ToText(refusal.reason)) + " " + refusal.quota);
  }
  Finish(id, false, refusal.until);
}

void World::Leave(uint64_t id) {
  Call* call = Known(id);
  if (call == nullptr) return;
  ++report_.left;
  Trace("leaves", id, static_cast<double>(call->ticket != 0));
  if (call->waiter != 0) {
    if (waiters_.erase(call->waiter) > 0) CountWaiting(*call, -1);
    subject_->Leave(call->waiter, now_);
  }
  if (call->ticket != 0) subject_->Release(call->ticket, now_);
  Shows(call, guard::Health::kUnknown);
  Finish(id, false, std::nullopt);
}

void World::Finish(uint64_t id, bool served, std::optional<SystemTime> again_at) {
  const Call call = std::move(calls_.extract(id).mapped());
  const ClientOptions& client = options_.clients[call.client];
  report_.served += served;
  report_.flows[call.client].served += served;
  if (client.kind != ClientOptions::Kind::kLoop || over()) return;
  SystemTime next = now_ + client.pause;
  if (!served) {
    // A loop that was refused rests, as told or for a moment.
    const SystemTime told = again_at && client.patient ? *again_at : now_;
    next = std::max(next, std::min(told, now_ + client.patience_most)) +
           habits_.Between(Micros(1), Micros(20ms));
  }
  At(next, Kind::kAsk, call.client);
}

}  // namespace apiquota::world
