// The paths that a rule of the operator's speaks of: one spelling for patterns and for the paths that they
// are held against (base/tidy_path.h), whichever rule it is. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota::guard {

// Both tidy. `pattern` is a whole path as sent upstream, without a query; with "*" at its end all that begin
// so.
inline bool FitsPattern(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  pattern.remove_suffix(1);
  return path.starts_with(pattern);
}

inline bool FitsAny(const std::vector<std::string>& patterns, std::string_view path) {
  return std::ranges::any_of(patterns, [&](const std::string& each) { return FitsPattern(each, path); });
}

}  // namespace apiquota::guard
