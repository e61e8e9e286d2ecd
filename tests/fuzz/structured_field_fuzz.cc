// rooms: provider
// Structured fields from anyone: parsing ends, and a text that is a List of one Item is that Item.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "provider/policies.h"
#include "provider/structured_field.h"

namespace sf = apiquota::provider::sf;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = sf::ParseList(text);
  sf::ParseDictionary(text);
  const auto item = sf::ParseItem(text);
  if (item && (!list || list->size() != 1 || std::get<sf::Item>(list->front()) != *item)) std::abort();
  if (apiquota::provider::ParsePolicies(text).has_value() && !list) std::abort();
  apiquota::provider::ParsePolicyStatuses(text);
  return 0;
}
