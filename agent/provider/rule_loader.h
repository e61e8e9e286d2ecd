// The parts of LoadExporter, one per kind of rule: each reads its piece of an exporter file and complains,
// with the place, in the piece's document (base/yaml.h). Internal to the loader; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "provider/exporter_rules.h"
#include "provider/grammar.h"

namespace apiquota::provider {

// The map at one place of the grammar (grammar.h): what is required and what is unknown there is told by it.
// A key that the table does not have can't be asked for.
class RuleMap {
 public:
  RuleMap(const YamlValue& value, std::string_view place) : map_(value.AsMap()), place_(PlaceNamed(place)) {}
  YamlValue Get(std::string_view key);
  YamlValue Require(std::string_view key);  // there, whatever the table says
  void Finish() const;

 private:
  YamlMap map_;
  const GrammarPlace& place_;
};

// Scalars. What the world will see: 1 to 128 printable characters.
std::string LoadName(const YamlValue& value);
// Text that is not empty and holds no control characters.
std::string LoadText(const YamlValue& value);
// One of units.h.
std::string LoadUnit(const YamlValue& value);
// The beginning of a request's path.
std::string LoadPathPrefix(const YamlValue& value);
// A time that something takes, in seconds: more than none.
double LoadSpan(const YamlValue& value);
// A header's name in lower case with at most one '*'; a JSON pointer with at most four.
bool IsHeaderPattern(std::string_view name);
std::string LoadHeaderName(const YamlValue& value);
std::string LoadPointer(const YamlValue& value);

// {header: …, format: …} · {body: /pointer, format: …} · {value: 100}
FieldSource LoadSource(SignalField field, const YamlValue& value);

// A source of retry_after, or the name of a header alone.
FieldSource LoadRetryAfterSource(const YamlValue& value);
// What every API is asked for unless its file says otherwise.
FieldSource StandardRetryAfter();

// {name: header, equals: text}, or a list of them; bodies and streams say `pointer`.
std::vector<Condition> LoadConditions(Condition::On on, const YamlValue& value);
// {path: prefix, status: N or a list, header: …}; everything if absent.
When LoadWhen(const YamlValue& value);
std::vector<int> LoadStatuses(const YamlValue& value);

// The map under `usage`: where a reply says what it cost.
std::vector<UsageRule> LoadUsage(const YamlValue& value);

// The map under `charge`: how tokens are counted against limits.
std::optional<ChargeRule> LoadCharge(const YamlValue& value);
// The map under `batch`: which calls the API takes many at once of.
std::optional<BatchRule> LoadBatch(const YamlValue& value);
// The map under `refusal`: the API's own error shape.
std::optional<RefusalRule> LoadRefusal(const YamlValue& value);

QuotaRule LoadQuotaRule(const YamlValue& value);
ThrottleRule LoadThrottleRule(const YamlValue& value);

// What the rules want to know of bodies: body_pointers and body_asks. False if there are more pointers than
// fit.
bool CollectBodyAsks(Exporter* exporter);

}  // namespace apiquota::provider
