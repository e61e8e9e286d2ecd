#include "provider/derive.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "base/duration.h"
#include "base/text.h"
#include "provider/amounts.h"

namespace apiquota::provider {
namespace {

constexpr Micros kSameReset = std::chrono::seconds(2);  // two headers of one response may round differently

double ToWholeMillis(double seconds) { return std::round(seconds * 1e3) / 1e3; }

template <class T>
bool Agree(const std::optional<T>& a, const std::optional<T>& b) {
  return !a || !b || *a == *b;
}

bool ResetsAgree(const Reading& a, const Reading& b) {
  return !a.reset_at || !b.reset_at || std::chrono::abs(*a.reset_at - *b.reset_at) <= kSameReset;
}

// Nothing in `b` contradicts `a`.
bool Compatible(const Reading& a, const Reading& b) {
  return Agree(a.limit, b.limit) && Agree(a.remaining, b.remaining) && Agree(a.used, b.used) &&
         Agree(a.window_seconds, b.window_seconds) && ResetsAgree(a, b) && a.unit == b.unit &&
         a.resource == b.resource;
}

bool SameNumbers(const Reading& a, const Reading& b) {
  return a.limit && b.limit && a.remaining && b.remaining && *a.limit == *b.limit &&
         *a.remaining == *b.remaining;
}

void FillIn(Reading* into, const Reading& from) {
  if (!into->limit) into->limit = from.limit;
  if (!into->remaining) into->remaining = from.remaining;
  if (!into->used) into->used = from.used;
  if (!into->window_seconds) into->window_seconds = from.window_seconds;
  if (!into->policy) into->policy = from.policy;
  if (!into->reset_at) {
    into->reset_at = from.reset_at;
    into->reset_absolute = from.reset_absolute;
  }
}

// A head's reading with what only the body says: never a part of its level.
void FillInFromBody(Reading* head, const Reading& body) {
  const bool has_level = head->remaining || head->used;
  const auto remaining = head->remaining, used = head->used;
  FillIn(head, body);
  if (!has_level) return;
  head->remaining = remaining;
  head->used = used;
}

// The reading of the same quota from the response's other half.
SourcedReading* OtherHalf(std::span<SourcedReading> merged, const SourcedReading& added) {
  const auto found = std::ranges::find_if(merged, [&](const SourcedReading& known) {
    return known.from_body != added.from_body && known.reading.quota == added.reading.quota &&
           known.reading.resource == added.reading.resource && known.reading.unit == added.reading.unit;
  });
  return found == merged.end() ? nullptr : &*found;
}

bool NameTaken(std::span<const SourcedReading> readings, const Reading& reading) {
  return std::ranges::any_of(readings, [&](const SourcedReading& other) {
    return other.reading.quota == reading.quota && other.reading.resource == reading.resource;
  });
}

void GiveFreeName(std::span<const SourcedReading> taken, Reading* reading) {
  if (!NameTaken(taken, *reading)) return;
  const std::string name = reading->quota;
  reading->source.renamed = true;
  for (int n = 2; NameTaken(taken, *reading); ++n) reading->quota = name + "-" + std::to_string(n);
}

struct WindowWord {
  std::string_view word;
  double seconds;
};
constexpr std::array<WindowWord, 20> kWindowWords = {
    {{"second", 1},   {"seconds", 1},   {"secondly", 1},  {"sec", 1},        {"secs", 1},
     {"minute", 60},  {"minutes", 60},  {"minutely", 60}, {"min", 60},       {"mins", 60},
     {"hour", 3600},  {"hours", 3600},  {"hourly", 3600}, {"hr", 3600},      {"day", 86400},
     {"days", 86400}, {"daily", 86400}, {"week", 604800}, {"weeks", 604800}, {"weekly", 604800}}};

bool Upper(char c) { return c >= 'A' && c <= 'Z'; }
bool Digit(char c) { return c >= '0' && c <= '9'; }

// Whether a word of "RequestsPer100SecondsPerUser" begins at `at`.
bool HumpAt(std::string_view name, size_t at) {
  if (Upper(name[at])) return !Upper(name[at - 1]);
  if (!Digit(name[at]) || Digit(name[at - 1])) return false;
  const size_t behind = name.find_first_not_of("0123456789", at);
  return behind != std::string_view::npos && Upper(name[behind]);
}

// The first word of a name, taken off its front with the mark behind it.
std::string_view TakeWord(std::string_view* name) {
  const auto mark = [](char c) { return std::string_view("-_/: ").find(c) != std::string_view::npos; };
  size_t end = 0;
  while (end < name->size() && !mark((*name)[end]) && (end == 0 || !HumpAt(*name, end))) ++end;
  const std::string_view word = name->substr(0, end);
  if (end < name->size() && mark((*name)[end])) ++end;
  name->remove_prefix(end);
  return word;
}

// "week": the seconds of one.
std::optional<double> SecondsOfWord(std::string_view word) {
  const auto known = [&](const WindowWord& entry) { return EqualsIgnoreCase(entry.word, word); };
  const auto found = std::ranges::find_if(kWindowWords, known);
  return found == kWindowWords.end() ? std::nullopt : std::optional<double>(found->seconds);
}

// "5h", "7days": digits and the unit of a duration, or the word for one.
std::optional<double> DurationWord(std::string_view word) {
  constexpr size_t kDigitsMax = 4;
  if (word.size() < 2 || word.front() < '1' || word.front() > '9') return std::nullopt;
  if (const auto duration = ParseDuration(word)) return ToSeconds(*duration);
  const size_t unit = std::min(word.find_first_not_of("0123456789"), word.size());
  const auto count = unit <= kDigitsMax ? ParseDigits(word.substr(0, unit)) : std::nullopt;
  const auto seconds = SecondsOfWord(word.substr(unit));
  return count && seconds ? std::optional<double>(static_cast<double>(*count) * *seconds) : std::nullopt;
}

}  // namespace

std::optional<double> WindowFromName(std::string_view name) {
  std::optional<double> window;  // the last one: "audio-seconds-minute" counts seconds per minute
  double count = 1;
  while (!name.empty()) {
    const std::string_view word = TakeWord(&name);
    if (const auto seconds = DurationWord(word)) window = seconds;
    if (const auto seconds = SecondsOfWord(word)) window = *seconds * count;
    const auto digits = word.size() <= 4 ? ParseDigits(word) : std::nullopt;
    count = digits && *digits > 0 ? static_cast<double>(*digits) : 1;
  }
  return window;
}

void DeriveFields(Reading* reading, WindowRule window_rule, SystemTime asked_at) {
  Amounts amounts{reading->limit, reading->remaining, reading->used, reading->derived};
  Complete(reading->kind, &amounts);
  reading->limit = amounts.limit;
  reading->remaining = amounts.remaining;
  reading->used = amounts.used;
  reading->derived = amounts.derived;
  if (window_rule != WindowRule::kDerived || reading->window_seconds) return;
  if (!reading->limit || !reading->remaining || !reading->reset_at) return;
  const double missing = *reading->limit - *reading->remaining;
  const double seconds = ToSeconds(*reading->reset_at - asked_at);
  if (missing <= 0 || seconds <= 0) return;
  reading->window_seconds = ToWholeMillis(*reading->limit * seconds / missing);
  reading->derived.Add(SignalField::kWindow);
}

// Hardly any response says something twice, and readings are heavy to move.
size_t MergeReadings(std::span<SourcedReading> readings, bool merge_equal) {
  size_t kept = 0;
  for (SourcedReading& added : readings) {
    const std::span merged = readings.first(kept);
    const auto same = std::ranges::find_if(merged, [&](const SourcedReading& known) {
      if (!Compatible(known.reading, added.reading)) return false;
      if (known.reading.quota == added.reading.quota) return true;
      return merge_equal && known.family != added.family && SameNumbers(known.reading, added.reading);
    });
    if (SourcedReading* half = same == merged.end() ? OtherHalf(merged, added) : nullptr) {
      if (half->from_body) std::swap(*half, added);
      FillInFromBody(&half->reading, added.reading);
      continue;
    }
    if (same == merged.end()) {
      GiveFreeName(merged, &added.reading);
      if (&added != &readings[kept]) readings[kept] = std::move(added);
      ++kept;
      continue;
    }
    if (added.named && !same->named && !NameTaken(merged, added.reading)) {
      same->reading.quota = added.reading.quota;  // the more telling name
      same->named = true;
    }
    FillIn(&same->reading, added.reading);
  }
  return kept;
}

}  // namespace apiquota::provider
