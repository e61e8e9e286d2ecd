// The limits of the operator's own for one api (docs/guard.md, "Limits of your own"): what each caller, key,
// address or header has used of them. A request takes from all that are meant, or from none; it never waits
// for one. Of the rules of one name the first whose match holds is meant. Pure; not thread-safe.
//
// Bounded in memory, whatever clients call themselves: kRuleBytesMax for each rule
// (guard/own_limits_table.h), in which a fixed or gcra limit holds 10^6 addresses. What clients say of
// themselves is hashed under a key that is drawn at the start. No request looks at more of a table than a
// thousandth of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "guard/limit_rule.h"
#include "guard/own_limits_saved.h"
#include "guard/own_limits_table.h"
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

// What every answer says of a rule in the same words (draft-ietf-httpapi-ratelimit-headers-11).
struct LimitWords {
  std::string item;    // "apiquota-default", quoted
  std::string policy;  // … with its quota and window: an item of RateLimit-Policy
};

// How a limit stands after a request was counted or refused: what its answer says.
struct LimitStanding {
  std::string name;
  LimitRule::Unit unit = LimitRule::Unit::kRequests;
  double limit = 0;
  double remaining = 0;
  Micros window{};
  Micros reset{};  // from now, until all of it is there again (fixed), or the next unit; 0: nothing is used
  std::shared_ptr<const LimitWords> words = {};  // never null in what the guard says
};

LimitWords WordsOf(const LimitStanding& standing);

// What an admitted request has taken, by whatever names it: opaque.
struct LimitHold {
  struct Taken {
    uint64_t rule = 0;
    uint64_t subject = 0;
    double amount = 0;
    int64_t mark = 0;
  };
  std::vector<Taken> taken;
  bool of_tokens = false;  // of limits that count them: there will be something to settle

  void Clear() { taken.clear(), of_tokens = false; }
};

struct LimitTurn {
  std::optional<Refusal> refusal;  // by the limit that holds it longest; nothing has been taken then
  LimitHold hold;
  std::vector<LimitStanding> standings;  // of all that are meant; the one that refuses is the first
};

// What one subject has used of a rule.
struct LimitUse {
  std::string caller, key, address;  // of its `by`
  // Of who has used it, in hex: what is shown of header values, and where a name is not known any more.
  std::string digest;
  double used = 0, allowed = 0;  // allowed: at once; of gcra the burst
  SystemTime reset;
};

// What a rule holds.
struct LimitMemory {
  size_t subjects = 0, bytes = 0;
  uint64_t evicted = 0;  // forgotten before their time, since the start
};

struct LimitRuleView {
  LimitRule rule;
  bool judged = false;  // only: it refuses nobody
  size_t place = 1;     // among those of its name: the first whose match holds is meant
  LimitMemory memory = {};
  std::vector<LimitUse> uses = {};  // the most used first
};

// A look at all subjects in pieces, so that nobody waits for the whole of it: how far it has come.
struct LimitWalk {
  enum class For : uint8_t { kView, kSave };
  explicit LimitWalk(size_t most_of_each, For what = For::kView) : most(most_of_each), purpose(what) {}

  const size_t most;  // of each rule, the most used
  const For purpose;
  std::vector<LimitRuleView> rules;  // found so far
  SavedOwnLimits saved;              // … for kSave, instead

  // Where it is.
  size_t rule = 0, place = 0, told = 0, sends = 0;
  std::vector<std::pair<double, uint64_t>> ranked;  // of that rule; a heap, the least used on top
};

class OwnLimits {
 public:
  static constexpr size_t kRuleBytesMax = 64 * 1024 * 1024;

  explicit OwnLimits(std::vector<LimitRule> rules, std::vector<std::string> exempt = {},
                     size_t rule_bytes_max = kRuleBytesMax);
  ~OwnLimits();

  // What has been used goes on where name, algorithm, unit, window and `by` stay; of rules that are alike but
  // for their match each goes on with its own first.
  void Configure(std::vector<LimitRule> rules, std::vector<std::string> exempt);
  bool empty() const;

  // One of the two sets that an api has, in force and only judged; null: it has no rules.
  struct Set {
    std::unique_ptr<OwnLimits>* limits;
    std::vector<LimitRule> rules;
    std::vector<std::string> exempt;
  };
  // Both at once: what has been used goes on, too, where a rule goes from one to the other.
  static void Configure(Set first, Set second);

  LimitTurn Ask(const LimitedCall& call, SystemTime now);
  // The same in the caller's buffers, whatever stands there; `standings` null: nobody wants them.
  std::optional<Refusal> Ask(const LimitedCall& call, SystemTime now, LimitHold* hold,
                             std::vector<LimitStanding>* standings);
  // It was never sent: all comes back.
  void Refund(const LimitHold& hold, SystemTime now);
  // What it took in the end of those that count tokens. What is more than was expected counts from now on,
  // whether there was room or not. Not `whole`: it had taken so many when it broke off, and what was expected
  // beyond that stays taken.
  void Settle(const LimitHold& hold, double tokens, SystemTime now, bool whole = true);

  // How every rule stands whose subject the call can name and whose callers it is one of, whatever its path,
  // method and headers. Takes nothing.
  std::vector<LimitStanding> StandingsOf(const LimitedCall& call, SystemTime now) const;

  // Rules in their order, with at most `most` uses of each.
  std::vector<LimitRuleView> View(SystemTime now, size_t most) const;
  // At most kSavedMost of each rule, and kSavedSendsMost sends. Restore: before anybody asks; rules that are
  // gone are left out.
  SavedOwnLimits Save(SystemTime now) const;
  void Restore(const SavedOwnLimits& saved, SystemTime now);
  // Of both sets of an api, null where there is none, and what each of them had saved.
  static void Restore(OwnLimits* first, const SavedOwnLimits& of_first, OwnLimits* second,
                      const SavedOwnLimits& of_second, SystemTime now);
  // Either of them in steps of some thousand subjects. False: that was the last.
  bool Step(LimitWalk* walk, SystemTime now) const;

  std::vector<LimitMemory> Memory() const;

 private:
  struct Rule;
  struct State;
  struct Change;
  static void Configure(std::vector<Change>* changes);
  void Begin(const Rule& rule, LimitWalk* walk) const;
  static void Tell(const Rule& rule, const LimitTable::Entry& entry, SystemTime now, LimitWalk* walk);

  std::unique_ptr<State> state_;
};

}  // namespace apiquota::guard
