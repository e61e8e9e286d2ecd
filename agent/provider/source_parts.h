// Which part of a header's value a source means: an element of a list, the value of a name, a place in JSON;
// and texts that speak of several quotas at once. Pure and total: whatever the text is, the answer is a part
// of it, "not there" or "not such a text".
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "provider/exporter_rules.h"

namespace apiquota::provider {

enum class PartError : uint8_t {
  kAbsent,     // well-formed, and silent about this
  kMalformed,  // no such list, no names, no JSON
};

// What stands between the quotes, if the whole text stands in them.
std::string_view Unquoted(std::string_view text);

// JSON in a header longer than this is nobody's.
inline constexpr size_t kJsonHeaderBytesMax = 16 * 1024;

// The part of `text` that `source` means, a view into `text` or into `scratch`. REQUIRES: !source.several.
std::expected<std::string_view, PartError> PickPart(const FieldSource& source, std::string_view text,
                                                    std::string* scratch);

// One of several quotas that one text speaks of.
struct NamedPart {
  std::vector<std::string> names;  // what each '*' of the pointer stood for; else the one name
  std::string text;

  friend bool operator==(const NamedPart&, const NamedPart&) = default;
};
// At most 64, in the text's order. REQUIRES: source.several and a header's source.
std::expected<std::vector<NamedPart>, PartError> PickSeveral(const FieldSource& source,
                                                             std::string_view text);

// Every part that `source` means, whichever quota it is of, without those that mean "not said".
std::expected<std::vector<std::string>, PartError> PickTexts(const FieldSource& source,
                                                             std::string_view text);

}  // namespace apiquota::provider
