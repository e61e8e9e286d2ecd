// When an API that refused may be asked again (docs/guard.md, "Cooldown"): by evidence. One per key, resource
// and throttle's scope. Pure; no thread-safety of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "guard/options.h"
#include "guard/persist.h"
#include "guard/values.h"

namespace apiquota::guard {

class Cooldown {
 public:
  // When a request was let through, and when it was sent: on a connection that had to be made first others
  // may have been refused meanwhile.
  struct Went {
    SystemTime admitted_at, sent_at;
  };

  // A refusal came, `answer`, to a request that went then. `reset`: of a quota that the same
  // answer says is used up, with its margin. `window`: of the quota, if known. Without evidence the first
  // within a second changes nothing. `jitter` is from 0 to 1 and only ever adds: a tenth of the wait, a
  // second at most.
  void Refused(const Answer& answer, const Went& went, std::optional<SystemTime> reset,
               std::optional<Micros> window, double jitter, SystemTime now);
  // A request that was sent at `sent_at` was served: if it is newer than what was refused, that ends it. Only
  // of calls that the API counts like those it refused: a free poll is served in any case.
  void Served(SystemTime sent_at, SystemTime now);
  // An answer to a request that was sent at `sent_at` says that something is left of `quota`: if it is newer
  // and the refusal said that this quota was at 0, that ends it.
  void Left(std::string_view quota, SystemTime sent_at, SystemTime now);

  // From when a request may go; `now` or before: at once. While a probe is out: when it counts as good.
  SystemTime Until(SystemTime now) const;
  // Whether the request that goes now is its probe: the first one after its end, or one of those that a long
  // one lets through every `probe_every`. Told once.
  bool TakeProbe(SystemTime now);
  // Whether one may go although it lasts.
  bool ProbeDue(const CooldownOptions& options, SystemTime now) const;
  std::optional<SystemTime> NextProbe(const CooldownOptions& options, SystemTime now) const;
  void ProbeAnswered(SystemTime now);

  // What survives a restart; nothing: it is over.
  std::optional<SavedCooldown> Save(SystemTime now) const;
  void TakeUp(const SavedCooldown& saved);

  bool active(SystemTime now) const { return Until(now) > now; }
  bool idle(SystemTime now) const;  // it can be forgotten
  // "retry-after", "quota tokens at 0", "refused: header" (body, stream), "refused twice"; empty: none yet.
  std::string_view evidence() const { return evidence_; }
  Reason reason() const { return reason_; }
  uint64_t probes() const { return probes_; }

 private:
  enum class Probe : uint8_t { kNone, kDue, kOut };
  struct Claim {
    SystemTime until;
    Reason reason = Reason::kCooldown;
    std::string evidence;
    std::string quota;     // at 0: the evidence
    bool stepped = false;  // the API did not say when
  };

  std::optional<Claim> Judge(const Answer& answer, SystemTime admitted_at, std::optional<SystemTime> reset,
                             SystemTime now);
  Micros Step(SystemTime admitted_at, SystemTime now);
  void End(SystemTime now);

  SystemTime until_{};
  SystemTime since_{};
  SystemTime refused_sent_{};  // when the newest refused request was sent
  std::optional<Micros> window_;
  Micros step_{};                        // the last one without a time of the API's
  std::optional<SystemTime> last_bare_;  // the last refusal without evidence
  SystemTime probe_sent_{};
  std::optional<SystemTime> last_probe_;  // that a long one let through
  Probe probe_ = Probe::kNone;
  Reason reason_ = Reason::kNone;
  uint64_t probes_ = 0;
  std::string evidence_, quota_;
};

}  // namespace apiquota::guard
