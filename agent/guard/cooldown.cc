#include "guard/cooldown.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace apiquota::guard {

namespace {

constexpr Micros kFirstStep = std::chrono::seconds(1);
constexpr Micros kLastStep = std::chrono::seconds(30);
constexpr Micros kTogether = std::chrono::seconds(1);  // two refusals without evidence within this are some
constexpr Micros kProbeIsGood = std::chrono::seconds(2);  // a refusal would have come by then
constexpr Micros kBelieved = std::chrono::minutes(5);     // whatever is longer is tried
constexpr Micros kRemembered = std::chrono::minutes(1);   // how far it had doubled
constexpr Micros kLeastProbeEvery = std::chrono::seconds(1);
constexpr Micros kMostJitter = std::chrono::seconds(1);

Micros Jitter(double random, Micros wait) {
  if (!(random > 0) || wait.count() <= 0) return Micros(0);
  const double most = static_cast<double>(std::min(wait / 10, kMostJitter).count());
  return Micros(static_cast<int64_t>(std::min(random, 1.0) * most));
}

bool UsedUp(const provider::Reading& reading) {
  if (reading.remaining) return *reading.remaining <= 0;
  return reading.limit && reading.used && *reading.used >= *reading.limit;
}

bool SaysWhen(std::optional<double> retry_after) {
  return retry_after && std::isfinite(*retry_after) && *retry_after > 0;
}

}  // namespace

// How long, when the API does not say: one second, twice as long after each refusal of a request that was let
// through since.
Micros Cooldown::Step(SystemTime admitted_at, SystemTime now) {
  const bool goes_on = step_.count() > 0 && now < until_ + kRemembered;
  if (goes_on && admitted_at < since_) return Micros(0);  // one of those that were under way when it began
  step_ = goes_on ? std::min(step_ * 2, kLastStep) : kFirstStep;
  return step_;
}

std::optional<Cooldown::Claim> Cooldown::Judge(const Answer& answer, SystemTime admitted_at,
                                               std::optional<SystemTime> reset, SystemTime now) {
  using provider::ThrottleSignal;
  const ThrottleSignal signal =
      answer.throttle == nullptr ? ThrottleSignal::kStatus : answer.throttle->signal;
  const auto used_up = std::ranges::find_if(answer.readings, UsedUp);
  const std::string quota = used_up == answer.readings.end() ? "" : used_up->quota;
  if (SaysWhen(answer.retry_after_seconds)) {
    const Micros after = SecondsToMicros(*answer.retry_after_seconds);
    return Claim{answer.received_at + after, Reason::kRetryAfter, "retry-after", quota, false};
  }
  const std::string at_zero = quota.empty() ? "a quota at 0" : "quota " + quota + " at 0";
  if (reset && *reset > now) return Claim{*reset, Reason::kCooldown, at_zero, quota, false};
  if (!quota.empty() || signal != ThrottleSignal::kStatus) {
    std::string evidence = quota.empty() ? "refused: " + std::string(ToText(signal)) : at_zero;
    return Claim{now + Step(admitted_at, now), Reason::kCooldown, std::move(evidence), quota, true};
  }
  const bool again = last_bare_ && now - *last_bare_ <= kTogether;
  last_bare_ = now;
  const bool lapsed = step_.count() > 0 && admitted_at >= since_ && now < until_ + kRemembered;
  if (!again && !lapsed) return std::nullopt;
  return Claim{now + Step(admitted_at, now), Reason::kCooldown, "refused twice", "", true};
}

void Cooldown::Refused(const Answer& answer, const Went& went, std::optional<SystemTime> reset,
                       std::optional<Micros> window, double jitter, SystemTime now) {
  if (answer.throttle != nullptr && answer.throttle->scope == provider::ThrottleScope::kSpend) return;
  std::optional<Claim> claim = Judge(answer, went.admitted_at, reset, now);
  const bool newer = went.sent_at > refused_sent_;
  refused_sent_ = std::max(refused_sent_, went.sent_at);
  if (!claim) return;
  const bool running = until_ > now;
  claim->until += Jitter(jitter, claim->until - now);
  // What was asked last is what holds, unless it does not know: then it only ever adds.
  if (running && claim->until < until_ && (!newer || claim->stepped)) return;
  if (claim->until <= now) {
    if (running) End(now);
    return;
  }
  if (!running) {
    since_ = now;
    last_probe_.reset();
  }
  until_ = claim->until;
  if (window) window_ = window;
  reason_ = claim->reason;
  evidence_ = std::move(claim->evidence);
  quota_ = std::move(claim->quota);
  probe_ = Probe::kDue;
}

void Cooldown::End(SystemTime now) {
  until_ = std::min(until_, now);
  probe_ = Probe::kNone;
  step_ = Micros(0);
  last_bare_.reset();
}

void Cooldown::Served(SystemTime sent_at, SystemTime now) {
  if (sent_at > refused_sent_) End(now);
}

void Cooldown::Left(std::string_view quota, SystemTime sent_at, SystemTime now) {
  if (!quota_.empty() && quota_ == quota && sent_at > refused_sent_) End(now);
}

SystemTime Cooldown::Until(SystemTime now) const {
  if (now < until_ || probe_ != Probe::kOut) return until_;
  return std::max(until_, probe_sent_ + kProbeIsGood);
}

bool Cooldown::TakeProbe(SystemTime now) {
  if (now < until_) {
    last_probe_ = now;
  } else if (probe_ == Probe::kDue) {
    probe_ = Probe::kOut;
    probe_sent_ = now;
  } else {
    return false;
  }
  ++probes_;
  return true;
}

std::optional<SystemTime> Cooldown::NextProbe(const CooldownOptions& options, SystemTime now) const {
  if (now >= until_) return std::nullopt;
  const Micros windows = window_ ? *window_ + *window_ / 2 : Micros(0);
  if (until_ - since_ <= std::max(windows, kBelieved) + kMostJitter) return std::nullopt;
  const SystemTime next = last_probe_.value_or(since_) + std::max(options.probe_every, kLeastProbeEvery);
  return next < until_ ? std::optional(next) : std::nullopt;
}

bool Cooldown::ProbeDue(const CooldownOptions& options, SystemTime now) const {
  const std::optional<SystemTime> next = NextProbe(options, now);
  return next && *next <= now;
}

void Cooldown::ProbeAnswered(SystemTime) {
  if (probe_ == Probe::kOut) probe_ = Probe::kNone;
}

bool Cooldown::idle(SystemTime now) const {
  const bool bare = last_bare_ && now - *last_bare_ <= kTogether;
  const bool counts = evidence_.empty() ? false : now < until_ + kRemembered;
  return !bare && !counts && Until(now) <= now;
}

std::optional<SavedCooldown> Cooldown::Save(SystemTime now) const {
  if (now >= until_) return std::nullopt;
  return SavedCooldown{
      .resource = {}, .since = since_, .until = until_, .reason = reason_, .evidence = evidence_};
}

void Cooldown::TakeUp(const SavedCooldown& saved) {
  since_ = saved.since;
  until_ = saved.until;
  reason_ = saved.reason;
  evidence_ = saved.evidence;
  probe_ = Probe::kDue;
}

}  // namespace apiquota::guard
