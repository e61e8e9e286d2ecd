#include "world_api.h"

#include <algorithm>
#include <cmath>

#include "provider/derive.h"

namespace apiquota::world {
namespace {

constexpr Micros kSecond = std::chrono::seconds(1);

SystemTime Down(SystemTime at) { return std::chrono::floor<std::chrono::seconds>(at); }
SystemTime Up(SystemTime at) { return std::chrono::ceil<std::chrono::seconds>(at); }
Micros Down(Micros span) { return std::chrono::floor<std::chrono::seconds>(span); }
Micros Up(Micros span) { return std::chrono::ceil<std::chrono::seconds>(span); }

void SayReset(Saying::Reset how, SystemTime reset_at, SystemTime now, provider::Reading* reading,
              std::optional<Micros>* delta) {
  using Reset = Saying::Reset;
  const Micros left = std::max(Micros(0), reset_at - now);
  switch (how) {
    case Reset::kNone:
      return;
    case Reset::kAbsolute:
      reading->reset_at = reset_at;
      break;
    case Reset::kAbsoluteUp:
      reading->reset_at = Up(reset_at);
      break;
    case Reset::kAbsoluteDown:
      reading->reset_at = Down(reset_at);
      break;
    case Reset::kDelta:
      *delta = std::chrono::round<std::chrono::milliseconds>(left);
      return;
    case Reset::kDeltaUp:
      *delta = Up(left);
      return;
    case Reset::kDeltaDown:
      *delta = Down(left);
      return;
  }
  reading->reset_absolute = true;
}

void SayAmounts(const Saying& saying, const simulate::LimitState& state, provider::Reading* reading) {
  const double left = std::clamp(state.remaining, 0.0, state.limit);
  if (saying.unit == "ratio") {
    reading->limit = 1;
    reading->used = std::round((1 - left / state.limit) * 100) / 100;
    return;
  }
  if (saying.limit_said) reading->limit = state.limit;
  if (!saying.remaining_said) return;
  const double step = saying.remaining_step > 0 ? saying.remaining_step : 1;
  reading->remaining = std::floor(left / step + 1e-9) * step;
}

}  // namespace

Api::Api(const ApiOptions& options, SystemTime start, uint64_t seed)
    : options_(options), start_(start), enforcer_(options.enforcer), random_(seed, 11) {}

void Api::Say(const simulate::Call& call, SystemTime now, Reply* reply) {
  if (options_.silent_after && now - start_ >= *options_.silent_after) return;
  const SystemTime theirs = now + options_.skew;
  for (size_t i = 0; i < options_.sayings.size(); ++i) {
    const Saying& saying = options_.sayings[i];
    if (!saying.said) continue;
    const simulate::LimitState state = enforcer_.State(i, call, theirs);
    provider::Reading reading;
    std::optional<Micros> delta;
    reading.resource = options_.names_resource ? std::string(call.key) : std::string();
    reading.quota = saying.quota;
    reading.unit = saying.unit;
    reading.kind = saying.kind;
    reading.kind_assumed = saying.kind_assumed;
    SayAmounts(saying, state, &reading);
    SayReset(saying.reset, state.reset_at, theirs, &reading, &delta);
    reading.window_seconds = saying.window_seconds;
    if (i == 0 && odd_reading_) {
      reading.remaining = odd_reading_->remaining;
      if (odd_reading_->reset_seconds) {
        reading.reset_absolute = false;
        delta = SecondsToMicros(*odd_reading_->reset_seconds);
      }
    }
    reply->readings.push_back(std::move(reading));
    reply->deltas.push_back(delta);
    reply->windows.push_back(saying.window_derived ? provider::WindowRule::kDerived
                                                   : provider::WindowRule::kSaid);
  }
  odd_reading_.reset();
}

bool Api::Odd(SystemTime now, Reply* reply) {
  if (oddities_done_ >= options_.oddities.size()) return false;
  const Oddity& odd = options_.oddities[oddities_done_];
  if (now - start_ < odd.after) return false;
  ++oddities_done_;
  if (!odd.retry_after_seconds) {
    odd_reading_ = odd;
    return false;
  }
  reply->status = 429;
  reply->throttle = provider::Throttle{provider::ThrottleScope::kPrimary, options_.signal, ""};
  reply->retry_after_seconds = odd.retry_after_seconds;
  return true;
}

bool Api::Out(SystemTime now, Reply* reply) {
  const Micros at = now - start_;
  const auto outage = std::ranges::find_if(
      options_.outages, [&](const Outage& each) { return each.from <= at && at < each.to; });
  if (outage == options_.outages.end()) return false;
  ++in_outages_;
  reply->status = outage->status;
  reply->retry_after_seconds = outage->retry_after_seconds;
  if (outage->throttle) {
    reply->throttle = provider::Throttle{provider::ThrottleScope::kPrimary, options_.signal, ""};
  }
  return true;
}

void Api::Refuse(const simulate::Verdict& verdict, Reply* reply) const {
  reply->status = 429;
  const auto& limits = options_.enforcer.limits;
  const bool slots = verdict.limit && *verdict.limit < limits.size() &&
                     limits[*verdict.limit].kind == simulate::LimitKind::kConcurrency;
  const auto scope = slots ? provider::ThrottleScope::kConcurrency : provider::ThrottleScope::kPrimary;
  reply->throttle = provider::Throttle{scope, options_.signal, ""};
  if (!options_.retry_after || !verdict.wait) return;
  reply->retry_after_seconds = ToSeconds(std::max(kSecond, Up(*verdict.wait)));
}

Reply Api::Handle(const std::string& resource, const simulate::CallCost& cost, SystemTime now) {
  if (last_arrival_) blocked_ = std::max(blocked_, now - *last_arrival_);
  last_arrival_ = now;
  ++arrivals_;
  Reply reply;
  if (options_.date) reply.date = Down(now + options_.skew);
  if (options_.names_resource) reply.resource = resource;
  if (Out(now, &reply) || Odd(now, &reply)) return reply;
  if (random_.Chance(options_.fails)) {
    reply.status = 503;
    return reply;
  }
  if (random_.Chance(options_.bare)) {
    reply.status = 429;
    reply.throttle = provider::Throttle{provider::ThrottleScope::kPrimary, options_.signal, ""};
    return reply;
  }
  const simulate::Call call{.key = resource, .cost = cost};
  const simulate::Verdict verdict = enforcer_.Ask(call, now + options_.skew);
  reply.call = verdict.id;
  if (!verdict.admitted()) {
    ++refusals_;
    Refuse(verdict, &reply);
    if (!options_.refusals_say) return reply;
  }
  Say(call, now, &reply);
  return reply;
}

void Api::End(uint64_t call, const simulate::CallCost& actual, SystemTime now) {
  if (call != 0) enforcer_.End(call, actual, now + options_.skew);
}

uint64_t Api::Other(SystemTime now) { return enforcer_.Ask({}, now + options_.skew).id; }

void Api::Receive(Reply* reply, SystemTime asked_at, SystemTime now) {
  for (size_t i = 0; i < reply->readings.size(); ++i) {
    provider::Reading& reading = reply->readings[i];
    if (reply->deltas[i]) reading.reset_at = now + *reply->deltas[i];
    provider::DeriveFields(&reading, reply->windows[i], asked_at);
  }
}

simulate::Truth Api::TruthAt(SystemTime now) const { return enforcer_.TruthAt(now + options_.skew); }

}  // namespace apiquota::world
