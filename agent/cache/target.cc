#include "cache/target.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/tidy_path.h"

namespace apiquota::cache {
namespace {

constexpr std::array<std::string_view, 8> kSafe = {"GET",      "HEAD",   "OPTIONS", "TRACE",
                                                   "PROPFIND", "REPORT", "SEARCH",  "QUERY"};

// "//authority/path" of this origin: its path.
std::optional<std::string_view> PathBehind(std::string_view authority, std::string_view text) {
  text.remove_prefix(2);
  const size_t end = std::min(text.find_first_of("/?#"), text.size());
  if (!EqualsIgnoreCase(text.substr(0, end), authority)) return std::nullopt;
  const std::string_view path = text.substr(end);
  return path.empty() ? std::string_view("/") : path;
}

std::string_view PathAlone(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

Digest PathOf(std::string_view target) {
  std::string scratch;
  return Hasher().Add(TidyPath(PathAlone(target), &scratch)).Finish();
}

Digest PathOf(const Question& question) {
  if (question.body) return Hasher().Add(question.method).Add(PathAlone(question.target)).Finish();
  return PathOf(question.target);
}

std::optional<std::string> ResolveHere(std::string_view reference, std::string_view target,
                                       std::string_view authority) {
  reference = Trim(reference.substr(0, reference.find('#')));
  for (const std::string_view scheme : {"http:", "https:"}) {
    if (StartsWithIgnoreCase(reference, scheme) && reference.substr(scheme.size()).starts_with("//")) {
      reference.remove_prefix(scheme.size());
      break;
    }
  }
  if (reference.starts_with("//")) {
    const auto path = PathBehind(authority, reference);
    if (!path) return std::nullopt;
    return path->starts_with('/') ? std::string(*path) : "/" + std::string(*path);
  }
  const std::string_view path = PathAlone(reference);
  if (reference.starts_with('/')) return std::string(reference);
  const std::string_view base = PathAlone(target);
  if (path.empty()) return std::string(base).append(reference);
  if (path.substr(0, path.find('/')).find(':') != std::string_view::npos) return std::nullopt;  // a scheme
  return std::string(base.substr(0, base.rfind('/') + 1)).append(reference);
}

bool IsSafe(std::string_view method) { return std::ranges::find(kSafe, method) != kSafe.end(); }

}  // namespace apiquota::cache
