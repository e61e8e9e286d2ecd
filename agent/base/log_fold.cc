#include "base/log_fold.h"

namespace apiquota {
namespace {

constexpr std::string_view kOtherKeys = "(others)";

}  // namespace

LogFolder::Verdict LogFolder::Admit(LogLevel level, std::string_view event, std::string_view key,
                                    std::span<const LogField> fields, SteadyTime now) {
  Id id(event, key);
  if (entries_.size() >= kKeysMax && !entries_.contains(id)) id.second = kOtherKeys;
  const auto [at, fresh] = entries_.try_emplace(std::move(id));
  Entry& entry = at->second;
  if (fresh || (entry.repeated == 0 && now >= entry.ends)) {
    entry.ends = now + kFoldInterval;
    return Verdict::kWrite;
  }
  if (entry.repeated++ > 0) return Verdict::kHoldMore;
  entry.level = level;
  entry.fields.assign(fields.begin(), fields.end());
  return Verdict::kHoldFirst;
}

std::vector<LogFolder::Held> LogFolder::TakeDue(SteadyTime now) {
  std::vector<Held> due;
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    const bool ended = now >= entry.ends;
    if (ended && entry.repeated == 0) {
      at = entries_.erase(at);
      continue;
    }
    if (ended) {
      due.push_back(
          {entry.level, at->first.first, std::move(entry.fields), std::exchange(entry.repeated, 0)});
      entry.ends = now + kFoldInterval;
    }
    ++at;
  }
  return due;
}

std::vector<LogFolder::Held> LogFolder::TakeAll() {
  std::vector<Held> all = TakeDue(SteadyTime::max() - kFoldInterval);
  entries_.clear();
  return all;
}

std::optional<SteadyTime> LogFolder::NextDue() const {
  std::optional<SteadyTime> next;
  for (const auto& [id, entry] : entries_) {
    if (entry.repeated > 0 && (!next || entry.ends < *next)) next = entry.ends;
  }
  return next;
}

}  // namespace apiquota
