// One quota of one key and resource as the guard holds requests to it: how much may be taken now, and when so
// much can be. docs/guard.md, "What each kind of quota promises". Pure; no thread-safety of its own.
//
// Each own request is counted once: it is not in a reading if it was sent after that reading's request, or
// was unanswered when the reading came. Costs are in the quota's own unit.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "guard/options.h"
#include "guard/persist.h"
#include "guard/values.h"
#include "provider/signals.h"
#include "quota/clock_offset.h"
#include "quota/options.h"

namespace apiquota::guard {

// A reading with what is needed to place it among own requests.
struct Heard {
  const provider::Reading& reading;
  Id ticket = 0;                             // of its request
  bool counted = true;                       // the API has counted that request in what it says
  SystemTime sent_at;                        // its request
  SystemTime received_at;                    // its answer
  std::optional<quota::ClockOffset> offset;  // the raw one: theirs minus ours
  bool throttled = false;                    // the answer refused its request for this quota
};

class Slots;

class Limit {
 public:
  Limit(const PaceOptions& pace, std::string_view quota, std::string_view unit, provider::QuotaKind kind,
        bool kind_assumed);
  // The operator's word for what an API does not say; never more than that in any window.
  static Limit Declared(const PaceOptions& pace, const quota::DeclaredLimit& declared);
  ~Limit();
  Limit(Limit&&) noexcept;
  Limit& operator=(Limit&&) noexcept;

  // What such a request takes of it; 0: it is not asked.
  double CostOf(const TokenCost& tokens) const;

  // The earliest time at which `cost` may be taken after `ahead` (the cost of those who wait before it) has
  // been; `now` or before: at once. Nothing is taken.
  SystemTime EarliestFor(double cost, double ahead, SystemTime now) const;
  bool NeverFits(double cost) const;  // above the limit itself
  // Of calls at a time: ends free it, not time, and EarliestFor says nothing of it. Null: of any other kind.
  const Slots* slots() const;

  // Taken by a ticket, sent or about to be.
  void Take(Id ticket, double cost, SystemTime now);
  void Sent(Id ticket, SystemTime now);
  // Its answer has come. Before it, what the answer says of this quota is heard.
  void Answered(Id ticket, SystemTime now);
  // What it really cost; too little stands as debt. The API has counted it by `counted_by`.
  void Settle(Id ticket, double cost, SystemTime now, SystemTime counted_by);
  void Settle(Id ticket, double cost, SystemTime now) { Settle(ticket, cost, now, now); }
  void GiveBack(Id ticket, SystemTime now);  // it was never sent

  void Hear(const Heard& heard, SystemTime now);
  // Of calls at a time: an answer was served, or refused because there were too many.
  void Served();
  void TooMany(SystemTime admitted_at, SystemTime now);
  // So much waits for it: at a reset that leaves evenly.
  void NoteWaiting(double cost, SystemTime now);
  void SetPace(const PaceOptions& pace);

  // What survives a restart; nothing: its readings alone bound it, or nothing was sent.
  std::optional<SavedLimit> Save(SystemTime now) const;
  static Limit Restored(const PaceOptions& pace, const SavedLimit& saved);
  void TakeUp(const SavedLimit& saved);  // where the configuration declares it, too

  double Reserved() const;  // by tickets that are not settled; 0 at rest
  const std::string& quota() const;
  const std::string& unit() const;
  std::optional<double> limit() const;
  std::optional<double> window_seconds() const;
  std::optional<double> available(SystemTime now) const;  // nothing: not known
  bool idle(SystemTime now) const;                        // it holds nothing that a new one would not know

 private:
  struct State;
  explicit Limit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace apiquota::guard
