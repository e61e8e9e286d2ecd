#include "apis/credentials.h"

#include <algorithm>
#include <utility>

#include "base/secret.h"
#include "base/text.h"
#include "provider/sf_encodings.h"

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

// Whose token the value of a credential field is: alone, behind a scheme, or one half of what Basic encodes.
const CallerOptions* FindCallerInField(const std::vector<CallerOptions>& callers, std::string_view value) {
  if (const CallerOptions* caller = FindCaller(callers, value)) return caller;
  const size_t blank = value.find(' ');
  if (blank == std::string_view::npos) return nullptr;
  const std::string_view rest = Trim(value.substr(blank));
  if (const CallerOptions* caller = FindCaller(callers, rest)) return caller;
  if (!EqualsIgnoreCase(value.substr(0, blank), "Basic")) return nullptr;
  auto decoded = provider::sf::DecodeBase64(rest);
  if (!decoded) return nullptr;
  const Secret user_and_password(std::move(*decoded));
  const std::string_view text = user_and_password.Reveal();
  const size_t colon = text.find(':');
  if (const CallerOptions* caller = FindCaller(callers, text.substr(0, colon))) return caller;
  return colon == std::string_view::npos ? nullptr : FindCaller(callers, text.substr(colon + 1));
}

constexpr size_t kNone = static_cast<size_t>(-1);

struct CredentialPlace {
  size_t index = kNone;  // of the first field for a credential that holds anything
  bool several = false;
};

CredentialPlace FindPlace(const provider::ExporterInfo& exporter, const http::Fields& fields) {
  CredentialPlace place;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    const bool credential = std::ranges::any_of(
        exporter.credentials, [&](const auto& rule) { return http::SpelledAlike(field.name, rule.header); });
    if (!credential || field.value.empty()) continue;
    place.several = place.index != kNone;
    if (place.several) return place;
    place.index = i;
  }
  return place;
}

// Anywhere but in field `expected`.
bool HoldsToken(const TokenSearch& tokens, const http::RequestHead& head, size_t expected) {
  if (tokens.FoundIn(head.method) || tokens.FoundIn(head.target)) return true;
  for (size_t i = 0; i < head.fields.size(); ++i) {
    const http::FieldView field = head.fields[i];
    // Its name and value are neighbours in memory. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    const std::string_view line(field.name.data(), field.value.data() + field.value.size());
    if (i != expected && tokens.FoundIn(line)) return true;
  }
  return false;
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

CredentialDecision DecideCredential(const RouteTable& routes, const Route& route,
                                    const http::RequestHead& head, bool loopback_client) {
  using Action = KeyChoice::Action;
  const provider::ExporterInfo& exporter = Info(*route.exporter);
  const bool recognises = !routes.callers().empty();
  const bool injects_for_all = route.injected != nullptr && !recognises && loopback_client;
  CredentialDecision decision{FindCredential(exporter, head.fields), {}};
  KeyChoice& choice = decision.choice;
  const auto refuse = [&](metrics::Rejection reason) {
    choice.action = Action::kRefuse;
    choice.refusal = reason;
    return decision;
  };
  CredentialPlace place;
  if (recognises || injects_for_all) {
    place = FindPlace(exporter, head.fields);
    if (place.several) return refuse(metrics::Rejection::kCredentials);
  }
  if (recognises && place.index != kNone) {
    choice.caller = FindCallerInField(routes.callers(), head.fields[place.index].value);
  }
  if (choice.caller != nullptr && !choice.caller->MayUse(route.api)) {
    return refuse(metrics::Rejection::kCaller);
  }
  if (recognises &&
      HoldsToken(routes.caller_tokens(), head, choice.caller != nullptr ? place.index : kNone)) {
    return refuse(metrics::Rejection::kTokenLeak);
  }
  // In a form the exporter file does not name (Basic where it says Bearer), the key goes to the provider's
  // first.
  if (choice.caller != nullptr && !choice.caller->token.Equals(decision.found.value)) decision.found = {};
  if (choice.caller != nullptr || injects_for_all) {
    choice.action = route.injected != nullptr ? Action::kInject : Action::kStrip;
    choice.key = route.injected;
    return decision;
  }
  for (const KeyOptions& key : route.keys) {
    if (!key.value.empty() && key.value.Equals(decision.found.value)) choice.key = &key;
  }
  return decision;
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
