// What quotas are counted in: the closed list of units that exporter files may name, so that one thing has
// one name on every page. An API that counts in something of its own says `points`. What responses bring
// (IETF policies' `qu`) is not held to it.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace apiquota::provider {

// The word, as a table of words that mean themselves (YamlValue::AsEnum).
inline constexpr auto kUnits = [] {
  constexpr std::array<std::string_view, 39> kWords = {
      // of nearly every API
      "requests", "tokens", "points", "credits", "percent", "ratio", "concurrent-requests",
      // of what is carried or made
      "bytes", "megabytes", "characters", "images", "pages", "files", "messages", "emails", "recipients",
      "posts", "events", "records", "entities", "orders", "pulls", "errors", "jobs", "queries", "searches",
      // of time and money
      "seconds", "minutes", "audio-seconds", "usd", "eur",
      // of one API's own reckoning
      "weight", "units", "resource-units", "compute-units", "neurons", "tstus", "m2m-tokens",
      "ms-of-db-time"};
  std::array<std::pair<std::string_view, std::string_view>, kWords.size()> units;
  for (size_t i = 0; i < kWords.size(); ++i) units[i] = {kWords[i], kWords[i]};
  return units;
}();

}  // namespace apiquota::provider
