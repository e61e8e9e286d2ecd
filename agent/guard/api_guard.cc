#include "guard/api_guard.h"

#include <algorithm>
#include <mutex>

namespace apiquota::guard {
namespace {

template <class Wanted>
std::vector<LimitRule> RulesIn(const Options& options, const Wanted& wanted) {
  std::vector<LimitRule> rules;
  for (const LimitRule& rule : options.limits) {
    if (wanted(options.ModeOf(rule))) rules.push_back(rule);
  }
  return rules;
}

std::vector<LimitRule> RulesInForce(const Options& options) {
  return RulesIn(options, [](Mode mode) { return mode == Mode::kOn; });
}

// What is judged beside those in force: the shadow block's, else those that say shadow.
std::vector<LimitRule> JudgedRules(const Options& options) {
  if (!options.shadow) return RulesIn(options, [](Mode mode) { return mode == Mode::kShadow; });
  Options judged = *options.shadow;
  if (judged.mode == Mode::kOff) judged.mode = Mode::kOn;
  return RulesIn(judged, [](Mode mode) { return mode != Mode::kOff; });
}

void Configure(const BreakerOptions* options, std::shared_ptr<Breaker>* breaker) {
  if (options == nullptr) return breaker->reset();
  if (*breaker) return (*breaker)->Configure(*options);
  *breaker = std::make_shared<Breaker>(*options);
}

Refusal BreakerRefusal(SystemTime until, SystemTime now) {
  Refusal refusal;
  refusal.reason = Reason::kBreaker;
  refusal.status = 503;
  refusal.until = std::max(until, now);
  return refusal;
}

void Note(const Refusal& refusal, const LimitedCall& call, SystemTime now, std::optional<ApiRefusal>* last) {
  *last = ApiRefusal{now, refusal, std::string(call.caller), std::string(call.key)};
}

}  // namespace

void ApiGuard::Configure(const Options& options, SystemTime now) {
  const Mode breaker = options.ModeOf(options.breaker);
  const Options& judged = options.shadow ? *options.shadow : options;
  const bool judges = options.shadow ? judged.ModeOf(judged.breaker) != Mode::kOff : breaker == Mode::kShadow;
  const std::lock_guard lock(mutex_);
  Latest(now);
  OwnLimits::Configure({&limits_, RulesInForce(options), options.exempt},
                       {&judged_limits_, JudgedRules(options), judged.exempt});
  guard::Configure(breaker == Mode::kOn ? &*options.breaker : nullptr, &breaker_);
  guard::Configure(judges ? &*judged.breaker : nullptr, &judged_breaker_);
  breaks_.store(breaker_ || judged_breaker_, std::memory_order_relaxed);
  asks_.store(limits_ || judged_limits_ || breaker_ || judged_breaker_, std::memory_order_relaxed);
}

void ApiGuard::Ask(const LimitedCall& call, SystemTime now, ApiTurn* turn) {
  Permit& permit = turn->permit;
  permit.Begin(shared_from_this(), now);
  turn->refusal.reset();
  turn->shadow.reset();
  turn->standings.clear();
  const std::lock_guard lock(mutex_);
  Latest(now);
  const auto ill = breaker_ ? breaker_->Refuses(now) : std::nullopt;
  if (judged_limits_) turn->shadow = judged_limits_->Ask(call, now, &permit.judged_, nullptr);
  if (judged_breaker_ && !turn->shadow) {
    if (const auto until = judged_breaker_->Refuses(now)) turn->shadow = BreakerRefusal(*until, now);
  }
  if (ill) turn->refusal = BreakerRefusal(*ill, now);
  if (limits_ && !ill) turn->refusal = limits_->Ask(call, now, &permit.hold_, &turn->standings);
  if (turn->refusal) Note(*turn->refusal, call, now, &last_refused_);
  if (turn->shadow) Note(*turn->shadow, call, now, &last_judged_);
}

void ApiGuard::Walk(const std::unique_ptr<OwnLimits>& limits, SystemTime now, LimitWalk* walk) const {
  for (bool more = true; more;) {
    mutex_.LetOthersGo();  // requests
    const std::lock_guard lock(mutex_);
    more = limits && limits->Step(walk, now);
  }
}

ApiView ApiGuard::View(SystemTime now, size_t limits_most) const {
  ApiView view{.api = api_, .breaker = std::nullopt, .limits = {}, .routes = calls_.View()};
  LimitWalk walk(limits_most), judged(limits_most);
  if (limits_most > 0) Walk(limits_, now, &walk);
  if (limits_most > 0) Walk(judged_limits_, now, &judged);
  view.limits = std::move(walk.rules);
  for (LimitRuleView& rule : judged.rules) {
    rule.judged = true;
    view.limits.push_back(std::move(rule));
  }
  const std::lock_guard lock(mutex_);
  if (breaker_) view.breaker = breaker_->View();
  view.last_refused = last_refused_;
  view.last_judged = last_judged_;
  return view;
}

std::vector<LimitStanding> ApiGuard::StandingsOf(const LimitedCall& call, SystemTime now) const {
  const std::lock_guard lock(mutex_);
  return limits_ ? limits_->StandingsOf(call, now) : std::vector<LimitStanding>();
}

SavedApi ApiGuard::Save(SystemTime now) const {
  LimitWalk limits(kSavedMost, LimitWalk::For::kSave), judged(kSavedMost, LimitWalk::For::kSave);
  Walk(limits_, now, &limits);
  Walk(judged_limits_, now, &judged);
  return {.api = api_, .limits = std::move(limits.saved), .judged = std::move(judged.saved)};
}

void ApiGuard::Restore(const SavedApi& saved, SystemTime now) {
  const std::lock_guard lock(mutex_);
  OwnLimits::Restore(limits_.get(), saved.limits, judged_limits_.get(), saved.judged, now);
}

Permit::Permit(Permit&& other) noexcept
    : api_(std::exchange(other.api_, nullptr)),
      hold_(std::move(other.hold_)),
      judged_(std::move(other.judged_)),
      entered_(std::move(other.entered_)),
      judged_entered_(std::move(other.judged_entered_)),
      sent_(other.sent_) {}

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  Permit gone(std::move(*this));
  api_ = std::exchange(other.api_, nullptr);
  hold_ = std::move(other.hold_);
  judged_ = std::move(other.judged_);
  entered_ = std::move(other.entered_);
  judged_entered_ = std::move(other.judged_entered_);
  sent_ = other.sent_;
  return *this;
}

Permit::~Permit() { Release(std::nullopt); }

void Permit::Begin(std::shared_ptr<ApiGuard> api, SystemTime now) {
  Release(now);
  api_ = std::move(api);
  hold_.Clear();
  judged_.Clear();
  sent_ = false;
}

std::optional<Refusal> Permit::Enter(SystemTime now) {
  if (!api_) return std::nullopt;
  Over(now);
  if (!api_->breaks_.load(std::memory_order_relaxed)) return std::nullopt;
  const std::lock_guard lock(api_->mutex_);
  api_->Latest(now);
  if (const auto& breaker = api_->breaker_) {
    const auto pass = breaker->Enter(now);
    if (!pass) {
      const Refusal refusal = BreakerRefusal(breaker->Refuses(now).value_or(now), now);
      Note(refusal, {}, now, &api_->last_refused_);  // it waited: whose it was is not known here
      return refusal;
    }
    entered_ = {.breaker = breaker, .pass = *pass};
  }
  if (const auto& judged = api_->judged_breaker_) {
    if (const auto pass = judged->Enter(now)) judged_entered_ = {.breaker = judged, .pass = *pass};
  }
  return std::nullopt;
}

void Permit::Answered(Health health, SystemTime now) {
  if (!entered()) return;
  const std::lock_guard lock(api_->mutex_);
  api_->Latest(now);
  entered_.Answered(health, now);
  judged_entered_.Answered(health, now);
}

void Permit::Failed(Health health, SystemTime now) {
  if (health == Health::kUnknown) return Over(now);
  if (!entered()) return;
  const std::lock_guard lock(api_->mutex_);
  api_->Latest(now);
  entered_.End(health, now);
  judged_entered_.End(health, now);
}

void Permit::Over(SystemTime now) {
  if (!entered()) return;
  const std::lock_guard lock(api_->mutex_);
  api_->Latest(now);
  entered_.Over(now);
  judged_entered_.Over(now);
}

void Permit::Settle(std::optional<double> tokens, SystemTime now, bool whole) {
  if (!api_) return;
  Over(now);
  if (tokens && (hold_.of_tokens || judged_.of_tokens)) {
    const std::lock_guard lock(api_->mutex_);
    // A reload may have let a rule go from one set to the other meanwhile.
    for (OwnLimits* limits : {api_->limits_.get(), api_->judged_limits_.get()}) {
      if (limits == nullptr) continue;
      limits->Settle(hold_, *tokens, now, whole);
      limits->Settle(judged_, *tokens, now, whole);
    }
  }
  api_.reset();
}

void Permit::Release(SystemTime now) { Release(std::optional(now)); }

void Permit::Release(std::optional<SystemTime> at) {
  if (!api_) return;
  {
    const std::lock_guard lock(api_->mutex_);
    const SystemTime now = api_->Latest(at.value_or(api_->latest_));
    entered_.Over(now);
    judged_entered_.Over(now);
    for (OwnLimits* limits : {api_->limits_.get(), api_->judged_limits_.get()}) {
      if (limits == nullptr || sent_) continue;
      limits->Refund(hold_, now);
      limits->Refund(judged_, now);
    }
  }
  api_.reset();
}

}  // namespace apiquota::guard
