// `limits` of the guard: the operator's own. What they count can be known before any request comes, so rules
// that could never hold, or that would count two things under one name, are refused.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "config/guard_mode.h"
#include "config/guard_parts.h"
#include "config/loader.h"
#include "config/names.h"

namespace apiquota::config {
namespace {

using guard::LimitMatch;
using guard::LimitRule;
using guard::LimitSubject;

constexpr size_t kRulesMax = 64;
constexpr size_t kWordsMax = 64;
constexpr int64_t kLimitMax = 1'000'000'000'000;
constexpr Micros kWindowMin = std::chrono::seconds(1);
constexpr Micros kWindowMax = std::chrono::days(31);
constexpr size_t kHeaderValueBytesMax = 256;
constexpr size_t kMethodBytesMax = 32;

// A word, or {header: NAME}.
LimitSubject LoadSubject(const YamlValue& item, const std::vector<std::string>& callers) {
  using Kind = LimitSubject::Kind;
  if (item.IsMap()) {
    YamlMap map = item.AsMap();
    LimitSubject subject{Kind::kHeader, LoadHeaderName(map.Require("header"))};
    map.Finish();
    return subject;
  }
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"caller", Kind::kCaller}, {"key", Kind::kKey}, {"address", Kind::kAddress}};
  if (!item.IsScalar()) return item.AsEnum<Kind>(kKinds), LimitSubject();
  if (item.AsString().starts_with("header")) item.Fail("expected {header: NAME} for a header's value");
  const LimitSubject subject{item.AsEnum<Kind>(kKinds)};
  if (subject.kind == Kind::kCaller && callers.empty())
    item.Fail("there are no \"callers\" to count apart; expected some in this file, or another word");
  return subject;
}

std::vector<LimitSubject> LoadSubjects(const YamlValue& list, const std::vector<std::string>& callers) {
  std::vector<LimitSubject> by;
  for (const YamlValue& item : list.AsListOrSingle()) {
    LimitSubject subject = LoadSubject(item, callers);
    if (std::ranges::find(by, subject) != by.end()) item.Fail("this stands here twice");
    by.push_back(std::move(subject));
  }
  return by;
}

// As they are sent: methods are case-sensitive (RFC 9110 section 9.1).
std::string LoadMethod(const YamlValue& value) {
  std::string method = value.AsString();
  const bool good = !method.empty() && method.size() <= kMethodBytesMax &&
                    std::ranges::all_of(method, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
  if (value.IsScalar() && !good) value.Fail("expected a method in capitals, such as POST");
  return method;
}

std::string LoadHeaderValue(const YamlValue& value) {
  std::string text = value.AsString();
  const bool good = !text.empty() && text.size() <= kHeaderValueBytesMax && text.front() != ' ' &&
                    text.back() != ' ' &&
                    std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (value.IsScalar() && !good)
    value.Fail(fmt::format("expected the value that the header must have: visible ASCII, at most {} bytes",
                           kHeaderValueBytesMax));
  return text;
}

template <class Load>
auto LoadWords(const YamlValue& list, const Load& load) {
  std::vector<std::string> words;
  for (const YamlValue& item : list.AsListOrSingle()) {
    words.push_back(load(item));
    if (std::ranges::count(words, words.back()) > 1) item.Fail("this stands here twice");
  }
  if (list.IsList() && words.empty()) list.Fail("expected at least one; leave the key out for all");
  if (words.size() > kWordsMax) list.Fail(fmt::format("expected at most {}", kWordsMax));
  return words;
}

LimitMatch LoadMatch(YamlMap map, const std::vector<std::string>& callers) {
  LimitMatch match;
  if (const YamlValue path = map.Get("path"); path.Present()) match.path = LoadPathPattern(path);
  match.methods = LoadWords(map.Get("methods"), LoadMethod);
  match.callers = LoadWords(map.Get("callers"), [&](const YamlValue& item) {
    std::string name = item.AsString();
    if (item.IsScalar() && !Contains(callers, name)) item.Fail("expected the name of one of \"callers\"");
    return name;
  });
  for (const auto& [name, value] : map.Get("headers").AsSection().Entries()) {
    const std::string header = ToLower(name);
    if (!IsHeaderName(header)) value.Fail("expected as its name that of a header, such as X-Tenant");
    match.headers.emplace_back(header, LoadHeaderValue(value));
  }
  if (match.headers.size() > kWordsMax)
    map.value().Fail(fmt::format("expected at most {} headers", kWordsMax));
  map.Finish();
  return match;
}

void LoadAlgorithm(YamlMap& map, LimitRule* rule) {
  using Algorithm = LimitRule::Algorithm;
  constexpr std::pair<std::string_view, Algorithm> kAlgorithms[] = {
      {"fixed", Algorithm::kFixed}, {"sliding", Algorithm::kSliding}, {"gcra", Algorithm::kGcra}};
  if (const YamlValue algorithm = map.Get("algorithm"); algorithm.Present())
    rule->algorithm = algorithm.AsEnum<Algorithm>(kAlgorithms);
  const YamlValue burst = map.Get("burst");
  if (!burst.Present()) return;
  rule->burst = static_cast<uint64_t>(burst.AsInteger(1, kLimitMax));
  if (rule->algorithm != Algorithm::kGcra) burst.Fail("only algorithm: gcra has a burst");
  if (rule->burst > rule->limit)
    burst.Fail(fmt::format("expected at most the limit, which is {}", rule->limit));
}

void LoadMissing(YamlMap& map, LimitRule* rule) {
  using Missing = LimitRule::Missing;
  constexpr std::pair<std::string_view, Missing> kWays[] = {{"refuse", Missing::kRefuse},
                                                            {"allow", Missing::kAllow}};
  const YamlValue missing = map.Get("missing");
  if (!missing.Present()) return;
  rule->missing = missing.AsEnum<Missing>(kWays);
  if (rule->by.empty()) missing.Fail("it is for requests that lack a part of \"by\", which is not here");
}

LimitRule LoadRule(YamlMap map, const std::vector<std::string>& callers) {
  using Unit = LimitRule::Unit;
  LimitRule rule;
  if (const YamlValue mode = map.Get("mode"); mode.Present())
    rule.mode = mode.AsEnum<guard::Mode>(kGuardModes);
  rule.name = LoadName(map.Require("name"), {});
  rule.by = LoadSubjects(map.Get("by"), callers);
  rule.match = LoadMatch(map.Get("match").AsSection(), callers);
  constexpr std::pair<std::string_view, Unit> kUnits[] = {{"requests", Unit::kRequests},
                                                          {"tokens", Unit::kTokens}};
  if (const YamlValue unit = map.Get("unit"); unit.Present()) rule.unit = unit.AsEnum<Unit>(kUnits);
  rule.limit = static_cast<uint64_t>(map.Require("limit").AsInteger(1, kLimitMax));
  map.Require("window");
  LoadTime(map, "window", kWindowMin, kWindowMax, &rule.window);
  LoadAlgorithm(map, &rule);
  LoadMissing(map, &rule);
  map.Finish();
  return rule;
}

// Every request that the later one is for, the earlier one is for, too. One without a match, which stands
// behind all others of its name, is none of these.
bool Covers(const LimitMatch& earlier, const LimitMatch& later) {
  const auto all_in = [](const auto& some, const auto& others) {
    return std::ranges::all_of(some, [&](const auto& one) { return std::ranges::count(others, one) > 0; });
  };
  const auto words = [&](const std::vector<std::string>& wider, const std::vector<std::string>& narrower) {
    return wider.empty() || (!narrower.empty() && all_in(narrower, wider));
  };
  const std::string_view path = earlier.path;
  const bool paths = path.empty() || path == later.path ||
                     (path.ends_with('*') && later.path.starts_with(path.substr(0, path.size() - 1)));
  return earlier != LimitMatch() && paths && words(earlier.methods, later.methods) &&
         words(earlier.callers, later.callers) && all_in(earlier.headers, later.headers);
}

// Of one name the first holds whose match does: one that is for no other requests would never. What has been
// used stands under the name, so all of one name must count the same.
void CheckAgainst(const LimitRule& earlier, const LimitRule& rule, const YamlValue& item) {
  if (earlier.name != rule.name) return;
  if (earlier.match == rule.match) {
    item.Fail("a second limit of this name with the same match");
  } else if (earlier.mode == rule.mode && rule.match != LimitMatch() && Covers(earlier.match, rule.match)) {
    item.Fail(
        "this limit never counts: an earlier one of its name is for all its requests; expected the narrower "
        "one "
        "first, or another name");
  } else if (earlier.by != rule.by || earlier.unit != rule.unit) {
    item.Fail("another limit of this name differs in by or unit; expected another name");
  }
}

// One without a match is for what no other of its name holds for, wherever it stands.
void MoveLastOfTheirNames(std::vector<LimitRule>* rules) {
  for (size_t i = rules->size(); i-- > 0;) {
    const LimitRule& rule = (*rules)[i];
    if (rule.match != LimitMatch()) continue;
    const auto last = std::ranges::find(rules->rbegin(), rules->rend(), rule.name, &LimitRule::name).base();
    std::rotate(rules->begin() + static_cast<std::ptrdiff_t>(i),
                rules->begin() + static_cast<std::ptrdiff_t>(i) + 1, last);
  }
}

}  // namespace

std::vector<LimitRule> LoadLimitRules(const YamlValue& list, const std::vector<std::string>& callers) {
  std::vector<LimitRule> rules;
  for (const YamlValue& item : list.AsList()) {
    LimitRule rule = LoadRule(item.AsMap(), callers);
    for (const LimitRule& earlier : rules) CheckAgainst(earlier, rule, item);
    rules.push_back(std::move(rule));
  }
  if (rules.size() > kRulesMax) list.Fail(fmt::format("expected at most {} limits", kRulesMax));
  MoveLastOfTheirNames(&rules);
  return rules;
}

}  // namespace apiquota::config
