// What of the guard survives a restart, as text and back: when own requests were sent against limits that are
// counted by the agent, and cooldowns. Queues, tickets and reservations end with the process. JSON in the
// frame of quota/saved_text.h; times in microseconds since the epoch. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
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

// Puts all times on a clock that is ahead by so much.
void Move(Micros by, std::vector<SavedKey>* keys);

std::string WriteSaved(const std::vector<SavedKey>& keys);
// All or nothing, like the readings'.
Result<std::vector<SavedKey>> ReadSaved(std::string_view text);

}  // namespace apiquota::guard
