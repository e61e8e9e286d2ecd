// The limits of the operator's own for one api (docs/guard.md, "Limits of your own"): what each caller, key,
// address or header has used of them. A request takes from all that are meant, or from none; it never waits
// for one. Bounded in memory, whatever clients call themselves. Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "guard/limit_rule.h"
#include "guard/values.h"
#include "http/fields.h"

namespace apiquota::guard {

// One request as these limits see it.
struct LimitedCall {
  std::string_view method;
  std::string_view path;     // as sent upstream, without its query
  std::string_view caller;   // empty: nobody that is known
  std::string_view key;      // as the label `key`
  std::string_view address;  // of the client; empty: it is not known
  const http::Fields* fields = nullptr;
  double tokens = 0;  // that it is expected to take
};

// How a limit stands after a request was counted or refused: what its answer says.
struct LimitStanding {
  std::string name;
  LimitRule::Unit unit = LimitRule::Unit::kRequests;
  double limit = 0;
  double remaining = 0;
  Micros window{};
  Micros reset{};  // from now, until all of it is there again (fixed), or the next unit
};

// What an admitted request has taken, by whatever names it: opaque.
struct LimitHold {
  struct Taken {
    size_t rule = 0;
    uint64_t subject = 0;
    double amount = 0;
    SystemTime at;
    uint64_t generation = 0;
  };
  std::vector<Taken> taken;
};

struct LimitTurn {
  std::optional<Refusal> refusal;  // by the limit that holds it longest; nothing has been taken then
  LimitHold hold;
  std::vector<LimitStanding> standings;  // of all that are meant
};

struct LimitUse {
  std::string limit;
  std::string caller, key, address;  // of its `by`; header values never stand here, but as a digest
  LimitRule::Unit unit = LimitRule::Unit::kRequests;
  double used = 0, allowed = 0;
  SystemTime reset;
};

class OwnLimits {
 public:
  explicit OwnLimits(std::vector<LimitRule> rules, std::vector<std::string> exempt = {});
  ~OwnLimits();

  // What has been used goes on where name, algorithm, unit and window stay.
  void Configure(std::vector<LimitRule> rules, std::vector<std::string> exempt);
  bool empty() const;

  LimitTurn Ask(const LimitedCall& call, SystemTime now);
  // It was never sent: all comes back.
  void Refund(const LimitHold& hold, SystemTime now);
  // What it took in the end of those that count tokens.
  void Settle(const LimitHold& hold, double tokens, SystemTime now);

  // The most used first, at most `most`.
  std::vector<LimitUse> View(SystemTime now, size_t most) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apiquota::guard
