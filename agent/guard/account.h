// One key's guard with its lock: the one in force, and the shadow that is judged beside it. Thread-safe.
// Internal to this room.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guard/guard.h"
#include "guard/key_guard.h"

namespace apiquota::guard {

class Account : public std::enable_shared_from_this<Account> {
 public:
  // The rim is told when something is due earlier than it has been told before. `waiting`: how many wait for
  // all keys of the pool together.
  Account(const GuardedApi& api, std::string key, uint64_t seed, Rim& rim,
          std::shared_ptr<std::atomic<size_t>> waiting);
  ~Account();

  Turn Ask(const Request& request, SystemTime now);
  std::optional<Refusal> WouldRefuse(const Request& request, SystemTime now);
  Ticket Take(const Request& request, SystemTime now);
  RetryVerdict AskRetry(const RetryAsk& ask, SystemTime now);
  void Leave(Id waiter, SystemTime now);
  TokenModel ModelOf(std::string_view resource, std::string_view route) const;

  // Of its tickets.
  void Sent(Id ticket, SystemTime now);
  void Answered(Id ticket, const Answer& answer, SystemTime now);
  void Settle(Id ticket, const std::optional<TokenCost>& cost, SystemTime now);
  void Release(Id ticket, std::optional<SystemTime> now);  // nothing: as late as it was told last

  void Advance(SystemTime now);
  void Drain(SystemTime until, SystemTime now);
  void Configure(const GuardedApi& api, SystemTime now);
  SavedKey Save(SystemTime now) const;
  void Restore(const SavedKey& saved);
  bool idle(SystemTime now) const;
  AccountView View(SystemTime now) const;
  SystemTime next_at() const { return next_at_.load(std::memory_order_relaxed); }

  const std::string& api() const { return api_; }
  const std::string& key() const { return key_; }

 private:
  template <class Call>
  auto Locked(SystemTime now, const Call& call);
  void CountWaiting();
  void Deliver(std::vector<Grant> grants);
  SystemTime Latest() const;
  static Options Enforced(const Options& options);
  static std::optional<Options> Shadowed(const Options& options);
  void Make(const GuardedApi& api);

  Rim& rim_;
  const std::string api_, key_;
  const uint64_t seed_;
  const std::shared_ptr<std::atomic<size_t>> waiting_;  // of the pool
  std::atomic<SystemTime> next_at_{SystemTime::max()};

  mutable std::mutex mutex_;
  std::unique_ptr<KeyGuard> guard_;            // guarded by mutex_; null: nothing is enforced
  std::unique_ptr<KeyGuard> shadow_;           // guarded by mutex_; null: nothing is judged beside it
  std::unordered_map<Id, Id> shadow_tickets_;  // by the ticket in force; guarded by mutex_
  Id last_free_ = Id{1} << 63;                 // names of tickets while nothing is enforced: no KeyGuard's
  SystemTime latest_{};                        // guarded by mutex_
  size_t waiting_here_ = 0;                    // its part of waiting_; guarded by mutex_
};

}  // namespace apiquota::guard
