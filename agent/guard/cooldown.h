// When an API that refused may be asked again (docs/guard.md, "Cooldown"): by evidence. One per key, resource
// and throttle's scope. Pure; no thread-safety of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "guard/options.h"
#include "guard/values.h"

namespace apiquota::guard {

class Cooldown {
 public:
  // A refusal came. `reset`: of a quota that the same answer says is used up, with its margin. `window`: of
  // the quota, if known. Without evidence the first within a second changes nothing.
  void Refused(const Answer& answer, SystemTime sent_at, std::optional<SystemTime> reset,
               std::optional<Micros> window, double jitter, SystemTime now);
  // A request that was sent at `sent_at` was served: a newer success ends it.
  void Served(SystemTime sent_at, SystemTime now);

  // From when a request may go; `now` or before: at once. While a probe is out: when it counts as good.
  SystemTime Until(SystemTime now) const;
  // Whether the request that goes now is its probe: the first one after its end, or one of those that a long
  // one lets through every `probe_every`. Told once.
  bool TakeProbe(SystemTime now);
  // Whether one may go although it lasts.
  bool ProbeDue(const CooldownOptions& options, SystemTime now) const;
  std::optional<SystemTime> NextProbe(const CooldownOptions& options, SystemTime now) const;
  void ProbeAnswered(SystemTime now);

  bool active(SystemTime now) const { return Until(now) > now; }
  bool idle(SystemTime now) const;                         // it can be forgotten
  std::string_view evidence() const { return evidence_; }  // "retry-after", "quota tokens at 0", "bare 429 …"
  Reason reason() const { return reason_; }
  uint64_t probes() const { return probes_; }

 private:
  enum class Probe : uint8_t { kNone, kDue, kOut };

  SystemTime until_{};
  SystemTime since_{};
  std::optional<Micros> window_;
  Micros step_{};           // of the next one without evidence
  SystemTime last_bare_{};  // the last refusal without evidence
  SystemTime probe_sent_{};
  SystemTime last_probe_{};
  Probe probe_ = Probe::kNone;
  Reason reason_ = Reason::kNone;
  uint64_t probes_ = 0;
  std::string evidence_;
};

}  // namespace apiquota::guard
