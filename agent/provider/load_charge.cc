// How requests are counted before they are sent, and how a refusal by the agent looks.
#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"
#include "provider/rule_loader.h"

namespace apiquota::provider {
namespace {

constexpr double kMediaTokensMax = 1e6;

template <class Table, class T>
void ReadWord(const YamlValue& value, const Table& table, T* word) {
  if (value.Present()) *word = value.AsEnum(std::span<const std::pair<std::string_view, T>>(table));
}

void ReadQuotaCharge(RuleMap* map, QuotaCharge* charge) {
  ReadWord(map->Get("counts"), kTokenSideWords, &charge->counts);
  ReadWord(map->Get("cap"), kCapWords, &charge->cap);
  ReadWord(map->Get("cached"), kCachedWords, &charge->cached_free);
}

// Few enough that they can be looked for together.
std::vector<std::string> RequestPointers(const YamlValue& value) {
  constexpr size_t kPointersMax = 16;
  std::vector<std::string> pointers;
  PointerSet set;
  for (const YamlValue& item : value.AsListOrSingle()) {
    pointers.push_back(LoadPointer(item));
    if (pointers.back().find("/*") != std::string::npos)
      item.Fail("expected one place in a request, without *");
    if (set.Add(pointers.back()) == 0) item.Fail("a pointer of more segments than can be followed");
  }
  if (pointers.size() > kPointersMax) value.Fail("more places than any API has");
  return pointers;
}

std::vector<ChargeRule::Named> ByQuota(const YamlValue& value, const QuotaCharge& otherwise) {
  std::vector<ChargeRule::Named> named;
  if (!value.Present()) return named;
  for (auto& [quota, differences] : value.AsMap().Entries()) {
    if (std::ranges::count(quota, '*') > 1) differences.Fail("expected a quota's name, with at most one *");
    RuleMap map(differences, "by_quota");
    QuotaCharge charge = otherwise;
    ReadQuotaCharge(&map, &charge);
    map.Finish();
    named.push_back({quota, charge});
  }
  return named;
}

ChargeRule ChargeOfTokens(const YamlValue& value) {
  ChargeRule rule;
  RuleMap map(value, "charge_tokens");
  ReadQuotaCharge(&map, &rule.charge);
  const YamlValue caps = map.Get("caps");
  rule.caps = RequestPointers(caps);
  rule.times = RequestPointers(map.Get("times"));
  ReadWord(map.Get("when"), kChargeTimeWords, &rule.when);
  if (const YamlValue media = map.Get("media"); media.Present()) {
    rule.media = media.AsNumber();
    if (!(rule.media >= 0 && rule.media <= kMediaTokensMax)) media.Fail("expected 0 to 1000000 tokens");
  }
  rule.by_quota = ByQuota(map.Get("by_quota"), rule.charge);
  if (rule.charge.cap != CapCharge::kIgnored && rule.caps.empty())
    value.Fail("expected \"caps\" beside \"cap\": where they stand");
  if (rule.charge.cap != CapCharge::kIgnored && rule.when == ChargeTime::kEnd)
    value.Fail("a cap is charged when a request begins: expected \"when: start\" or \"when: settled\"");
  map.Finish();
  return rule;
}

}  // namespace

std::optional<ChargeRule> LoadCharge(const YamlValue& value) {
  if (!value.Present()) return std::nullopt;
  RuleMap map(value, "charge");
  ChargeRule rule = ChargeOfTokens(map.Get("tokens"));
  map.Finish();
  return rule;
}

std::optional<RefusalRule> LoadRefusal(const YamlValue& value) {
  if (!value.Present()) return std::nullopt;
  RefusalRule rule;
  RuleMap map(value, "refusal");
  if (const YamlValue status = map.Get("status"); status.Present())
    rule.status = static_cast<int>(status.AsInteger(400, 599));
  if (const YamlValue type = map.Get("content_type"); type.Present()) {
    rule.content_type = LoadText(type);
    if (!ContainsIgnoreCase(rule.content_type, "json")) type.Fail("expected a kind of JSON");
  }
  const YamlValue body = map.Get("body");
  if (auto pieces = ParseRefusalBody(LoadText(body))) {
    rule.body = std::move(*pieces);
  } else {
    body.Fail(pieces.error());
  }
  map.Finish();
  return rule;
}

}  // namespace apiquota::provider
