// What holds for one api as a whole, whatever key a request carries: the operator's own limits and the
// circuit breaker. Asked before the guard of the request's key (guard.h), so that who is refused here has not
// queued there. Thread-safe; state goes on over a reload where the api's name stays.
//
// Who uses it: the proxy gets a Permit for each request, enters each attempt by it, and lets it go.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/breaker.h"
#include "guard/call_report.h"
#include "guard/options.h"
#include "guard/own_limits.h"
#include "guard/persist.h"
#include "guard/values.h"
#include "guard/walked_mutex.h"

namespace apiquota::guard {

class ApiGuard;

// What a request holds of its api. What it took of limits comes back when it goes, unless it was sent; so
// does the breaker's probe. Move-only.
class Permit {
 public:
  Permit() = default;
  Permit(Permit&& other) noexcept;
  Permit& operator=(Permit&& other) noexcept;
  ~Permit();

  // An attempt's turn has come; a refusal: the breaker has opened meanwhile.
  std::optional<Refusal> Enter(SystemTime now);
  void Sent() { sent_ = true; }  // an attempt's head
  // What its answer showed, as far as it has come; that it failed, whatever came before; that it is over
  // otherwise. Nothing, if none has entered.
  void Answered(Health health, SystemTime now);
  void Failed(Health health, SystemTime now);
  // The request is over. `tokens`: what it took, if it said so; not `whole`: until it broke off.
  void Settle(std::optional<double> tokens, SystemTime now, bool whole = true);
  void Release(SystemTime now);  // like its destruction

 private:
  friend class ApiGuard;

  void Begin(std::shared_ptr<ApiGuard> api, SystemTime now);  // it holds nothing
  bool entered() const { return api_ && (entered_.breaker || judged_entered_.breaker); }
  void Over(SystemTime now);                    // the attempt, and it did not fail
  void Release(std::optional<SystemTime> now);  // nothing: as late as the api was told last

  std::shared_ptr<ApiGuard> api_;
  LimitHold hold_, judged_;
  Entered entered_, judged_entered_;
  bool sent_ = false;
};

// What came of a question. Used again for the next one it asks for no memory of its own.
struct ApiTurn {
  std::optional<Refusal> refusal;
  Permit permit;
  std::vector<LimitStanding> standings;  // of the limits in force
  std::optional<Refusal> shadow;         // what those that are only judged would have refused it for
};

// The last request that was refused here, in the numbers that decided. Of the request's address and header
// fields nothing is in it.
struct ApiRefusal {
  SystemTime at;
  Refusal refusal;
  std::string caller, key;  // whose request it was; caller empty: nobody's that is known
};

struct ApiView {
  std::string api;
  std::optional<BreakerView> breaker;  // nothing: none is written
  std::vector<LimitRuleView> limits;   // those in force in their order, then those that are only judged
  std::optional<ApiRefusal> last_refused = {};  // nothing: none yet
  std::optional<ApiRefusal> last_judged = {};   // by what is only judged: it was let through
  std::vector<RouteCalls> routes = {};          // the most called first
};

class ApiGuard : public std::enable_shared_from_this<ApiGuard> {
 public:
  // `seed` is of what is hashed, so that a run can be repeated.
  explicit ApiGuard(std::string api, uint64_t seed = 0) : api_(std::move(api)), calls_(seed) {}

  void Configure(const Options& options, SystemTime now);

  // False: it would admit everybody and count nothing.
  bool asks() const { return asks_.load(std::memory_order_relaxed); }
  void Ask(const LimitedCall& call, SystemTime now, ApiTurn* turn);  // whose permit goes before
  ApiTurn Ask(const LimitedCall& call, SystemTime now) {
    ApiTurn turn;
    Ask(call, now, &turn);
    return turn;
  }
  // Who waits for the lock meanwhile waits for a piece of it, not for the whole.
  ApiView View(SystemTime now, size_t limits_most) const;
  // How the limits in force stand for a caller, key and address; takes nothing (OwnLimits::StandingsOf).
  std::vector<LimitStanding> StandingsOf(const LimitedCall& call, SystemTime now) const;

  SavedApi Save(SystemTime now) const;  // likewise
  void Restore(const SavedApi& saved, SystemTime now);

  CallReport& calls() { return calls_; }
  const std::string& api() const { return api_; }

 private:
  friend class Permit;

  // The latest time that anybody has told. REQUIRES: mutex_.
  SystemTime Latest(SystemTime now) { return latest_ = std::max(latest_, now); }

  // Of limits_ or judged_limits_. REQUIRES: not the lock.
  void Walk(const std::unique_ptr<OwnLimits>& limits, SystemTime now, LimitWalk* walk) const;

  const std::string api_;
  CallReport calls_;
  std::atomic<bool> asks_{false};
  std::atomic<bool> breaks_{false};  // there is a breaker, in force or judged
  mutable WalkedMutex mutex_;
  // Guarded by mutex_; null: none in force, or none judged.
  std::unique_ptr<OwnLimits> limits_, judged_limits_;
  std::shared_ptr<Breaker> breaker_, judged_breaker_;
  std::optional<ApiRefusal> last_refused_, last_judged_;
  SystemTime latest_{};
};

}  // namespace apiquota::guard
