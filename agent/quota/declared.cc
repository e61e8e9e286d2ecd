#include "quota/declared.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace apiquota::quota {
namespace {

// What APIs say themselves: api, key, quota, under whatever resource.
using Said = std::set<std::tuple<std::string, std::string, std::string>>;
Said SaidIn(const Snapshot& snapshot) {
  Said said;
  for (const QuotaView& view : snapshot.quotas) {
    if (view.valid) said.emplace(view.id.api, view.id.key, view.id.quota);
  }
  return said;
}

bool Same(const DeclaredLimit& a, const DeclaredLimit& b) {
  return a.quota == b.quota && a.window == b.window;
}

}  // namespace

void RequestCounter::Count(SystemTime now) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    entry.count.Add(now);
    ++entry.total;
    const double limit = entry.declared.limit;
    const auto used = static_cast<double>(entry.count.Count(now));
    CloseIfOver(now, &entry.peaks);
    if (!entry.peaks.open) OpenWindow({now + entry.declared.window, entry.declared.window}, &entry.peaks);
    FoldUse({limit, std::max(limit - used, 0.0), used, {}}, &entry.peaks);
  }
}

// Entries for exactly the limits that are declared now.
void DeclaredLimits::Retain(const Api& api, RequestCounter* counter) const {
  std::vector<RequestCounter::Entry> next;
  const std::lock_guard lock(counter->mutex_);
  for (const DeclaredLimit& limit : api.declared.limits) {
    const auto old = std::ranges::find_if(
        counter->entries_, [&](const RequestCounter::Entry& entry) { return Same(entry.declared, limit); });
    if (old != counter->entries_.end()) {
      next.push_back(std::move(*old));
      next.back().declared = limit;
    } else {
      next.push_back({limit, SlidingCount(limit.window), api.since.at(limit.quota), {}, 0});
    }
  }
  counter->entries_ = std::move(next);
}

bool DeclaredLimits::IsConfigured(const Api& api, const std::string& key) {
  return std::ranges::find(api.declared.keys, key) != api.declared.keys.end();
}

// Of one key.
size_t DeclaredLimits::SeriesOf(const Api& api) {
  size_t series = 0;
  for (const DeclaredLimit& limit : api.declared.limits) {
    series += kSeriesPerQuota + (limit.window < kShortWindow ? kSeriesPerPeaks : 0);
  }
  return series;
}

void DeclaredLimits::ReturnSeries(const std::string& api, size_t series) {
  if (series_ != nullptr) series_->Return(api, series);
}

std::shared_ptr<RequestCounter> DeclaredLimits::Make(const Api& api, const std::string& key) {
  std::shared_ptr<RequestCounter>& counter = counters_[{api.declared.api, key}];
  if (!counter) counter = std::make_shared<RequestCounter>();
  Retain(api, counter.get());
  return counter;
}

void DeclaredLimits::Configure(std::vector<DeclaredApi> apis, SystemTime now) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, counter] : counters_) ReturnSeries(id.first, SeriesOf(apis_.find(id.first)->second));
  std::map<std::string, Api, std::less<>> next;
  for (DeclaredApi& declared : apis) {
    if (declared.limits.empty()) continue;
    Api api{std::move(declared), {}};
    const auto old = apis_.find(api.declared.api);
    for (const DeclaredLimit& limit : api.declared.limits) {
      const bool kept = old != apis_.end() &&
                        std::ranges::any_of(old->second.declared.limits,
                                            [&](const DeclaredLimit& before) { return Same(before, limit); });
      api.since[limit.quota] = kept ? old->second.since.at(limit.quota) : now;
    }
    next.emplace(api.declared.api, std::move(api));
  }
  apis_ = std::move(next);
  std::erase_if(counters_, [&](const auto& entry) {
    const auto api = apis_.find(entry.first.first);
    return api == apis_.end() ||
           !(IsUnnamedKey(entry.first.second) || IsConfigured(api->second, entry.first.second));
  });
  for (auto& [id, counter] : counters_) Retain(apis_.find(id.first)->second, counter.get());
  for (const auto& [name, api] : apis_) {
    for (const std::string& key : api.declared.keys) Make(api, key);
  }
  // What was declared is shown whatever else there is.
  for (const auto& [id, counter] : counters_) {
    if (series_ != nullptr) series_->TakeAnyway(id.first, SeriesOf(apis_.find(id.first)->second));
  }
}

std::shared_ptr<RequestCounter> DeclaredLimits::CounterFor(std::string_view api, std::string_view key,
                                                           SystemTime now) {
  const std::lock_guard lock(mutex_);
  const auto declared = apis_.find(api);
  if (declared == apis_.end()) return nullptr;
  const Id id{api, key};
  if (const auto found = counters_.find(id); found != counters_.end()) return found->second;
  const auto full = [&] {
    const auto of_api = [&](const auto& entry) { return entry.first.first == api; };
    const auto known = static_cast<size_t>(std::ranges::count_if(counters_, of_api));
    return known >= keys_max_ + declared->second.declared.keys.size();
  };
  if (full()) Forget(now);
  if (full() || !(IsUnnamedKey(key) || IsConfigured(declared->second, id.second))) return nullptr;
  if (series_ != nullptr && !series_->Take(api, SeriesOf(declared->second))) return nullptr;
  return Make(declared->second, id.second);
}

// Keys met at run time of which nothing is counted any more, and that no connection holds.
void DeclaredLimits::Forget(SystemTime now) {
  std::erase_if(counters_, [&](const auto& entry) {
    const Api& api = apis_.find(entry.first.first)->second;
    if (entry.second.use_count() > 1 || IsConfigured(api, entry.first.second)) return false;
    {
      const std::lock_guard lock(entry.second->mutex_);
      const auto is_silent = [&](auto& of) { return of.count.Count(now) == 0; };
      if (!std::ranges::all_of(entry.second->entries_, is_silent)) return false;
    }
    ReturnSeries(entry.first.first, SeriesOf(api));
    return true;
  });
}

void DeclaredLimits::AddTo(Snapshot* snapshot) {
  const SystemTime now = snapshot->at;
  const std::lock_guard lock(mutex_);
  if (apis_.empty()) return;
  const Said said = SaidIn(*snapshot);
  std::vector<QuotaView> declared;
  for (const auto& [id, counter] : counters_) {
    const std::lock_guard counter_lock(counter->mutex_);
    for (RequestCounter::Entry& entry : counter->entries_) {
      if (said.contains({id.first, id.second, entry.declared.quota})) continue;
      QuotaView& view = declared.emplace_back();
      view.id = {id.first, id.second, "", entry.declared.quota, "requests"};
      view.exporter = apis_.find(id.first)->second.declared.exporter;
      view.kind = provider::QuotaKind::kSliding;
      view.declared = true;
      view.limit = entry.declared.limit;
      view.window_seconds = ToSeconds(entry.declared.window);
      view.valid = true;
      view.observed_at = now;
      view.consumed_total = static_cast<double>(entry.total);
      CloseIfOver(now, &entry.peaks);
      view.windows_exhausted_total = entry.peaks.windows_exhausted;
      if (entry.declared.window < kShortWindow) view.window_peaks = entry.peaks.histogram;
      entry.since = std::min(entry.since, now);  // the clock was set back
      if (now < entry.since + entry.declared.window) continue;
      const auto used = static_cast<double>(entry.count.Count(now));
      view.used = used;
      view.remaining = std::max(*view.limit - used, 0.0);
      view.used_ratio = used / *view.limit;
      view.reset_at = entry.count.OldestLeaves(now);
    }
  }
  // In the place of what was said once and no longer holds.
  std::erase_if(snapshot->quotas, [&](const QuotaView& view) {
    return !view.valid && std::ranges::find(declared, view.id, &QuotaView::id) != declared.end();
  });
  std::ranges::move(declared, std::back_inserter(snapshot->quotas));
  std::ranges::sort(snapshot->quotas, {}, &QuotaView::id);
}

std::vector<SavedCount> DeclaredLimits::Save(SystemTime now) {
  const std::lock_guard lock(mutex_);
  std::vector<SavedCount> saved;
  for (const auto& [id, counter] : counters_) {
    const std::lock_guard counter_lock(counter->mutex_);
    for (RequestCounter::Entry& entry : counter->entries_) {
      entry.count.Count(now);  // drops what has left
      saved.push_back({id.first, id.second, entry.declared.quota, entry.declared.window, entry.since,
                       entry.count.Parts()});
    }
  }
  return saved;
}

void DeclaredLimits::Restore(const std::vector<SavedCount>& counts, SystemTime now) {
  for (const SavedCount& saved : counts) {
    const auto counter = CounterFor(saved.api, saved.key, now);
    if (!counter) continue;
    const std::lock_guard lock(mutex_);
    const std::lock_guard counter_lock(counter->mutex_);
    for (RequestCounter::Entry& entry : counter->entries_) {
      if (!Same(entry.declared, {saved.quota, 0, saved.window})) continue;
      entry.count.Restore(saved.parts, now);
      entry.since = std::min(entry.since, saved.since);
      SystemTime& since = apis_.find(saved.api)->second.since[saved.quota];
      since = std::min(since, saved.since);
    }
  }
}

}  // namespace apiquota::quota
