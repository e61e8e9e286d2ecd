// The grammar of exporter files as one table: at each place of a file which keys there are, what stands
// behind them and what they mean. The loader refuses by it (rule_loader.h), exporters/exporter.schema.json
// and the tables in exporters/README.md are written from it (expose/grammar_text.h). Immutable; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "provider/exporter_rules.h"

namespace apiquota::provider {

// What stands behind a key.
enum class Shape : uint8_t {
  kText,
  kTexts,    // one or a list
  kName,     // 1 to 128 printable characters
  kApiName,  // lower-case letters, digits and -
  kUri,
  kHttpsUrl,
  kHosts,  // a list; one * each
  kFlag,
  kHeader,       // in lower case, with at most one *
  kHeaders,      // one or a list
  kHints,        // headers, or "name: value"; one or a list
  kPlainHeader,  // without *
  kPlainHeaders,
  kPointer,   // JSON pointer
  kPointers,  // one or alternatives
  kPath,      // how a request's path begins
  kPaths,     // whole ones with at most one * each; one or a list
  kStatus,
  kStatuses,  // one or a list
  kWord,      // of the list `of`
  kWordMap,   // text to a word of the list `of`
  kScalar,
  kScalarMap,
  kAmount,    // a number, or a duration
  kCount,     // a number, 0 or more
  kDuration,  // 60s
  kItem,      // an element's number, or a name=value it holds
  kPlace,     // a map whose keys are those of the place `of`
  kPlaces,    // one or a list
  kPlaceList,
  kPlaceMap,       // text to such maps
  kWords,          // one or a list of words of `of`
  kWindow,         // sources, or words of `of`
  kRetryAfter,     // headers or sources
  kResourceNames,  // "*", or a map of the place `of`
  kTokenCounts,    // pointers, or a map of the place `of`
};

struct GrammarKey {
  std::string_view name;
  Shape shape = Shape::kText;
  std::string_view meaning;
  std::string_view of = {};  // a place, or a list of words
  bool required = false;
};

struct GrammarPlace {
  std::string_view name;  // "": the whole file
  std::string_view meaning;
  std::span<const GrammarKey> keys;
  std::span<const std::string_view> one_of = {};  // exactly one of these is said
};

std::span<const GrammarPlace> Grammar();
const GrammarPlace& PlaceNamed(std::string_view name);  // REQUIRES: it is one

// The words of a closed list: "kinds", "scopes", "formats", "units", "windows", "token types", "parts",
// "methods", "sides", "caps", "charge times", "cached".
std::vector<std::string_view> WordsNamed(std::string_view list);

// And "unknown": fixed until it is seen to slide (docs/quota-semantics.md rule 1).
inline constexpr auto kKindWords = [] {
  std::array<std::pair<std::string_view, std::optional<QuotaKind>>, kQuotaKindWords.size() + 1> words;
  for (size_t i = 0; i < kQuotaKindWords.size(); ++i) words[i] = kQuotaKindWords[i];
  words.back() = {"unknown", std::nullopt};
  return words;
}();

inline constexpr std::array<std::pair<std::string_view, WindowRule>, 2> kWindowWords = {
    {{"derived", WindowRule::kDerived}, {"from-name", WindowRule::kFromName}}};

inline constexpr std::array<std::pair<std::string_view, ThrottleScope>, 6> kScopeWords = {
    {{"primary", ThrottleScope::kPrimary},
     {"secondary", ThrottleScope::kSecondary},
     {"concurrency", ThrottleScope::kConcurrency},
     {"overload", ThrottleScope::kOverload},
     {"spend", ThrottleScope::kSpend},
     {"unknown", ThrottleScope::kUnknown}}};

inline constexpr std::array<std::pair<std::string_view, TokenType>, kTokenTypes> kTokenTypeWords = {
    {{"input", TokenType::kInput},
     {"cached_input", TokenType::kCachedInput},
     {"cache_write", TokenType::kCacheWrite},
     {"output", TokenType::kOutput},
     {"reasoning", TokenType::kReasoning}}};

inline constexpr std::array<std::pair<std::string_view, CredentialPart>, 2> kCredentialPartWords = {
    {{"user", CredentialPart::kUser}, {"password", CredentialPart::kPassword}}};

inline constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kPollMethodWords = {
    {{"GET", "GET"}, {"HEAD", "HEAD"}}};

inline constexpr std::array<std::pair<std::string_view, TokenSide>, 3> kTokenSideWords = {
    {{"input", TokenSide::kInput}, {"output", TokenSide::kOutput}, {"both", TokenSide::kBoth}}};

inline constexpr std::array<std::pair<std::string_view, CapCharge>, 3> kCapWords = {
    {{"sum", CapCharge::kSum}, {"max", CapCharge::kMax}, {"ignored", CapCharge::kIgnored}}};

inline constexpr std::array<std::pair<std::string_view, ChargeTime>, 3> kChargeTimeWords = {
    {{"start", ChargeTime::kStart}, {"settled", ChargeTime::kSettled}, {"end", ChargeTime::kEnd}}};

// Whether what is read from a provider's cache is free.
inline constexpr std::array<std::pair<std::string_view, bool>, 2> kCachedWords = {
    {{"counted", false}, {"free", true}}};

}  // namespace apiquota::provider
