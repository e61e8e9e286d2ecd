// What of the guard survives a restart, as text and back: when own requests were sent against limits that are
// counted by the agent, cooldowns, and what was used of limits of the operator's own (who has used most of
// them, at most 10,000 of each rule, as digests). Queues, tickets and reservations end with the process. JSON
// in the frame of quota/saved_text.h; times in microseconds since the epoch. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "guard/own_limits_saved.h"
#include "guard/values.h"
#include "provider/signals.h"

namespace apiquota::guard {

// A limit whose sends are remembered.
struct SavedLimit {
  std::string resource, quota, unit;
  provider::QuotaKind kind = provider::QuotaKind::kFixed;
  bool kind_assumed = false;
  bool declared = false;
  double limit = 0;
  Micros window{};
  std::vector<std::pair<SystemTime, double>> sends;  // when, how much; in the order of their times

  friend bool operator==(const SavedLimit&, const SavedLimit&) = default;
};

struct SavedCooldown {
  std::string resource;
  SystemTime since, until;
  Reason reason = Reason::kCooldown;  // or kRetryAfter
  std::string evidence;

  friend bool operator==(const SavedCooldown&, const SavedCooldown&) = default;
};

struct SavedKey {
  std::string api, key;
  std::vector<SavedLimit> limits;
  std::vector<SavedCooldown> cooldowns;

  friend bool operator==(const SavedKey&, const SavedKey&) = default;
};

struct SavedApi {
  std::string api;
  SavedOwnLimits limits, judged;  // in force; only judged

  friend bool operator==(const SavedApi&, const SavedApi&) = default;
};

struct SavedGuard {
  std::vector<SavedKey> keys;
  std::vector<SavedApi> apis;

  friend bool operator==(const SavedGuard&, const SavedGuard&) = default;
};

// Puts all times on a clock that is ahead by so much.
void Move(Micros by, SavedGuard* saved);

// Where the system's clock was ahead when they were saved, and is right now: what was sent later than now was
// sent now, and a cooldown that began later begins now, and is as long. (Limits of the operator's own see to
// it themselves, as they are taken up.)
void NotLaterThan(SystemTime now, SavedGuard* saved);

std::string WriteSaved(const SavedGuard& saved);
// All or nothing, like the readings'. A text without apis is of an agent that had no limits of its own.
Result<SavedGuard> ReadSaved(std::string_view text);

}  // namespace apiquota::guard
