// Whose answers end with a change (RFC 9111 section 4.4). Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/hash.h"
#include "cache/question.h"

namespace apiquota::cache {

// By which a question's answer ends: its path, whatever its query and its spelling (base/tidy_path.h): a
// change ends too much rather than too little. What was asked by a POST ends by its ttl alone, whatever was
// changed.
Digest PathOf(const Question& question);
Digest PathOf(std::string_view target);

// The path (and query) that a reference in Location or Content-Location names, where it is of this origin;
// `target` is what it is relative to. Nothing: of another. Dot segments stay: PathOf
// resolves them.
std::optional<std::string> ResolveHere(std::string_view reference, std::string_view target,
                                       std::string_view authority);

// RFC 9110 section 9.2.1 and its registry.
bool IsSafe(std::string_view method);

}  // namespace apiquota::cache
