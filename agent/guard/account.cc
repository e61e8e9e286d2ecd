#include "guard/account.h"

#include <algorithm>
#include <utility>

namespace apiquota::guard {
namespace {

Mode InForce(Mode mode) { return mode == Mode::kOn ? Mode::kOn : Mode::kOff; }
Mode Judged(Mode mode) { return mode == Mode::kOff ? Mode::kOff : Mode::kOn; }

template <class Change>
void EachPart(Options* options, const Change& change) {
  for (Part* part : {static_cast<Part*>(&options->pace), static_cast<Part*>(&options->queue),
                     static_cast<Part*>(&options->retry), static_cast<Part*>(&options->cooldown)}) {
    part->mode = change(options->ModeOf(*part));
  }
  if (options->concurrency) options->concurrency->mode = change(options->ModeOf(options->concurrency));
}

bool AnyPart(const Options& options, Mode mode) {
  for (const Part* part :
       {static_cast<const Part*>(&options.pace), static_cast<const Part*>(&options.queue),
        static_cast<const Part*>(&options.retry), static_cast<const Part*>(&options.cooldown)}) {
    if (options.ModeOf(*part) == mode) return true;
  }
  return options.concurrency && options.ModeOf(options.concurrency) == mode;
}

}  // namespace

// What changes something: parts that are on.
Options Account::Enforced(const Options& options) {
  Options enforced = options;
  EachPart(&enforced, InForce);
  return enforced;
}

// What is judged beside it: the block of its own, else these options with all their shadows on.
std::optional<Options> Account::Shadowed(const Options& options) {
  if (options.shadow == nullptr && !AnyPart(options, Mode::kShadow)) return std::nullopt;
  Options judged = options.shadow ? *options.shadow : options;
  if (options.shadow && judged.mode == Mode::kOff) judged.mode = Mode::kOn;
  EachPart(&judged, Judged);
  judged.mode = Mode::kOn;
  return judged;
}

Account::Account(const GuardedApi& api, std::string key, uint64_t seed, Rim& rim,
                 std::shared_ptr<std::atomic<size_t>> waiting)
    : rim_(rim), api_(api.api), key_(std::move(key)), seed_(seed), waiting_(std::move(waiting)) {
  Make(api);
}

Account::~Account() { waiting_->fetch_sub(waiting_here_, std::memory_order_relaxed); }

// REQUIRES: the lock.
void Account::CountWaiting() {
  const size_t waiting = guard_->waiting();
  if (waiting != waiting_here_) waiting_->fetch_add(waiting - waiting_here_, std::memory_order_relaxed);
  waiting_here_ = waiting;
}

void Account::Make(const GuardedApi& api) {
  const auto configure = [&](std::unique_ptr<KeyGuard>* guard, const Options& options, uint64_t seed) {
    if (*guard) return (*guard)->Configure(options, api.declared);
    *guard = std::make_unique<KeyGuard>(options, api.declared, api.named_by_answer, seed);
  };
  if (AnyPart(api.options, Mode::kOn) || guard_) {
    configure(&guard_, Enforced(api.options), seed_);
  }
  if (const auto shadow = Shadowed(api.options)) {
    configure(&shadow_, *shadow, seed_ + 1);
  } else {
    shadow_.reset();
    shadow_tickets_.clear();
  }
}

// Runs the call, then whatever has become due; what was granted is delivered without the lock.
template <class Call>
auto Account::Locked(SystemTime now, const Call& call) {
  std::vector<Grant> grants;
  std::optional<SystemTime> wake;
  std::unique_lock lock(mutex_);
  latest_ = std::max(latest_, now);
  if (guard_) guard_->SetWaitingElsewhere(waiting_->load(std::memory_order_relaxed) - waiting_here_);
  auto result = call();
  if (guard_) {
    guard_->Advance(now, &grants);
    CountWaiting();
    const SystemTime next = guard_->NextAt(now).value_or(SystemTime::max());
    if (next < next_at_.load(std::memory_order_relaxed)) wake = next;
    next_at_.store(next, std::memory_order_relaxed);
  }
  lock.unlock();
  if (!grants.empty()) Deliver(std::move(grants));
  if (wake) rim_.WakeBy(*wake);
  return result;
}

void Account::Deliver(std::vector<Grant> grants) {
  std::ranges::stable_sort(grants, {}, &Grant::home);
  for (auto it = grants.begin(); it != grants.end();) {
    const uint32_t home = it->home;
    std::vector<Granted> granted;
    for (; it != grants.end() && it->home == home; ++it) {
      granted.push_back({this, it->waiter,
                         it->ticket != 0 ? Ticket(shared_from_this(), it->ticket) : Ticket(),
                         std::move(it->refusal), it->reason, std::move(it->quota), it->waited});
    }
    rim_.Deliver(home, std::move(granted));
  }
}

Turn Account::Ask(const Request& request, SystemTime now) {
  return Locked(now, [&] {
    Turn turn;
    if (guard_) turn.verdict = guard_->Ask(request, now);
    if (!guard_) turn.verdict.id = ++last_free_;
    const bool admitted = turn.verdict.kind == Verdict::Kind::kAdmit;
    if (admitted) turn.ticket = Ticket(shared_from_this(), turn.verdict.id);
    if (shadow_ && !request.again) {
      turn.shadow = shadow_->Judge(request, now);
      // What waits or is refused here is not sent there either.
      if (admitted) {
        shadow_tickets_[turn.verdict.id] = turn.shadow->id;
      } else {
        shadow_->Release(turn.shadow->id, now);
      }
    }
    return turn;
  });
}

std::optional<Refusal> Account::WouldRefuse(const Request& request, SystemTime now) {
  const std::lock_guard lock(mutex_);
  return guard_ ? guard_->WouldRefuse(request, now) : std::nullopt;
}

Ticket Account::Take(const Request& request, SystemTime now) {
  return Locked(now, [&] {
    const Id id = guard_ ? guard_->Take(request, now) : ++last_free_;
    if (shadow_) shadow_tickets_[id] = shadow_->Take(request, now);
    return Ticket(shared_from_this(), id);
  });
}

RetryVerdict Account::AskRetry(const RetryAsk& ask, SystemTime now) {
  const std::lock_guard lock(mutex_);
  return guard_ ? guard_->AskRetry(ask, now) : RetryVerdict{RetryVerdict::Kind::kOff, now};
}

void Account::Leave(Id waiter, SystemTime now) {
  Locked(now, [&] {
    if (guard_) guard_->Leave(waiter, now);
    return true;
  });
}

TokenModel Account::ModelOf(std::string_view resource, std::string_view route) const {
  const std::lock_guard lock(mutex_);
  const KeyGuard* guard = guard_ ? guard_.get() : shadow_.get();
  return guard != nullptr ? guard->ModelOf(resource, route) : TokenModel{};
}

void Account::Sent(Id ticket, SystemTime now) {
  const std::lock_guard lock(mutex_);
  if (guard_) guard_->Sent(ticket, now);
  const auto shadow = shadow_tickets_.find(ticket);
  if (shadow != shadow_tickets_.end()) shadow_->Sent(shadow->second, now);
}

void Account::Answered(Id ticket, const Answer& answer, SystemTime now) {
  Locked(now, [&] {
    if (guard_) guard_->Answered(ticket, answer, now);
    const auto shadow = shadow_tickets_.find(ticket);
    if (shadow != shadow_tickets_.end()) shadow_->Answered(shadow->second, answer, now);
    return true;
  });
}

void Account::Settle(Id ticket, const std::optional<TokenCost>& cost, SystemTime now) {
  Locked(now, [&] {
    if (guard_) guard_->Settle(ticket, cost, now);
    const auto shadow = shadow_tickets_.find(ticket);
    if (shadow != shadow_tickets_.end()) {
      shadow_->Settle(shadow->second, cost, now);
      shadow_tickets_.erase(shadow);
    }
    return true;
  });
}

SystemTime Account::Latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void Account::Release(Id ticket, std::optional<SystemTime> at) {
  const SystemTime now = at ? *at : Latest();
  Locked(now, [&] {
    if (guard_) guard_->Release(ticket, now);
    const auto shadow = shadow_tickets_.find(ticket);
    if (shadow != shadow_tickets_.end()) {
      shadow_->Release(shadow->second, now);
      shadow_tickets_.erase(shadow);
    }
    return true;
  });
}

void Account::Advance(SystemTime now) {
  Locked(now, [] { return true; });
}

void Account::Drain(SystemTime until, SystemTime now) {
  std::vector<Grant> grants;
  {
    const std::lock_guard lock(mutex_);
    if (guard_) guard_->Drain(until, now, &grants);
  }
  Deliver(std::move(grants));
  Advance(now);
}

void Account::Configure(const GuardedApi& api, SystemTime now) {
  Locked(now, [&] {
    Make(api);
    return true;
  });
}

SavedKey Account::Save(SystemTime now) const {
  const std::lock_guard lock(mutex_);
  SavedKey saved = guard_ ? guard_->Save(now) : SavedKey{};
  saved.api = api_;
  saved.key = key_;
  return saved;
}

void Account::Restore(const SavedKey& saved) {
  const std::lock_guard lock(mutex_);
  if (guard_) guard_->Restore(saved);
  if (shadow_) shadow_->Restore(saved);
}

bool Account::idle(SystemTime now) const {
  const std::lock_guard lock(mutex_);
  return !guard_ || guard_->idle(now);
}

AccountView Account::View(SystemTime now) const {
  const std::lock_guard lock(mutex_);
  AccountView account{api_, key_, guard_ ? guard_->View(now) : KeyView{}};
  if (shadow_) account.shadow = shadow_->View(now);
  if (!guard_ && shadow_) account.view.in_flight = account.shadow->in_flight;
  return account;
}

}  // namespace apiquota::guard
