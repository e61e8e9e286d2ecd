#include "provider/batch_rule.h"

#include <algorithm>
#include <string_view>

namespace apiquota::provider {
namespace {

bool Fits(std::string_view pattern, std::string_view path) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == path;
  const std::string_view begin = pattern.substr(0, star);
  const std::string_view end = pattern.substr(star + 1);
  return path.size() > begin.size() + end.size() && path.starts_with(begin) && path.ends_with(end);
}

}  // namespace

bool Takes(const BatchRule& batch, const http::Exchange& request) {
  return request.method == "POST" && std::ranges::any_of(batch.paths, [&](const std::string& path) {
           return Fits(path, request.path) || Fits(path, request.described_path);
         });
}

}  // namespace apiquota::provider
