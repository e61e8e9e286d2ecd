// The one piece of quota state. Observe() folds readings in, Read() renders a snapshot. Pure arithmetic over
// the given `now`, in running time (base/clock.h), so that no step of the system clock moves a reading: no
// clock, no I/O, no thread. Thread-safe: sharded by (api, key) behind small locks. The rules are
// docs/quota-semantics.md; it names the tests of each.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/fair_shares.h"
#include "base/known_names.h"
#include "provider/signals.h"
#include "quota/declared.h"
#include "quota/options.h"
#include "quota/snapshot.h"

namespace apiquota::quota {

// What one response said, with what is needed to order it among others.
struct Observation {
  std::string_view api;
  std::string_view key;
  std::string_view exporter;
  SystemTime sent_at = {};  // the request, as far as is known; never after the receipt
  SystemTime received_at;
  std::optional<SystemTime> date;  // the upstream's own clock, if it sent one
  Micros age{};                    // since a cache got the response from its origin (RFC 9111 section 5.1)
  uint64_t order = 0;              // order of the requests
  Micros system_ahead{};           // the system clock, of `received_at`
  std::span<const provider::Reading> readings;
};

struct LimitChange {
  QuotaId id;
  double before = 0;
  double after = 0;
};

struct ObserveResult {
  std::vector<LimitChange> limit_changes;
  // Fields ignored because they can't be (reset > 400 days off): for apiquota_parse_errors_total.
  std::vector<provider::SignalField> implausible;
  uint64_t dropped = 0;  // readings without room, and windows' peaks: for apiquota_series_dropped_total
  size_t conflicts = 0;  // readings under whose name another limiter spoke, too
};

class Ledger {
 public:
  // The series that quotas are on /metrics are taken of `series`, which must outlive the ledger; null: there
  // is room for all.
  explicit Ledger(LedgerOptions options, FairShares* series = nullptr);
  ~Ledger();

  // From now on only quotas of these apis and keys are kept; those of others are forgotten.
  void Configure(std::shared_ptr<const KnownNames> names);

  ObserveResult Observe(const Observation& observation, SystemTime now);
  // With all times by the system clock, which is ahead of `now` by so much.
  Snapshot Read(SystemTime now, Micros system_ahead = {}) const;

  // What the operator declared for APIs that don't say it; part of every snapshot.
  DeclaredLimits& declared();

  // Readings survive a restart, counters don't (docs/quota-semantics.md rule 14). The text is JSON with a
  // version; Restore refuses what it can't read whole and keeps the ledger as it was.
  std::string Save(SystemTime now, Micros system_ahead = {}) const;
  Status Restore(std::string_view text, SystemTime now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace apiquota::quota
