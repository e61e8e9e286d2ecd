#include "guard/own_limits.h"

#include <algorithm>

#include "base/tidy_path.h"
#include "guard/own_limits_match.h"
#include "guard/own_limits_state.h"
#include "http/quoted_text.h"

namespace apiquota::guard {
namespace {

Refusal RefusalOf(const LimitRule& rule, SystemTime until) {
  Refusal refusal;
  refusal.reason = Reason::kLimit;
  refusal.until = until;
  refusal.quota = rule.name;
  refusal.limit = static_cast<double>(rule.limit);
  refusal.window_seconds = ToSeconds(rule.window);
  return refusal;
}

}  // namespace

LimitWords WordsOf(const LimitStanding& standing) {
  const auto seconds = std::max<int64_t>(std::chrono::ceil<std::chrono::seconds>(standing.window).count(), 1);
  LimitWords words;
  http::AppendStructuredString("apiquota-" + standing.name, &words.item);
  words.policy = words.item;
  words.policy.append(";q=").append(
      std::to_string(static_cast<int64_t>(std::min(standing.limit, http::kStructuredIntegerMax))));
  words.policy.append(";w=").append(std::to_string(seconds));
  if (standing.unit == LimitRule::Unit::kTokens) words.policy.append(";qu=\"tokens\"");
  return words;
}

OwnLimits::OwnLimits(std::vector<LimitRule> rules, std::vector<std::string> exempt, size_t rule_bytes_max)
    : state_(std::make_unique<State>()) {
  state_->rule_bytes_max = rule_bytes_max;
  state_->last_id = HashKey::Drawn().first;  // so that nobody gives back what was taken of others before
  Configure(std::move(rules), std::move(exempt));
}
OwnLimits::~OwnLimits() = default;

bool OwnLimits::empty() const { return state_->rules.empty(); }

OwnLimits::Rule* OwnLimits::State::Find(uint64_t id) const {
  const auto found = std::ranges::find(rules, id, [](const auto& rule) { return rule->id; });
  return found == rules.end() ? nullptr : found->get();
}

size_t OwnLimits::State::PlaceOf(const std::vector<LimitSubject>& by) {
  const auto found = std::ranges::find(whose, by, &Whose::by);
  if (found != whose.end()) return static_cast<size_t>(found - whose.begin());
  whose.push_back({.by = by, .lacks = {}});
  return whose.size() - 1;
}

const OwnLimits::State::Whose& OwnLimits::State::WhoseOf(const Rule& rule, const LimitedCall& call) {
  Whose& found = whose[rule.whose];
  if (std::exchange(found.question, question) == question) return found;
  found.lacks = Subject(rule.rule, call, &subject_scratch);
  if (!found.lacks) found.subject = KeyedHash(key, subject_scratch);
  return found;
}

// A rule that the request is meant by. Nothing is taken yet.
void OwnLimits::State::Add(Rule* rule, const LimitedCall& call, std::optional<Refusal>* refusal,
                           SystemTime now) {
  const Whose& who = WhoseOf(*rule, call);
  if (who.lacks) {
    if (rule->rule.missing == LimitRule::Missing::kAllow || (*refusal && !(*refusal)->lacks.empty())) return;
    *refusal = RefusalOf(rule->rule, SystemTime::max());
    (*refusal)->lacks = *who.lacks;
    return;
  }
  Meant one{.rule = rule, .subject = who.subject, .entry = nullptr, .until = {}};
  one.entry = rule->table.Find(one.subject);
  one.amount = rule->meter.AmountOf(call.tokens);
  one.until = rule->meter.Until(one.entry != nullptr ? &one.entry->used : nullptr, one.amount, now);
  if (one.until && (!*refusal || *one.until > (*refusal)->until)) {
    *refusal = RefusalOf(rule->rule, *one.until);
    meant.insert(meant.begin(), one);
    return;
  }
  meant.push_back(one);
}

int64_t OwnLimits::State::Take(Meant* one, const LimitedCall& call, SystemTime now) {
  if (one->amount <= 0) return 0;
  Rule& rule = *one->rule;
  one->entry = one->entry != nullptr ? &rule.table.Renew(one->entry)
                                     : &rule.table.Touch(one->subject, rule.meter, now);
  LimitTable::Entry& entry = *one->entry;
  const size_t bytes = entry.used.bytes();
  const int64_t mark = rule.meter.Take(&entry.used, one->amount, now);
  rule.table.Grew(entry, bytes, rule.meter, now);
  if (!entry.named && (rule.by_caller || rule.by_key)) {
    rule.table.Name(&entry, rule.by_caller ? call.caller : std::string_view(),
                    rule.by_key ? call.key : std::string_view());
  }
  if (rule.by_address && entry.address_kind == LimitTable::Address::Kind::kNone) {
    const auto address = LimitTable::Address::Of(call.address);
    entry.address = address.bits;
    entry.address_kind = address.kind;
  }
  return mark;
}

LimitTurn OwnLimits::Ask(const LimitedCall& call, SystemTime now) {
  LimitTurn turn;
  turn.refusal = Ask(call, now, &turn.hold, &turn.standings);
  return turn;
}

std::optional<Refusal> OwnLimits::Ask(const LimitedCall& call, SystemTime asked_at, LimitHold* hold,
                                      std::vector<LimitStanding>* standings) {
  State& state = *state_;
  const SystemTime now = state.Latest(asked_at);
  hold->Clear();
  if (standings != nullptr) standings->clear();
  std::optional<Refusal> refusal;
  const std::string_view path = state.names_paths ? TidyPath(call.path, &state.path_scratch) : call.path;
  const auto matched = [&](const std::string& pattern) { return PathMatches(pattern, path); };
  if (std::ranges::any_of(state.exempt, matched)) return refusal;
  state.meant.clear();
  ++state.question;
  for (const std::vector<Rule*>& alike : state.by_name) {
    const auto first = std::ranges::find_if(
        alike, [&](const Rule* rule) { return rule->for_all || Matches(rule->rule.match, call, path); });
    if (first != alike.end()) state.Add(*first, call, &refusal, now);
  }
  for (State::Meant& one : state.meant) {
    if (!refusal) {
      const int64_t mark = state.Take(&one, call, now);
      hold->taken.push_back({one.rule->id, one.subject, one.amount, mark});
      hold->of_tokens |= one.rule->rule.unit == LimitRule::Unit::kTokens;
    }
    if (standings != nullptr)
      standings->push_back(one.rule->Stand(one.entry != nullptr ? &one.entry->used : nullptr, now));
  }
  return refusal;
}

void OwnLimits::Refund(const LimitHold& hold, SystemTime given_back_at) {
  const SystemTime now = state_->Latest(given_back_at);
  for (const LimitHold::Taken& taken : hold.taken) {
    Rule* rule = state_->Find(taken.rule);
    LimitTable::Entry* entry = rule != nullptr ? rule->table.Find(taken.subject) : nullptr;
    if (entry != nullptr && taken.amount > 0) rule->meter.Return(&entry->used, taken.mark, taken.amount, now);
  }
}

void OwnLimits::Settle(const LimitHold& hold, double tokens, SystemTime asked_at, bool whole) {
  const SystemTime now = state_->Latest(asked_at);
  for (const LimitHold::Taken& taken : hold.taken) {
    Rule* rule = state_->Find(taken.rule);
    if (rule == nullptr || rule->rule.unit != LimitRule::Unit::kTokens) continue;
    const double more = rule->meter.AmountOf(tokens) - taken.amount;
    State::Meant one{.rule = rule, .subject = taken.subject, .amount = more, .until = {}};
    one.entry = rule->table.Find(taken.subject);
    if (more > 0) state_->Take(&one, {}, now);
    if (more < 0 && whole && one.entry != nullptr)
      rule->meter.Return(&one.entry->used, taken.mark, -more, now);
  }
}

std::vector<LimitStanding> OwnLimits::StandingsOf(const LimitedCall& call, SystemTime now) const {
  std::vector<LimitStanding> standings;
  std::string bytes;
  for (const auto& rule : state_->rules) {
    if (!MatchesCaller(rule->rule.match, call.caller) || Subject(rule->rule, call, &bytes)) continue;
    const LimitTable::Entry* entry = rule->table.Find(KeyedHash(state_->key, bytes));
    standings.push_back(rule->Stand(entry != nullptr ? &entry->used : nullptr, now));
  }
  return standings;
}

}  // namespace apiquota::guard
