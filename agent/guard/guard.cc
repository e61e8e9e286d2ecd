#include "guard/guard.h"

#include <algorithm>
#include <random>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include "guard/account.h"
#include "guard/persist.h"

namespace apiquota::guard {
namespace {

constexpr size_t kAccountsMax = 1000;  // in all; the idle ones make room

bool Alike(const Options& a, const Options& b) {
  return a.SameShadow(b) && a.ModeOf(a.pace) == b.ModeOf(b.pace) && a.ModeOf(a.queue) == b.ModeOf(b.queue) &&
         a.ModeOf(a.retry) == b.ModeOf(b.retry) && a.ModeOf(a.cooldown) == b.ModeOf(b.cooldown) &&
         a.ModeOf(a.concurrency) == b.ModeOf(b.concurrency);
}

using Pools = std::map<std::string, GuardedApi, std::less<>>;

// The pool of an api, by the first that is in it. One that only watches is no member of one that is enforced,
// nor the other way round; what else they say of a state that they share is the first one's to say.
GuardedApi Member(GuardedApi api, Pools* pools) {
  std::string name = api.pool;
  for (int other = 2; pools->contains(name) && !Alike(pools->at(name).options, api.options); ++other)
    name = api.pool + "#" + std::to_string(other);
  api.pool = name;
  const GuardedApi& first = pools->try_emplace(name, api).first->second;
  api.options = first.options;
  api.declared = first.declared;
  api.named_by_answer = first.named_by_answer;
  return api;
}

}  // namespace

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Ticket gone(std::move(*this));
  account_ = std::move(other.account_);
  id_ = std::exchange(other.id_, 0);
  return *this;
}

Ticket::~Ticket() {
  if (id_ != 0 && account_) account_->Release(id_, std::nullopt);
}

void Ticket::Sent(SystemTime now) {
  if (id_ != 0) account_->Sent(id_, now);
}

void Ticket::Answered(const Answer& answer, SystemTime now) {
  if (id_ != 0) account_->Answered(id_, answer, now);
}

void Ticket::Settle(const std::optional<TokenCost>& cost, SystemTime now) {
  if (const Id id = std::exchange(id_, 0); id != 0) std::exchange(account_, nullptr)->Settle(id, cost, now);
}

void Ticket::Release(SystemTime now) {
  if (const Id id = std::exchange(id_, 0); id != 0) std::exchange(account_, nullptr)->Release(id, now);
}

struct Guard::Impl {
  Impl(Rim& r, std::optional<uint64_t> s) : rim(r), seed(s ? *s : std::random_device()()) {}

  const GuardedApi* Find(std::string_view api) const {
    const auto found = apis.find(api);
    return found == apis.end() ? nullptr : &found->second;
  }

  std::vector<std::shared_ptr<Account>> All() const {
    const std::shared_lock lock(mutex);
    std::vector<std::shared_ptr<Account>> all;
    all.reserve(accounts.size());
    for (const auto& [name, account] : accounts) all.push_back(account);
    return all;
  }

  // Those that are gone from the configuration among them.
  std::vector<std::shared_ptr<Account>> AllInUse() const {
    std::vector<std::shared_ptr<Account>> all = All();
    const std::shared_lock lock(mutex);
    all.insert(all.end(), leaving.begin(), leaving.end());
    return all;
  }

  std::vector<std::shared_ptr<ApiGuard>> AllApiGuards() const {
    const std::shared_lock lock(mutex);
    std::vector<std::shared_ptr<ApiGuard>> all;
    for (const auto& [name, guard] : api_guards) all.push_back(guard);
    return all;
  }

  // How many wait for all keys of a pool. REQUIRES: the lock, exclusive.
  std::shared_ptr<std::atomic<size_t>> WaitingOf(const std::string& pool) {
    auto& counted = waiting[pool];
    if (counted == nullptr) counted = std::make_shared<std::atomic<size_t>>(0);
    return counted;
  }

  // Those of the configuration in use. REQUIRES: the lock, exclusive.
  void ConfigureApiGuards(SystemTime now) {
    std::erase_if(api_guards, [&](const auto& each) { return !apis.contains(each.first); });
    for (const auto& [name, api] : apis) {
      auto& guard = api_guards[name];
      if (guard == nullptr) guard = std::make_shared<ApiGuard>(name, seed);
      guard->Configure(own_options.at(name), now);
    }
  }

  Rim& rim;
  uint64_t seed;
  mutable std::shared_mutex mutex;  // exclusive: accounts come and go
  std::map<std::string, GuardedApi, std::less<>> apis;
  std::map<std::string, Options, std::less<>> own_options;  // of those, as each says them itself
  std::map<std::string, std::shared_ptr<ApiGuard>, std::less<>> api_guards;          // of those
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Account>> accounts;  // by pool, key
  std::vector<std::shared_ptr<Account>> leaving;  // whose apis are gone, while a request may still wait there
  std::map<std::string, std::shared_ptr<std::atomic<size_t>>, std::less<>> waiting;  // by pool
};

Guard::Guard(Rim& rim, std::optional<uint64_t> seed) : impl_(std::make_unique<Impl>(rim, seed)) {}
Guard::~Guard() = default;

void Guard::Configure(std::vector<GuardedApi> apis, SystemTime now) {
  std::vector<std::shared_ptr<Account>> gone;
  std::vector<std::pair<std::shared_ptr<Account>, GuardedApi>> staying;
  {
    const std::unique_lock lock(impl_->mutex);
    impl_->apis.clear();
    impl_->own_options.clear();
    for (const GuardedApi& api : apis) impl_->own_options.emplace(api.api, api.options);
    Pools pools, unguarded;
    for (GuardedApi& api : apis) {
      const std::string name = api.api;
      if (!api.options.active())
        unguarded.try_emplace(api.pool, std::move(api));
      else
        impl_->apis.emplace(name, Member(std::move(api), &pools));
    }
    impl_->ConfigureApiGuards(now);
    std::erase_if(impl_->leaving, [](const auto& account) { return account.use_count() == 1; });
    for (auto it = impl_->accounts.begin(); it != impl_->accounts.end();) {
      const std::string& name = it->first.first;
      const auto pool = pools.find(name);
      const auto off = unguarded.find(name.substr(0, name.find('#')));
      const bool stays = pool != pools.end();
      if (stays || off != unguarded.end()) staying.emplace_back(it->second, (stays ? pool : off)->second);
      if (!stays && off == unguarded.end()) gone.push_back(it->second);
      if (!stays) impl_->leaving.push_back(it->second);
      it = stays ? std::next(it) : impl_->accounts.erase(it);
    }
    std::erase_if(impl_->waiting, [&](const auto& each) { return !pools.contains(each.first); });
  }
  for (const auto& account : gone) account->Drain(now, now);
  for (const auto& [account, api] : staying) account->Configure(api, now);
}

std::shared_ptr<Account> Guard::AccountFor(std::string_view api, std::string_view key, SystemTime now) {
  {
    const std::shared_lock lock(impl_->mutex);
    const GuardedApi* guarded = impl_->Find(api);
    if (guarded == nullptr) return nullptr;
    const auto found = impl_->accounts.find(std::pair(guarded->pool, std::string(key)));
    if (found != impl_->accounts.end()) return found->second;
  }
  const std::unique_lock lock(impl_->mutex);
  const GuardedApi* guarded = impl_->Find(api);
  if (guarded == nullptr) return nullptr;
  std::pair<std::string, std::string> name(guarded->pool, key);
  if (const auto found = impl_->accounts.find(name); found != impl_->accounts.end()) return found->second;
  if (impl_->accounts.size() >= kAccountsMax) {
    std::erase_if(impl_->accounts, [&](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->idle(now);
    });
  }
  if (impl_->accounts.size() >= kAccountsMax) return nullptr;
  auto account = std::make_shared<Account>(*guarded, std::string(key), ++impl_->seed, impl_->rim,
                                           impl_->WaitingOf(guarded->pool));
  impl_->accounts.emplace(std::move(name), account);
  return account;
}

std::shared_ptr<ApiGuard> Guard::ApiFor(std::string_view api) const {
  const std::shared_lock lock(impl_->mutex);
  const auto found = impl_->api_guards.find(api);
  return found == impl_->api_guards.end() ? nullptr : found->second;
}

std::optional<Refusal> Guard::WouldRefuse(const std::shared_ptr<Account>& account, const Request& request,
                                          SystemTime now) {
  return account->WouldRefuse(request, now);
}

Turn Guard::Ask(const std::shared_ptr<Account>& account, const Request& request, SystemTime now) {
  return account->Ask(request, now);
}

Ticket Guard::Take(const std::shared_ptr<Account>& account, const Request& request, SystemTime now) {
  return account->Take(request, now);
}

RetryVerdict Guard::AskRetry(const std::shared_ptr<Account>& account, const RetryAsk& ask, SystemTime now) {
  return account->AskRetry(ask, now);
}

void Guard::Leave(const std::shared_ptr<Account>& account, Id waiter, SystemTime now) {
  account->Leave(waiter, now);
}

TokenModel Guard::ModelOf(const std::shared_ptr<Account>& account, std::string_view resource,
                          std::string_view route) const {
  return account->ModelOf(resource, route);
}

// Accounts that have nothing due are passed over without their locks.
void Guard::Advance(SystemTime now) {
  SystemTime next = SystemTime::max();
  for (const auto& account : impl_->AllInUse()) {
    if (account->next_at() <= now) account->Advance(now);
    next = std::min(next, account->next_at());
  }
  if (next != SystemTime::max()) impl_->rim.WakeBy(next);
}

void Guard::Drain(SystemTime until, SystemTime now) {
  for (const auto& account : impl_->AllInUse()) account->Drain(until, now);
}

std::vector<AccountView> Guard::View(SystemTime now) const {
  std::vector<AccountView> views;
  for (const auto& account : impl_->All()) views.push_back(account->View(now));
  std::ranges::sort(views, {}, [](const AccountView& view) { return std::tie(view.api, view.key); });
  return views;
}

std::vector<ApiView> Guard::ViewApis(SystemTime now, size_t limits_most) const {
  std::vector<ApiView> views;
  for (const auto& guard : impl_->AllApiGuards()) views.push_back(guard->View(now, limits_most));
  return views;
}

std::vector<AccountView> Guard::ViewOf(std::string_view api, SystemTime now) const {
  std::vector<std::shared_ptr<Account>> accounts;
  {
    const std::shared_lock lock(impl_->mutex);
    const GuardedApi* guarded = impl_->Find(api);
    if (guarded == nullptr) return {};
    for (const auto& [name, account] : impl_->accounts) {
      if (name.first == guarded->pool) accounts.push_back(account);
    }
  }
  std::vector<AccountView> views;
  for (const auto& account : accounts) {
    views.push_back(account->View(now));
    views.back().api = api;
  }
  return views;
}

std::string Guard::Save(SystemTime now, Micros system_ahead) const {
  SavedGuard saved;
  for (const auto& account : impl_->All()) {
    SavedKey key = account->Save(now);
    if (!key.limits.empty() || !key.cooldowns.empty()) saved.keys.push_back(std::move(key));
  }
  for (const auto& guard : impl_->AllApiGuards()) {
    SavedApi api = guard->Save(now);
    if (!api.limits.limits.empty() || !api.judged.limits.empty()) saved.apis.push_back(std::move(api));
  }
  Move(system_ahead, &saved);
  return WriteSaved(saved);
}

Status Guard::Restore(std::string_view text, SystemTime now, Micros system_ahead) {
  Result<SavedGuard> saved = ReadSaved(text);
  if (!saved) return std::unexpected(saved.error());
  Move(-system_ahead, &*saved);
  NotLaterThan(now, &*saved);
  for (const SavedKey& key : saved->keys) {
    if (const auto account = AccountFor(key.api, key.key, now)) account->Restore(key);
  }
  for (const SavedApi& api : saved->apis) {
    if (const auto guard = ApiFor(api.api)) guard->Restore(api, now);
  }
  return {};
}

}  // namespace apiquota::guard
