#include "apis/credentials.h"

#include <algorithm>

#include "base/text.h"

namespace apiquota::apis {
namespace {

// "Bearer abc" → "abc"; nothing if the scheme is another one.
std::optional<std::string_view> WithoutScheme(std::string_view value, std::string_view scheme) {
  if (scheme.empty()) return value;
  if (!StartsWithIgnoreCase(value, scheme)) return std::nullopt;
  const std::string_view rest = value.substr(scheme.size());
  if (rest.empty() || rest.front() != ' ') return std::nullopt;
  return Trim(rest);
}

const CallerOptions* FindCaller(const std::vector<CallerOptions>& callers, std::string_view token) {
  const CallerOptions* found = nullptr;
  for (const CallerOptions& caller : callers) {
    if (!caller.token.empty() && caller.token.Equals(token)) found = &caller;
  }
  return found;
}

bool MayUse(const CallerOptions& caller, const std::string& api) {
  return caller.apis.empty() || std::ranges::find(caller.apis, api) != caller.apis.end();
}

}  // namespace

FoundCredential FindCredential(const provider::ExporterInfo& exporter, const http::Fields& fields) {
  for (const provider::CredentialRule& rule : exporter.credentials) {
    const auto value = fields.Find(rule.header);
    if (!value) continue;
    if (const auto credential = WithoutScheme(*value, rule.scheme)) return {&rule, *credential};
  }
  return {};
}

KeyChoice ChooseKey(const RouteTable& routes, const Route& route, std::string_view credential,
                    bool loopback_client) {
  using Action = KeyChoice::Action;
  const CallerOptions* caller = FindCaller(routes.callers(), credential);
  if (caller != nullptr) {
    if (!MayUse(*caller, route.api)) return {Action::kRefuse, nullptr, caller};
    return {route.injected != nullptr ? Action::kInject : Action::kStrip, route.injected, caller};
  }
  if (route.injected != nullptr && routes.callers().empty() && loopback_client) {
    return {Action::kInject, route.injected, nullptr};
  }
  const KeyOptions* own = nullptr;
  for (const KeyOptions& key : route.keys) {
    if (!key.value.empty() && key.value.Equals(credential)) own = &key;
  }
  return {Action::kPass, own, nullptr};
}

std::optional<InjectedField> InjectedCredential(const provider::ExporterInfo& exporter,
                                                const FoundCredential& found, const KeyOptions& key) {
  if (exporter.credentials.empty()) return std::nullopt;
  const provider::CredentialRule& rule = found.rule != nullptr ? *found.rule : exporter.credentials.front();
  std::string value = rule.scheme.empty() ? "" : rule.scheme + " ";
  value.append(key.value.Reveal());
  return InjectedField{rule.header, std::move(value)};
}

}  // namespace apiquota::apis
