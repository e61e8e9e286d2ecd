#include "simulate/enforcer.h"

#include <algorithm>
#include <utility>

namespace apiquota::simulate {
namespace {

constexpr size_t kScopesMax = 10'000;  // further ones share the count of the nameless

}  // namespace

Enforcer::Enforcer(EnforcerOptions options) : options_(std::move(options)) {
  enforced_ = options_.limits;
  for (const LimitOptions& limit : options_.limits) {
    if (limit.sub_window) enforced_.push_back(SubLimitOf(limit));
  }
}

std::string_view Enforcer::NameOf(const Call& call) const {
  if (options_.scope == LimitScope::kKey) return call.key;
  return options_.scope == LimitScope::kAddress ? call.address : std::string_view();
}

Enforcer::Scope& Enforcer::ScopeOf(const Call& call, SystemTime now) {
  std::string_view name = NameOf(call);
  auto found = scopes_.find(name);
  if (found == scopes_.end() && scopes_.size() >= kScopesMax) found = scopes_.find(name = "");
  if (found != scopes_.end()) return found->second;
  Scope scope{.first_call = now};
  for (const LimitOptions& limit : enforced_) scope.accounts.emplace_back(limit, now);
  return scopes_.emplace(name, std::move(scope)).first->second;
}

Verdict Enforcer::Ask(const Call& call, SystemTime now) {
  if (!totals_.first_call) totals_.first_call = now;
  ++totals_.asked;
  Scope& scope = ScopeOf(call, now);
  const bool early = options_.penalty > Micros(0) && now < scope.blocked_until;
  const auto fits = [&](const Account& account) { return account.WaitFor(call.cost, now) == Micros(0); };
  if (early || !std::ranges::all_of(scope.accounts, fits)) return Refuse(call, early, now, &scope);
  for (Account& account : scope.accounts) account.Admit(call.cost, now);
  ++totals_.admitted;
  active_.emplace(++last_id_, Active{.scope = &scope, .asked = call.cost, .at = now});
  return {.id = last_id_};
}

Verdict Enforcer::Refuse(const Call& call, bool early, SystemTime now, Scope* scope) {
  ++totals_.refused;
  if (early) {
    ++totals_.penalised;
    scope->blocked_until += options_.penalty;
  }
  Verdict verdict{.wait = early ? scope->blocked_until - now : Micros(0)};
  for (size_t i = 0; i < enforced_.size(); ++i) {
    Account& account = scope->accounts[i];
    const bool full = account.WaitFor(call.cost, now) != Micros(0);
    account.Refuse(call.cost, full && !early, options_.count_refused, now);
    // Longer than before, where refused calls count.
    const std::optional<Micros> wait = full ? account.WaitFor(call.cost, now) : Micros(0);
    if (!full || !verdict.wait || (wait && *wait <= *verdict.wait)) continue;
    verdict.wait = wait;
    verdict.limit = i < options_.limits.size() ? i : ParentOf(i);
    verdict.never_fits = account.NeverFits(call.cost);
  }
  if (options_.penalty > Micros(0) && verdict.wait) {
    scope->blocked_until = std::max(scope->blocked_until, now + *verdict.wait);
  }
  return verdict;
}

// Whose sub-limit it is.
size_t Enforcer::ParentOf(size_t index) const {
  size_t parent = 0;
  for (size_t hidden = options_.limits.size();; ++parent) {
    if (options_.limits[parent].sub_window && hidden++ == index) return parent;
  }
}

void Enforcer::End(uint64_t id, const CallCost& actual, SystemTime now) {
  const auto found = active_.find(id);
  if (found == active_.end()) return;
  const Active& call = found->second;
  for (Account& account : call.scope->accounts) account.End(call.asked, actual, call.at, now);
  totals_.input_tokens += actual.input_tokens;
  totals_.output_tokens += actual.output_tokens;
  active_.erase(found);
}

LimitState Enforcer::State(size_t limit, const Call& call, SystemTime now) const {
  const auto scope = scopes_.find(NameOf(call));
  const std::unique_ptr<Counter> fresh = scope == scopes_.end() ? Counter::Make(enforced_[limit]) : nullptr;
  const Counter& counter = fresh ? *fresh : scope->second.accounts[limit].counter();
  return {.limit = counter.Capacity(),
          .remaining = counter.Remaining(now),
          .reset_at = counter.ResetAt(now),
          .window = enforced_[limit].window};
}

Truth Enforcer::TruthAt(SystemTime until) const {
  Truth truth{.totals = totals_};
  truth.totals.scopes = scopes_.size();
  if (totals_.first_call) truth.seconds = std::max(0.0, ToSeconds(until - *totals_.first_call));
  for (size_t i = 0; i < enforced_.size(); ++i) {
    const LimitOptions& options = enforced_[i];
    LimitTruth& limit = truth.limits.emplace_back(LimitTruth{.name = options.name,
                                                             .kind = options.kind,
                                                             .unit = options.unit,
                                                             .limit = options.limit,
                                                             .window = options.window,
                                                             .hidden = i >= options_.limits.size()});
    for (const auto& [name, scope] : scopes_) scope.accounts[i].AddTo(&limit, until);
  }
  AddPossibleRequests(until, &truth);
  Conclude(&truth);
  return truth;
}

void Enforcer::AddPossibleRequests(SystemTime until, Truth* truth) const {
  std::vector<LimitOptions> together;
  for (const LimitOptions& limit : enforced_) {
    if (limit.unit == LimitUnit::kRequests && limit.kind != LimitKind::kConcurrency)
      together.push_back(limit);
  }
  if (together.empty()) return;
  truth->possible_requests = 0;
  for (const auto& [name, scope] : scopes_) {
    *truth->possible_requests += PossibleTogether(together, scope.first_call, until);
  }
}

}  // namespace apiquota::simulate
