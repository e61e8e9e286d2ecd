// Which of the operator's limits a request is meant by, and whom it is counted under. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "guard/keyed_hash.h"
#include "guard/own_limits.h"

namespace apiquota::guard {

// "*" at a pattern's end: all that begin so; an empty one: all.
bool PathMatches(std::string_view pattern, std::string_view path);

// `path`: tidy (base/tidy_path.h).
bool Matches(const LimitMatch& match, const LimitedCall& call, std::string_view path);
bool MatchesCaller(const LimitMatch& match, std::string_view caller);

// Everything of `by` in the request, told apart, as bytes to be hashed; what it lacks is returned instead: of
// a header its name.
std::optional<std::string> Subject(const LimitRule& rule, const LimitedCall& call, std::string* bytes);

// Of what must stay for a rule's counts to go on, and of its match.
uint64_t DigestOf(const HashKey& key, const LimitRule& rule);
uint64_t DigestOf(const HashKey& key, const LimitMatch& match);

}  // namespace apiquota::guard
