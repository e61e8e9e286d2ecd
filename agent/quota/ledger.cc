#include "quota/ledger.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include "quota/persist.h"
#include "quota/places.h"

namespace apiquota::quota {
namespace {

constexpr Micros kForgetAfter = std::chrono::hours(24);
constexpr Micros kSweepEvery = std::chrono::minutes(1);

bool ExpiredFor(const QuotaState& state, Micros expire_after, Micros how_long, SystemTime now) {
  return now >= HoldsUntil(state.held, expire_after) + how_long;
}

// An exporter that now speaks of another kind of quota under the same name starts it over.
void Describe(const provider::Reading& reading, std::string_view exporter, Slot* slot) {
  if (slot->exporter != exporter) slot->exporter = exporter;
  if (slot->unit != reading.unit) slot->unit = reading.unit;
  if (slot->state.described == reading.kind) return;
  slot->state = {};
  slot->state.described = slot->state.kind = reading.kind;
}

std::optional<provider::QuotaKind> Learned(const QuotaState& state) {
  return state.kind == state.described ? std::nullopt : std::optional(state.kind);
}

void Move(Micros by, Snapshot* snapshot) {
  snapshot->at += by;
  for (QuotaView& view : snapshot->quotas) {
    view.observed_at += by;
    if (view.reset_at) *view.reset_at += by;
    if (view.exhaustion_at) *view.exhaustion_at += by;
  }
}

}  // namespace

struct Ledger::Impl {
  Impl(LedgerOptions o, FairShares* s) : options(o), places(o, s), declared(o.keys_per_api_max, s) {}

  bool FingerprintsFull(std::string_view api, std::string_view key) const {
    if (!key.starts_with(kFingerprintPrefix)) return false;
    size_t count = 0;
    for (auto it = shards.lower_bound(NamePairView{api, kFingerprintPrefix});
         it != shards.end() && it->first.first == api && it->first.second.starts_with(kFingerprintPrefix);
         ++it) {
      ++count;
    }
    return count >= options.keys_per_api_max;
  }

  bool Knows(std::string_view api, std::string_view key) {
    const std::shared_lock lock(mutex);
    return names->Key(api, key);
  }

  // Makes the shard unless another thread has meanwhile; false if there is no room for it.
  bool Ensure(std::string_view api, std::string_view key) {
    {
      const std::shared_lock lock(mutex);
      if (shards.contains(NamePairView{api, key})) return true;
      if (FingerprintsFull(api, key)) return false;
    }
    const std::unique_lock lock(mutex);
    if (shards.contains(NamePairView{api, key})) return true;
    if (!names->Key(api, key) || FingerprintsFull(api, key)) return false;
    shards.try_emplace(NamePair{api, key});
    return true;
  }

  // The slot, made if there is room; null if there is none. REQUIRES: the shard's mutex is held.
  Slot* FindOrMake(const Observation& o, Shard& shard, const provider::Reading& reading) {
    auto found = shard.slots.find(NamePairView{reading.resource, reading.quota});
    const bool own = found != shard.slots.end() && found->second.family == reading.source.family;
    if (own && !reading.source.renamed) return &found->second;
    const std::string_view quota = NameFor(shard, reading, o.readings);
    if (quota != reading.quota) found = shard.slots.find(NamePairView{reading.resource, quota});
    if (found == shard.slots.end()) {
      if (!places.Take(o.api, shard, reading.resource)) return nullptr;
      found = shard.slots.try_emplace(NamePair{reading.resource, quota}).first;
    }
    if (!found->second.family) found->second.family = reading.source.family;
    return &found->second;
  }

  void FoldOne(const Observation& o, const provider::Reading& reading, const Moment& moment, SystemTime now,
               Slot* slot, ObserveResult* result) {
    Describe(reading, o.exporter, slot);
    const FoldResult folded = Fold(reading, moment, options.expire_after, now, &slot->state);
    if (folded.conflict) ++result->conflicts;
    if (slot->peaks == Slot::Peaks::kNone && !places.TakePeaks(o.api, slot)) ++result->dropped;
    if (folded.implausible_reset) result->implausible.push_back(provider::SignalField::kReset);
    if (!folded.limit_before) return;
    result->limit_changes.push_back(
        {{std::string(o.api), std::string(o.key), reading.resource, reading.quota, reading.unit},
         *folded.limit_before,
         *slot->state.held.limit});
  }

  // Folds readings from the given one on; stops at the first without room and says which. Nothing if there is
  // no shard.
  std::optional<size_t> FoldFrom(size_t first, const Observation& o, SystemTime now, ObserveResult* result) {
    const std::shared_lock lock(mutex);
    const auto found = shards.find(NamePairView{o.api, o.key});
    if (found == shards.end()) return std::nullopt;
    Shard& shard = found->second;
    const std::lock_guard shard_lock(shard.mutex);
    const Said said = Sane({o.sent_at, o.received_at, o.date, o.order}, o.age);
    if (first == 0) shard.offsets.Note(said);
    const Moment moment{said, shard.offsets.Agreed(), o.age, o.system_ahead};
    for (size_t i = first; i < o.readings.size(); ++i) {
      if (!provider::HasNumbers(o.readings[i])) continue;
      Slot* slot = FindOrMake(o, shard, o.readings[i]);
      if (slot == nullptr) return i;
      FoldOne(o, o.readings[i], moment, now, slot, result);
    }
    return o.readings.size();
  }

  // At most one thread a minute: a full ledger must stay cheap.
  bool SweepDue(SystemTime now) {
    SystemTime last = last_sweep.load();
    const bool due = now >= last + kSweepEvery || now + kSweepEvery < last;
    return due && last_sweep.compare_exchange_strong(last, now);
  }

  // Frees the slots of quotas silent for long enough, and the keys without any.
  void Sweep(SystemTime now) {
    const std::unique_lock lock(mutex);
    for (auto& [name, shard] : shards) Forget(name.first, options.expire_after, now, &shard);
    std::erase_if(shards, [](const auto& entry) { return entry.second.slots.empty(); });
  }

  void Forget(std::string_view api, Micros silent_for, SystemTime now, Shard* shard) {
    std::erase_if(shard->slots, [&](const auto& entry) {
      if (!ExpiredFor(entry.second.state, options.expire_after, silent_for, now)) return false;
      places.GiveBack(api, entry.second);
      return true;
    });
  }

  void ForgetUnknown(std::shared_ptr<const KnownNames> known) {
    const std::unique_lock lock(mutex);
    names = std::move(known);
    std::erase_if(shards, [&](const auto& entry) {
      if (names->Key(entry.first.first, entry.first.second)) return false;
      for (const auto& [name, slot] : entry.second.slots) places.GiveBack(entry.first.first, slot);
      return true;
    });
    places.SetHolders(*names);
  }

  // Calls visit(names of shard, names of slot, slot) in the order of QuotaId, each shard under its
  // lock.
  template <class Visit>
  void ForEach(Visit visit) {
    const std::shared_lock lock(mutex);
    for (auto& [key, shard] : shards) {
      const std::lock_guard shard_lock(shard.mutex);
      for (auto& [name, slot] : shard.slots) visit(key, name, slot);
    }
  }

  void ForgetSilent(SystemTime now) {
    const std::shared_lock lock(mutex);
    for (auto& [key, shard] : shards) {
      const std::lock_guard shard_lock(shard.mutex);
      Forget(key.first, kForgetAfter, now, &shard);
    }
  }

  const LedgerOptions options;
  Places places;
  DeclaredLimits declared;
  std::shared_mutex mutex;  // exclusive: shards come and go
  std::shared_ptr<const KnownNames> names = std::make_shared<const KnownNames>();  // guarded by mutex
  std::map<NamePair, Shard, NameOrder> shards;
  std::atomic<uint64_t> dropped{0};
  std::atomic<SystemTime> last_sweep{SystemTime{}};
};

Ledger::Ledger(LedgerOptions options, FairShares* series) : impl_(std::make_unique<Impl>(options, series)) {}
Ledger::~Ledger() = default;

void Ledger::Configure(std::shared_ptr<const KnownNames> names) { impl_->ForgetUnknown(std::move(names)); }

ObserveResult Ledger::Observe(const Observation& o, SystemTime now) {
  ObserveResult result;
  size_t next = 0;
  while (next < o.readings.size()) {
    const std::optional<size_t> folded = impl_->FoldFrom(next, o, now, &result);
    if (!folded && impl_->Ensure(o.api, o.key)) continue;
    if (!folded && !impl_->Knows(o.api, o.key)) return result;  // of a configuration that is gone
    next = folded.value_or(next);
    if (next == o.readings.size()) break;
    // No room for this one: free what has been silent and try again, else leave it out.
    if (impl_->SweepDue(now)) {
      impl_->Sweep(now);
      continue;
    }
    ++result.dropped;
    ++next;
  }
  impl_->dropped += result.dropped;
  return result;
}

Snapshot Ledger::Read(SystemTime now, Micros system_ahead) const {
  Snapshot snapshot;
  snapshot.at = now;
  impl_->ForgetSilent(now);
  impl_->ForEach([&](const NamePair& key, const NamePair& name, Slot& slot) {
    Advance(now, &slot.state);
    impl_->places.TakePeaks(key.first, &slot);
    QuotaView view = View(slot.state, impl_->options.expire_after, now);
    view.id = {key.first, key.second, name.first, name.second, slot.unit};
    view.exporter = slot.exporter;
    if (slot.peaks != Slot::Peaks::kShown) view.window_peaks.reset();
    snapshot.quotas.push_back(std::move(view));
  });
  snapshot.dropped_total = impl_->dropped;
  impl_->declared.AddTo(&snapshot);
  if (system_ahead != Micros(0)) Move(system_ahead, &snapshot);
  return snapshot;
}

DeclaredLimits& Ledger::declared() { return impl_->declared; }

std::string Ledger::Save(SystemTime now, Micros system_ahead) const {
  Saved saved;
  impl_->ForgetSilent(now);
  impl_->ForEach([&](const NamePair& key, const NamePair& name, const Slot& slot) {
    saved.quotas.push_back({{key.first, key.second, name.first, name.second, slot.unit},
                            slot.exporter,
                            slot.state.described,
                            Learned(slot.state),
                            slot.family,
                            slot.state.held});
  });
  saved.counts = impl_->declared.Save(now);
  if (system_ahead != Micros(0)) Move(system_ahead, &saved);
  return WriteSaved(saved);
}

Status Ledger::Restore(std::string_view text, SystemTime now) {
  Result<Saved> saved = ReadSaved(text);
  if (!saved) return std::unexpected(saved.error());
  impl_->declared.Restore(saved->counts, now);
  for (SavedQuota& quota : saved->quotas) {
    QuotaState state;
    state.described = quota.kind;
    state.kind = quota.learned.value_or(quota.kind);
    Resume(std::move(quota.held), impl_->options.expire_after, now, &state);
    if (ExpiredFor(state, impl_->options.expire_after, kForgetAfter, now)) continue;
    impl_->Ensure(quota.id.api, quota.id.key);
    const std::shared_lock lock(impl_->mutex);
    const auto found = impl_->shards.find(NamePairView{quota.id.api, quota.id.key});
    if (found == impl_->shards.end()) continue;
    Shard& shard = found->second;
    const std::lock_guard shard_lock(shard.mutex);
    const NamePair name{quota.id.resource, quota.id.quota};
    // What was observed since the start is newer than what was saved.
    if (shard.slots.contains(name) || !impl_->places.Take(quota.id.api, shard, name.first)) continue;
    Slot slot{.unit = std::move(quota.id.unit),
              .exporter = std::move(quota.exporter),
              .family = quota.family,
              .state = std::move(state)};
    impl_->places.TakePeaks(quota.id.api, &slot);
    shard.slots.emplace(name, std::move(slot));
  }
  return {};
}

}  // namespace apiquota::quota
