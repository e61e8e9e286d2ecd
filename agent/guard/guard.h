// The guard of every key of every API: finds the one that is meant, holds its lock, and hands grants to the
// loops that own their requests. Decisions are KeyGuard's. Thread-safe.
//
// Who uses it: the proxy asks a Turn for each request, tells it what happens, and lets it go; whatever it
// still holds comes back then.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "guard/api_guard.h"
#include "guard/key_guard.h"
#include "guard/options.h"
#include "guard/values.h"
#include "quota/options.h"

namespace apiquota::guard {

class Guard;
class Account;  // one key's state with its lock

// What an admitted request holds; gives it back when it goes. Move-only. Its calls are those of KeyGuard.
class Ticket {
 public:
  Ticket() = default;
  Ticket(std::shared_ptr<Account> account, Id id) : account_(std::move(account)), id_(id) {}
  Ticket(Ticket&& other) noexcept : account_(std::move(other.account_)), id_(std::exchange(other.id_, 0)) {}
  Ticket& operator=(Ticket&& other) noexcept;
  ~Ticket();

  explicit operator bool() const { return id_ != 0; }
  Id id() const { return id_; }
  void Sent(SystemTime now);
  void Answered(const Answer& answer, SystemTime now);
  void Settle(const std::optional<TokenCost>& cost, SystemTime now);  // it holds nothing afterwards
  void Release(SystemTime now);                                       // like its destruction

 private:
  std::shared_ptr<Account> account_;
  Id id_ = 0;
};

// A grant as it reaches the loop that owns the waiter.
struct Granted {
  const Account* account = nullptr;  // whose waiter: others have one of the same name
  Id waiter = 0;
  Ticket ticket;  // none: refused
  std::optional<Refusal> refusal;
  Reason reason = Reason::kNone;
  std::string quota;
  Micros waited{};
};

// The rim: both are called from any thread, with no lock held that a guard's call would need.
class Rim {
 public:
  virtual void Deliver(uint32_t home, std::vector<Granted> granted) = 0;
  virtual void WakeBy(
      SystemTime at) = 0;  // call Advance by then; earlier is fine, once per Advance is enough

 protected:
  ~Rim() = default;
};

// Of one api, as the guard needs it.
struct GuardedApi {
  std::string api;
  // Apis of one base URL have one. Of those whose parts are in the same modes the keys share one state, by
  // the settings of the first.
  std::string pool;
  Options options;
  std::vector<quota::DeclaredLimit> declared;
  bool named_by_answer = false;  // the resource of a request
};

// What came of a question.
struct Turn {
  Verdict verdict;
  Ticket ticket;                  // kAdmit
  std::optional<Verdict> shadow;  // what the shadow would have said
};

// One account for the pages.
struct AccountView {
  std::string api, key;
  KeyView view;
  std::optional<KeyView> shadow = {};  // of what is judged beside it; nobody waits there
};

class Guard {
 public:
  // `seed` is of its accounts' jitter, so that a run can be repeated; nothing: drawn.
  explicit Guard(Rim& rim, std::optional<uint64_t> seed = {});
  ~Guard();

  // What protects whom from now on; state goes on where the pool and the key stay. Waiters of apis that are
  // gone are refused (503); those of apis whose guard is off now may go.
  void Configure(std::vector<GuardedApi> apis, SystemTime now);

  // The account of a key; null: the api is not guarded, or 1,000 keys are in use already. Kept by the caller
  // as long as the configuration stays.
  std::shared_ptr<Account> AccountFor(std::string_view api, std::string_view key, SystemTime now);

  // What holds for the api as a whole; null: it is not guarded. Kept like an account.
  std::shared_ptr<ApiGuard> ApiFor(std::string_view api) const;

  Turn Ask(const std::shared_ptr<Account>& account, const Request& request, SystemTime now);
  // What would refuse the request now, whatever its own limits said; nothing: it would go or wait.
  std::optional<Refusal> WouldRefuse(const std::shared_ptr<Account>& account, const Request& request,
                                     SystemTime now);
  // For polls: counted, never queued.
  Ticket Take(const std::shared_ptr<Account>& account, const Request& request, SystemTime now);
  RetryVerdict AskRetry(const std::shared_ptr<Account>& account, const RetryAsk& ask, SystemTime now);
  void Leave(const std::shared_ptr<Account>& account, Id waiter, SystemTime now);
  TokenModel ModelOf(const std::shared_ptr<Account>& account, std::string_view resource,
                     std::string_view route) const;

  // Whatever is due everywhere.
  void Advance(SystemTime now);
  // The agent is stopping: who can't go before `until` is refused (503).
  void Drain(SystemTime until, SystemTime now);

  std::vector<AccountView> View(SystemTime now) const;  // sorted by api, key
  // Of each api that is guarded, sorted by name; of each limit's users at most so many.
  std::vector<ApiView> ViewApis(SystemTime now, size_t limits_most) const;
  // Of the keys that this api has used: by its name, and those that others of its pool have, whose state is
  // one.
  std::vector<AccountView> ViewOf(std::string_view api, SystemTime now) const;

  // Logs of sends and cooldowns survive a restart. JSON with a version, like the ledger's.
  // Times in the text are of the system clock, which is ahead of `now` by so much. Restore: before anybody
  // asks; it refuses what it can't read whole, and what is no longer guarded is left out.
  std::string Save(SystemTime now, Micros system_ahead = {}) const;
  Status Restore(std::string_view text, SystemTime now, Micros system_ahead = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::guard
