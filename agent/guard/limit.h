// One quota of one key and resource as the guard holds requests to it: how much may be taken now, and when so
// much can be. docs/guard.md, "What each kind of quota promises". Pure; no thread-safety of its own.
//
// Each own request is counted once: it is not in a reading if it was sent after that reading's request, or
// was unanswered when the reading came.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "guard/options.h"
#include "guard/values.h"
#include "provider/signals.h"
#include "quota/clock_offset.h"

namespace apiquota::guard {

// A reading with what is needed to place it among own requests.
struct Heard {
  const provider::Reading& reading;
  SystemTime sent_at;                        // its request
  SystemTime received_at;                    // its answer
  std::optional<quota::ClockOffset> offset;  // the raw one: theirs minus ours
  bool throttled = false;                    // the answer refused its request for this quota
};

class Limit {
 public:
  // `declared`: the operator's word (`limits:`); its reading never comes.
  Limit(const PaceOptions& pace, std::string_view quota, std::string_view unit, provider::QuotaKind kind,
        bool kind_assumed);
  ~Limit();
  Limit(Limit&&) noexcept;
  Limit& operator=(Limit&&) noexcept;

  // What the request takes of it; 0: it is not asked.
  double CostOf(const Request& request) const;

  // The earliest time at which `cost` may be taken after `ahead` (the cost of those who wait before it) has
  // been; `now` or before: at once. SystemTime::max(): never. Changes nothing.
  SystemTime EarliestFor(double cost, double ahead, SystemTime now) const;
  bool NeverFits(double cost) const;  // above the limit itself

  // Taken by the ticket `id`, sent or about to be.
  void Take(Id id, double cost, SystemTime now);
  void Sent(Id id, SystemTime now);
  // Its answer's head has come; `counted`: the API has charged it by then.
  void Answered(Id id, SystemTime now, bool counted);
  void Settle(Id id, double cost, SystemTime now);  // what it really cost; too little stands as debt
  void GiveBack(Id id, SystemTime now);             // it was never sent

  void Hear(const Heard& heard, SystemTime now);
  // How many wait for it at its reset: they leave evenly.
  void NoteWaiting(double cost, SystemTime now);

  double Reserved() const;  // by tickets that are not settled; 0 at rest
  const std::string& quota() const;
  const std::string& unit() const;
  std::optional<double> limit() const;
  std::optional<double> window_seconds() const;
  std::optional<double> available(SystemTime now) const;  // nothing: not known

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apiquota::guard
