// Looks at what the limits hold: for pages, and for a restart.
#include <algorithm>

#include "guard/own_limits_match.h"
#include "guard/own_limits_state.h"

namespace apiquota::guard {
namespace {

constexpr size_t kLookedAt = 4096;  // subjects in one step
constexpr size_t kTold = 256;       // of the most used in one step

std::string Hex(uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (size_t i = text.size(); i-- > 0; number >>= 4) text[i] = kDigits[number & 15];
  return text;
}

LimitUse UseOf(const LimitRule& rule, const LimitMeter& meter, const LimitTable& table,
               const LimitTable::Entry& entry, SystemTime now) {
  const LimitMeter::Standing standing = meter.Stand(&entry.used, now);
  LimitUse use{.caller = {},
               .key = {},
               .address = LimitTable::Address{entry.address, entry.address_kind}.ToText(),
               .digest = {},
               .used = standing.used,
               .allowed = meter.allowed(),
               .reset = now + standing.reset};
  bool all_shown = true;
  const LimitTable::Named* named = table.NameOf(entry);
  if (named != nullptr) use.caller = named->caller, use.key = named->key;
  for (const LimitSubject& part : rule.by) {
    const bool address = part.kind == LimitSubject::Kind::kAddress;
    const bool shown = address ? !use.address.empty() : part.kind != LimitSubject::Kind::kHeader && named;
    all_shown = all_shown && shown;
  }
  if (!all_shown) use.digest = Hex(entry.subject);
  return use;
}

// Of so many subjects from `place` on those that are used, into a heap of the most used.
size_t Rank(const LimitMeter& meter, const LimitTable& table, size_t place, size_t count, size_t most,
            SystemTime now, std::vector<std::pair<double, uint64_t>>* heap) {
  const size_t end = std::min(table.places(), place + count);
  for (; place < end; ++place) {
    const LimitTable::Entry* entry = table.At(place + 1);
    if (entry == nullptr || meter.Over(entry->used, now)) continue;
    const std::pair ranked(meter.Stand(&entry->used, now).used, entry->subject);
    if (heap->size() >= most && (heap->empty() || ranked <= heap->front())) continue;
    if (heap->size() >= most) {
      std::ranges::pop_heap(*heap, std::greater());
      heap->pop_back();
    }
    heap->push_back(ranked);
    std::ranges::push_heap(*heap, std::greater());
  }
  return place;
}

}  // namespace

bool OwnLimits::Step(LimitWalk* walk, SystemTime now) const {
  if (walk->rule >= state_->rules.size()) return false;
  const Rule& rule = *state_->rules[walk->rule];
  if (walk->place < rule.table.places()) {
    walk->place = Rank(rule.meter, rule.table, walk->place, kLookedAt, walk->most, now, &walk->ranked);
    if (walk->place >= rule.table.places()) std::ranges::sort_heap(walk->ranked, std::greater());
    return true;
  }
  if (walk->told == 0) Begin(rule, walk);
  for (size_t i = 0; i < kTold && walk->told < walk->ranked.size(); ++i, ++walk->told) {
    const LimitTable::Entry* entry = rule.table.Find(walk->ranked[walk->told].second);
    if (entry != nullptr) Tell(rule, *entry, now, walk);
  }
  if (walk->told < walk->ranked.size()) return true;
  walk->ranked.clear();
  walk->place = walk->told = 0;
  return ++walk->rule < state_->rules.size();
}

// Saved is one of which nothing is used, too: no other of its name goes on in its place.
void OwnLimits::Begin(const Rule& rule, LimitWalk* walk) const {
  if (walk->purpose == LimitWalk::For::kSave) {
    walk->sends = 0;
    walk->saved.key = state_->key;
    walk->saved.limits.push_back(
        {rule.rule.name, DigestOf(state_->key, rule.rule), DigestOf(state_->key, rule.rule.match), {}});
    return;
  }
  const auto alike =
      std::ranges::count(walk->rules, rule.rule.name,
                         [](const LimitRuleView& view) -> const std::string& { return view.rule.name; });
  walk->rules.push_back({.rule = rule.rule,
                         .judged = false,
                         .place = static_cast<size_t>(alike) + 1,
                         .memory = {rule.table.size(), rule.table.bytes(), rule.table.evicted()},
                         .uses = {}});
}

void OwnLimits::Tell(const Rule& rule, const LimitTable::Entry& entry, SystemTime now, LimitWalk* walk) {
  if (walk->purpose == LimitWalk::For::kView) {
    walk->rules.back().uses.push_back(UseOf(rule.rule, rule.meter, rule.table, entry, now));
    return;
  }
  SavedUse use = rule.meter.Save(entry.subject, entry.used, now);
  walk->sends += use.sends.size();
  if (walk->sends <= kSavedSendsMost) walk->saved.limits.back().uses.push_back(std::move(use));
}

std::vector<LimitRuleView> OwnLimits::View(SystemTime now, size_t most) const {
  LimitWalk walk(most);
  while (Step(&walk, now)) continue;
  return std::move(walk.rules);
}

SavedOwnLimits OwnLimits::Save(SystemTime now) const {
  LimitWalk walk(kSavedMost, LimitWalk::For::kSave);
  while (Step(&walk, now)) continue;
  return std::move(walk.saved);
}

std::vector<LimitMemory> OwnLimits::Memory() const {
  std::vector<LimitMemory> memory;
  for (const auto& rule : state_->rules)
    memory.push_back({rule->table.size(), rule->table.bytes(), rule->table.evicted()});
  return memory;
}

}  // namespace apiquota::guard
