#include "provider/request_resource.h"

#include "provider/label.h"

namespace apiquota::provider {
namespace {

using From = ResourceRule::From;

bool ReadsAnswer(const ResourceRule& rule) {
  return rule.from == From::kHeader || rule.from == From::kResponseBody;
}

// What the last '*' of "/v1/projects/*/models/*:" stands for in a path: each stands for all up to the byte
// behind it, or to the next slash.
std::optional<std::string_view> PathPart(std::string_view pattern, std::string_view path) {
  std::string_view part;
  for (size_t star = pattern.find('*'); star != std::string_view::npos; star = pattern.find('*')) {
    if (!path.starts_with(pattern.substr(0, star))) return std::nullopt;
    path.remove_prefix(star);
    pattern.remove_prefix(star + 1);
    part = path.substr(0, path.find(pattern.empty() ? '/' : pattern.front()));
    if (part.empty() || part.find('/') != std::string_view::npos) return std::nullopt;
    path.remove_prefix(part.size());
  }
  return part;
}

}  // namespace

std::optional<std::string_view> NamedByRequest(const ResourceRule& rule, const http::Exchange& request) {
  if (rule.from == From::kRequestBody) return http::FindBodyValue(request.request_body, rule.name);
  if (rule.from != From::kPath) return std::nullopt;
  if (!rule.value.empty()) {
    if (http::PathBegins(request, rule.name)) return rule.value;
    return std::nullopt;
  }
  const auto part = PathPart(rule.name, request.path);
  return part ? part : PathPart(rule.name, request.described_path);
}

std::optional<std::string> RequestResource(const Exporter& exporter, const http::Exchange& request) {
  for (const ResourceRule& rule : exporter.resources) {
    if (ReadsAnswer(rule)) return std::nullopt;
    const auto text = NamedByRequest(rule, request);
    if (text && FitForLabel(*text)) return std::string(*text);
  }
  return "";
}

bool BodyMayNameResource(const Exporter& exporter, const http::Exchange& request) {
  for (const ResourceRule& rule : exporter.resources) {
    if (ReadsAnswer(rule)) return false;
    const auto text = NamedByRequest(rule, request);
    if (text && FitForLabel(*text)) return false;
    if (rule.from == From::kRequestBody && !text) return true;
  }
  return false;
}

}  // namespace apiquota::provider
