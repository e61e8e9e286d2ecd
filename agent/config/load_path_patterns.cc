// Paths and header names as the guard's parts name them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/tidy_path.h"
#include "config/guard_parts.h"
#include "config/names.h"

namespace apiquota::config {
namespace {

constexpr size_t kPathBytesMax = 512;
constexpr size_t kPathsMax = 64;

// "*" only at its end; what a path can't hold unencoded is no path (RFC 3986 section 3.3).
bool IsPathPattern(std::string_view text) {
  if (!text.starts_with('/') || text.size() > kPathBytesMax) return false;
  if (text.ends_with('*')) text.remove_suffix(1);
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && std::string_view("*?#\"<>\\^`{|}").find(c) == std::string_view::npos;
  });
}

}  // namespace

std::string LoadPathPattern(const YamlValue& value) {
  std::string path = value.AsString();
  if (value.IsScalar() && !IsPathPattern(path)) {
    value.Fail(
        "expected a path as it is sent upstream, without a query, such as /v1/embeddings; /v1/* for all that "
        "begin so");
  }
  return TidyPath(path);
}

std::vector<std::string> LoadPathPatterns(const YamlValue& list) {
  std::vector<std::string> paths;
  for (const YamlValue& item : list.AsList()) {
    paths.push_back(LoadPathPattern(item));
    if (std::ranges::count(paths, paths.back()) > 1) item.Fail("this path stands here twice");
  }
  if (paths.size() > kPathsMax) list.Fail(fmt::format("expected at most {} paths", kPathsMax));
  return paths;
}

std::string LoadHeaderName(const YamlValue& value) {
  std::string name = ToLower(value.AsString());
  if (value.IsScalar() && !IsHeaderName(name)) value.Fail("expected the name of a header, such as X-Tenant");
  return name;
}

}  // namespace apiquota::config
