// The judge: admits or refuses calls by several limits at once, and knows the truth about it. A call takes
// from all limits or from none. Pure over the `now` it is given, which must not go backwards; no sockets, no
// clock. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "simulate/account.h"
#include "simulate/limit_options.h"
#include "simulate/truth.h"

namespace apiquota::simulate {

struct EnforcerOptions {
  std::vector<LimitOptions> limits;
  LimitScope scope = LimitScope::kAll;
  bool count_refused = false;  // a refused call costs what an admitted one does
  // Each call that comes before the moment its scope was told to wait for is refused and moves that moment
  // away by so much. 0: early calls are judged by the limits alone.
  Micros penalty{0};
};

struct Call {
  std::string_view key = {};      // whose it is, by its credential
  std::string_view address = {};  // … by where it came from
  CallCost cost = {};             // as the request says
};

struct Verdict {
  uint64_t id = 0;  // of an admitted call, for End(); 0: refused
  // Of a refused one: the limit it must wait for longest (an index into EnforcerOptions::limits; nothing: the
  // penalty), and how long until the same call would be admitted if nobody else came (nothing: nobody knows,
  // because other calls must end first; or it costs more than there can ever be).
  std::optional<size_t> limit = {};
  std::optional<Micros> wait = {};
  bool never_fits = false;

  bool admitted() const { return id != 0; }
};

// One limit as it stands for one scope: what an API knows when it says what is left.
struct LimitState {
  double limit = 0;      // a bucket's: its burst
  double remaining = 0;  // below 0: more was taken at the end of calls than there was
  SystemTime reset_at;   // fixed, aligned, elastic: the window's end (one that would begin now, if none is
                         // open); sliding, bucket: when all of it is back; concurrency: now
  Micros window{0};
};

class Enforcer {
 public:
  // REQUIRES: every limit and window > 0.
  explicit Enforcer(EnforcerOptions options);

  const EnforcerOptions& options() const { return options_; }
  std::optional<SystemTime> first_call() const { return totals_.first_call; }

  Verdict Ask(const Call& call, SystemTime now);
  // Once for every call that was admitted, with what it really took. An unknown id is ignored.
  void End(uint64_t id, const CallCost& actual, SystemTime now);

  // As the API would tell this caller; `limit` is an index into options().limits.
  LimitState State(size_t limit, const Call& call, SystemTime now) const;

  // What was enforced, and what a client that knows everything could have had from the first call until
  // `until`.
  Truth TruthAt(SystemTime until) const;

 private:
  struct Scope {
    SystemTime first_call;
    SystemTime blocked_until = SystemTime::min();  // with a penalty: what it was told to wait for
    std::vector<Account> accounts = {};            // one for each of enforced_
  };
  struct Active {
    Scope* scope;
    CallCost asked;
    SystemTime at;
  };

  std::string_view NameOf(const Call& call) const;
  Scope& ScopeOf(const Call& call, SystemTime now);
  Verdict Refuse(const Call& call, bool early, SystemTime now, Scope* scope);
  size_t ParentOf(size_t index) const;
  void AddPossibleRequests(SystemTime until, Truth* truth) const;

  EnforcerOptions options_;
  std::vector<LimitOptions> enforced_;  // those of the options, then their sub-limits
  std::map<std::string, Scope, std::less<>> scopes_;
  std::unordered_map<uint64_t, Active> active_;
  uint64_t last_id_ = 0;
  TruthTotals totals_;
};

}  // namespace apiquota::simulate
