#include "world.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "guard/retry.h"

namespace apiquota::world {
namespace {

// Some day, by the API's clock in the first half of a minute: of windows that are aligned to it, the first is
// worth most of one.
SystemTime StartOf(const Scenario& scenario, uint64_t seed) {
  const Micros phase = Random(seed, 1).Between(Micros(0), Micros(30s));
  return SystemTime(std::chrono::minutes(29'833'333)) + phase - scenario.api.skew;
}

// Of aligned windows in the second half of a minute by that clock: what a late begin costs is no window
// unused.
SystemTime EndOf(const Scenario& scenario, SystemTime start) {
  const auto aligned = [](const simulate::LimitOptions& limit) {
    return limit.kind == simulate::LimitKind::kAligned;
  };
  if (std::ranges::none_of(scenario.api.enforcer.limits, aligned)) return start + scenario.length;
  const SystemTime end = start + scenario.length + scenario.api.skew;
  const SystemTime minute = std::chrono::floor<std::chrono::minutes>(end);
  return std::max(end, minute + 35s) - scenario.api.skew;
}

constexpr uint64_t kHeldEvery = 97;  // events between two looks at what is held

}  // namespace

World::World(const Scenario& scenario, uint64_t seed)
    : options_(scenario),
      start_(StartOf(scenario, seed)),
      now_(start_),
      end_(EndOf(scenario, start_)),
      subject_(MakeSubject(options_, seed, start_)),
      api_(options_.api, start_, seed),
      arrivals_(seed, 2),
      network_(seed, 3),
      habits_(seed, 4),
      checks_(options_, start_) {
  api_guard_->Configure(options_.options, start_);
}

void World::At(SystemTime at, Kind kind, uint64_t subject) {
  if (OfFlight(kind)) ++flights_.at(subject).pending;
  events_.push({std::max(at, now_), ++order_, kind, subject});
}

bool World::OfFlight(Kind kind) {
  return kind == Kind::kArrive || kind == Kind::kHead || kind == Kind::kEnd || kind == Kind::kApiEnd ||
         kind == Kind::kBreak;
}

void World::Next() {
  const Event event = events_.top();
  events_.pop();
  now_ = event.at;
  Handle(event);
  if (OfFlight(event.kind) && --flights_.at(event.subject).pending == 0) flights_.erase(event.subject);
  Pump(event.kind == Kind::kTimer);
}

Report World::Run() {
  for (size_t i = 0; i < options_.clients.size(); ++i) {
    At(start_ + options_.clients[i].begins, Kind::kBegin, i);
    report_.flows.push_back({options_.clients[i].flow, 0, 0, {}});
  }
  if (options_.api.others_per_second > 0) At(start_, Kind::kOther, 0);
  for (const Micros at : options_.reloads) At(start_ + at, Kind::kReload, 0);
  for (const Micros at : options_.restarts) At(start_ + at, Kind::kRestart, 0);
  if (options_.drain_at) At(start_ + *options_.drain_at, Kind::kDrain, 0);
  std::optional<simulate::Truth> truth;
  while (!events_.empty() && !checks_.hopeless()) {
    if (!truth && events_.top().at >= end_) truth = api_.TruthAt(end_);
    Next();
    if (++report_.events % kHeldEvery != 0) continue;
    size_t tickets = 0;
    for (const auto& [id, call] : calls_) tickets += call.ticket != 0;
    for (const auto& [id, grant] : granted_) tickets += grant.ticket != 0;
    checks_.Held(subject_->View(now_), tickets, waiters_.size(), now_);
  }
  Rest();
  report_.truth = truth ? *truth : api_.TruthAt(end_);
  report_.share = report_.truth.share;
  if (report_.truth.binding.empty() && !report_.truth.limits.empty()) {  // of calls at once alone
    report_.share = report_.truth.limits[0].share;
    report_.truth.binding = report_.truth.limits[0].name;
  }
  report_.api_refusals = api_.refusals();
  report_.blocked = api_.blocked();
  report_.length = now_ - start_;
  if (options_.expect.attempts_in_outage &&
      api_.arrivals_in_outages() > *options_.expect.attempts_in_outage) {
    checks_.Fail(now_, "asked " + std::to_string(api_.arrivals_in_outages()) + " times in an outage");
  }
  checks_.Judge(&report_);
  return std::move(report_);
}

void World::Rest() {
  if (!calls_.empty()) {
    checks_.Fail(now_, std::to_string(calls_.size()) + " requests are stuck");
    return;
  }
  checks_.Rest(subject_->View(now_), now_);
  // A probe that never came back would hold up everybody for ever.
  if (!options_.options.breaker) return;
  const SystemTime later = now_ + options_.options.breaker->open_max;
  if (api_guard_->Ask({}, later).permit.Enter(later)) checks_.Fail(now_, "the breaker lets no probe through");
}

void World::Handle(const Event& event) {
  switch (event.kind) {
    case Kind::kBegin:
      return Begin(event.subject);
    case Kind::kAsk:
      return over() ? void() : NewCall(event.subject);
    case Kind::kGranted:
      return Granted(event.subject);
    case Kind::kSend:
      return Send(event.subject);
    case Kind::kArrive:
      return Arrive(event.subject);
    case Kind::kHead:
      return Head(event.subject);
    case Kind::kEnd:
      return Ended(event.subject);
    case Kind::kApiEnd: {
      const Flight& flight = flights_.at(event.subject);
      return api_.End(flight.reply.call, flight.actual, now_);
    }
    case Kind::kBreak:
      return Break(event.subject);
    case Kind::kLeave:
      return Leave(event.subject);
    case Kind::kTimer:
      if (timer_ && *timer_ <= now_) timer_.reset();
      return;
    case Kind::kReload:
      return Reload(event.order);
    case Kind::kRestart:
      return Restart();
    case Kind::kDrain:
      return Drain();
    case Kind::kOther:
      return Other(event.subject);
  }
}

guard::Request World::AsRequest(const Call& call) const {
  const ClientOptions& client = ClientOf(call);
  guard::Request request;
  request.resource = options_.named_by_answer ? std::string_view() : std::string_view(client.resource);
  request.route = client.route;
  request.flow = client.flow;
  request.urgency = client.urgency;
  request.tokens = call.reserved;
  request.capped = client.capped;
  request.charged_at_start = !client.charged_at_end;
  request.text_bytes = call.text_bytes;
  request.deadline = call.deadline;
  request.home = call.home;
  return request;
}

void World::AskTurn(uint64_t id, bool again, SystemTime not_before) {
  Call& call = calls_.at(id);
  guard::Request request = AsRequest(call);
  request.again = again;
  request.not_before = not_before;
  if (ClientOf(call).poll) {
    call.ticket = subject_->Poll(request, now_);
    At(now_, Kind::kSend, id);
    return;
  }
  if (!again && Ill(id)) return;
  const bool look = id % kHeldEvery == 0;
  const guard::KeyView before = look ? subject_->View(now_) : guard::KeyView{};
  const guard::Verdict verdict = subject_->Ask(request, now_);
  switch (verdict.kind) {
    case guard::Verdict::Kind::kAdmit:
      if (not_before > now_) checks_.Fail(now_, "another attempt went before its time");
      call.ticket = verdict.id;
      At(now_ + network_.Between(Micros(0), options_.network.rim_most), Kind::kSend, id);
      return;
    case guard::Verdict::Kind::kQueued:
      Trace("queued", id, static_cast<double>(verdict.reason));
      call.waiter = verdict.id;
      waiters_[verdict.id] = id;
      CountWaiting(call, 1);
      return;
    case guard::Verdict::Kind::kRefuse:
      if (look) checks_.Same(before, subject_->View(now_), now_);
      Refused(id, *verdict.refusal);
      return;
  }
}

void World::Pump(bool woken) {
  grants_.clear();
  subject_->Advance(now_, &grants_);
  ++report_.wakes;
  report_.idle_wakes += grants_.empty();
  checks_.Woken(woken, !grants_.empty(), now_);
  for (const guard::Grant& grant : grants_) Grant(grant);
  if (const std::string difference = subject_->TakeDifference(); !difference.empty()) {
    checks_.Fail(now_, "two that must agree differ in " + difference);
  }
  const std::optional<SystemTime> next = subject_->NextAt(now_);
  checks_.Next(next, now_);
  if (!next || (timer_ && *timer_ <= *next)) return;
  timer_ = std::max(*next, now_ + Micros(1));
  At(*timer_, Kind::kTimer, 0);
}

void World::CountWaiting(const Call& call, int by) {
  const std::string& flow = ClientOf(call).flow;
  size_t& waiting = waiting_[flow];
  waiting += static_cast<size_t>(by);
  checks_.Waiting(flow, waiting);
}

Micros World::Travel(Micros least, Micros jitter) {
  return least + std::min(network_.Around(jitter), options_.network.jitter_most);
}

void World::Trace(const char* what, uint64_t subject, double number) const {
  if (!options_.trace) return;
  std::printf("%12.6f %-10s %6llu %10g  [%s]\n", ToSeconds(now_ - start_), what,
              static_cast<unsigned long long>(subject), number, Text(subject_->View(now_)).c_str());
}

World::Call* World::Known(uint64_t id) {
  const auto call = calls_.find(id);
  return call == calls_.end() ? nullptr : &call->second;
}

// The flight with its call, unless the call has gone on without it.
World::Flight* World::Current(uint64_t flight, Call** call) {
  const auto found = flights_.find(flight);
  if (found == flights_.end()) return nullptr;
  *call = Known(found->second.call);
  return *call && (*call)->flight == flight ? &found->second : nullptr;
}

}  // namespace apiquota::world
