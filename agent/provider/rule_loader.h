// The parts of LoadExporter, one per kind of rule: each reads its piece of an exporter file and complains,
// with the place, in the piece's document (base/yaml.h). Internal to the loader; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "provider/exporter_rules.h"

namespace apiquota::provider {

// Scalars: a header's name in lower case with at most one '*'; a JSON pointer.
std::string LoadHeaderName(const YamlValue& value);
std::string LoadPointer(const YamlValue& value);

// {header: …, format: …} · {body: /pointer, format: …} · {value: 100}
FieldSource LoadSource(SignalField field, const YamlValue& value);

// A source of retry_after, or the name of a header alone.
FieldSource LoadRetryAfterSource(const YamlValue& value);
// What every API is asked for unless its file says otherwise.
FieldSource StandardRetryAfter();

QuotaRule LoadQuotaRule(const YamlValue& value);
ThrottleRule LoadThrottleRule(const YamlValue& value);

}  // namespace apiquota::provider
