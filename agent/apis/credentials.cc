#include "apis/credentials.h"

#include <algorithm>
#include <utility>

#include "base/secret.h"
#include "base/text.h"
#include "http/query.h"
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

// Where credentials stand in a request that hold anything.
struct CredentialPlaces {
  size_t field = kNone;        // the first header field
  std::string_view parameter;  // the first parameter's value, as it stands
  const CallerOptions* caller = nullptr;
  size_t count = 0;
  bool repeated = false;
};

void FindFields(const provider::ExporterInfo& exporter, const http::Fields& fields,
                const std::vector<CallerOptions>& callers, CredentialPlaces* places) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    const bool credential = std::ranges::any_of(
        exporter.credentials, [&](const auto& rule) { return http::SpelledAlike(field.name, rule.header); });
    if (!credential || field.value.empty()) continue;
    ++places->count;
    places->repeated = places->field != kNone;
    if (places->repeated) return;
    places->field = i;
    if (!callers.empty()) places->caller = FindCallerInField(callers, field.value);
  }
}

bool HasParameterRule(const provider::ExporterInfo& exporter) {
  return std::ranges::any_of(exporter.credentials, [](const auto& rule) { return !rule.query.empty(); });
}

bool IsCredentialParameter(const provider::ExporterInfo& exporter, std::string_view name) {
  return std::ranges::any_of(exporter.credentials, [name](const auto& rule) {
    return !rule.query.empty() && http::MeansName(name, rule.query);
  });
}

// The value of the first parameter of this name that holds any; `times` if there are several.
std::string_view FindParameter(std::string_view query, std::string_view name, size_t* times = nullptr) {
  std::string_view value;
  http::QueryReader reader(query);
  for (http::QueryParameter parameter; reader.Next(&parameter);) {
    if (parameter.value.empty() || !http::MeansName(parameter.name, name)) continue;
    if (times != nullptr) ++*times;
    if (value.empty()) value = parameter.value;
  }
  return value;
}

void FindParameters(const provider::ExporterInfo& exporter, std::string_view target,
                    const std::vector<CallerOptions>& callers, CredentialPlaces* places) {
  if (!HasParameterRule(exporter)) return;
  const std::string_view query = http::QueryOf(target);
  for (const provider::CredentialRule& rule : exporter.credentials) {
    if (rule.query.empty()) continue;
    size_t times = 0;
    const std::string_view value = FindParameter(query, rule.query, &times);
    if (value.empty()) continue;
    ++places->count;
    places->repeated = places->repeated || times > 1;
    const Owner owner = OwnerOfParameter(value);
    const CallerOptions* const caller = FindCaller(callers, owner.text());
    if (caller != nullptr || places->parameter.empty()) places->parameter = value;
    if (caller != nullptr) places->caller = caller;
  }
}

CredentialPlaces FindPlaces(const provider::ExporterInfo& exporter, const http::RequestHead& head,
                            const std::vector<CallerOptions>& callers) {
  CredentialPlaces places;
  FindFields(exporter, head.fields, callers, &places);
  FindParameters(exporter, head.target, callers, &places);
  return places;
}

// Anywhere but in the place that holds a caller's.
bool HoldsToken(const TokenSearch& tokens, const http::RequestHead& head, const CredentialPlaces& places) {
  if (tokens.FoundIn(head.method)) return true;
  const std::string_view target = head.target;
  const bool in_target = places.caller != nullptr && !places.parameter.empty();
  const size_t begin =
      in_target ? static_cast<size_t>(places.parameter.data() - target.data()) : target.size();
  const size_t end = in_target ? begin + places.parameter.size() : target.size();
  if (tokens.FoundIn(target.substr(0, begin)) || tokens.FoundIn(target.substr(end))) return true;
  for (size_t i = 0; i < head.fields.size(); ++i) {
    const http::FieldView field = head.fields[i];
    // Its name and value are neighbours in memory. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    const std::string_view line(field.name.data(), field.value.data() + field.value.size());
    const bool expected = places.caller != nullptr && i == places.field;
    if (!expected && tokens.FoundIn(line)) return true;
  }
  return false;
}

// As the rule says it, if the field holds it so.
std::optional<FoundCredential> FindInField(const provider::CredentialRule& rule, std::string_view value) {
  const auto text = WithoutScheme(value, rule.scheme);
  if (!text) return std::nullopt;
  FoundCredential found{.rule = &rule, .field = value, .text = *text, .owner = {*text, {}}};
  if (rule.part != provider::CredentialPart::kWhole) {
    found.owner = TokenOfBasic(*text, rule);
  } else if (!rule.claim.empty()) {
    found.owner = ClaimOf(*text, rule.claim);
  } else if (auto signer = SignerOf(value)) {
    found.owner = std::move(*signer);
  }
  return found;
}

}  // namespace

bool FoundCredential::Is(const Secret& key) const {
  return !key.empty() && (key.Equals(value()) || key.Equals(text) || key.Equals(field));
}

FoundCredential FindCredential(const provider::ExporterInfo& exporter, const http::Fields& fields,
                               std::string_view target) {
  const provider::CredentialRule* other_scheme = nullptr;
  std::string_view other_value;
  for (const provider::CredentialRule& rule : exporter.credentials) {
    if (!rule.query.empty()) {
      const std::string_view value = FindParameter(http::QueryOf(target), rule.query);
      if (!value.empty())
        return {.rule = &rule, .field = value, .text = value, .owner = OwnerOfParameter(value)};
      continue;
    }
    const auto value = fields.Find(rule.header);
    if (!value) continue;
    if (auto found = FindInField(rule, *value)) return std::move(*found);
    other_scheme = &rule;
    other_value = *value;
  }
  // Signed in a way that the file does not speak of: still somebody's.
  if (other_scheme == nullptr) other_value = fields.Find("authorization").value_or("");
  if (auto signer = SignerOf(other_value)) {
    return {.rule = other_scheme, .field = other_value, .text = other_value, .owner = std::move(*signer)};
  }
  const std::string_view message = fields.Find("signature-input").value_or("");
  if (auto signer = SignerOfMessage(message))
    return {.rule = nullptr, .field = message, .text = message, .owner = std::move(*signer)};
  if (auto signer = SignerOfQuery(http::QueryOf(target))) {
    const std::string_view piece = signer->piece;
    return {.rule = nullptr, .field = piece, .text = piece, .owner = std::move(*signer)};
  }
  return {};
}

CredentialDecision DecideCredential(const RouteTable& routes, const Route& route,
                                    const http::RequestHead& head, bool loopback_client) {
  using Action = KeyChoice::Action;
  const provider::ExporterInfo& exporter = Info(*route.exporter);
  const bool recognises = !routes.callers().empty();
  const bool injects_for_all = route.injected != nullptr && !recognises && loopback_client;
  CredentialDecision decision{FindCredential(exporter, head.fields, head.target), {}};
  KeyChoice& choice = decision.choice;
  const auto refuse = [&](metrics::Rejection reason) {
    choice.action = Action::kRefuse;
    choice.refusal = reason;
    return std::move(decision);
  };
  CredentialPlaces places;
  if (recognises || injects_for_all) {
    places = FindPlaces(exporter, head, routes.callers());
    choice.caller = places.caller;
    const bool decides = injects_for_all || choice.caller != nullptr;
    if (places.repeated || (places.count > 1 && decides)) return refuse(metrics::Rejection::kCredentials);
  }
  if (choice.caller != nullptr && !choice.caller->MayUse(route.api)) {
    return refuse(metrics::Rejection::kCaller);
  }
  if (recognises && HoldsToken(routes.caller_tokens(), head, places)) {
    return refuse(metrics::Rejection::kTokenLeak);
  }
  // In a form the exporter file does not name (Basic where it says Bearer), the key goes to the provider's
  // first.
  if (choice.caller != nullptr && !choice.caller->token.Equals(decision.found.value())) decision.found = {};
  if (choice.caller != nullptr || injects_for_all) {
    choice.action = route.injected != nullptr ? Action::kInject : Action::kStrip;
    choice.key = route.injected;
    return decision;
  }
  for (const KeyOptions& key : route.keys) {
    if (decision.found.Is(key.value)) choice.key = &key;
  }
  return decision;
}

const CallerOptions* CallerOf(const RouteTable& routes, const http::Fields& fields) {
  const CallerOptions* found = nullptr;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    const bool credential = std::ranges::any_of(
        routes.credential_fields(), [&](const auto& name) { return http::SpelledAlike(field.name, name); });
    const CallerOptions* caller = credential ? FindCallerInField(routes.callers(), field.value) : nullptr;
    if (caller != nullptr && found != nullptr && caller != found) return nullptr;
    if (caller != nullptr) found = caller;
  }
  return found;
}

namespace {

// A part of Basic is no place for a whole key; the first rule never is one.
const provider::CredentialRule* RuleToInject(const provider::ExporterInfo& exporter,
                                             const FoundCredential& found) {
  if (exporter.credentials.empty()) return nullptr;
  const bool usable = found.rule != nullptr && found.rule->part == provider::CredentialPart::kWhole;
  return usable ? found.rule : &exporter.credentials.front();
}

}  // namespace

bool InjectsInQuery(const provider::ExporterInfo& exporter, const FoundCredential& found) {
  const provider::CredentialRule* const rule = RuleToInject(exporter, found);
  return rule != nullptr && !rule->query.empty();
}

std::optional<InjectedCredential> InjectKey(const provider::ExporterInfo& exporter,
                                            const FoundCredential& found, const KeyOptions& key) {
  const provider::CredentialRule* const chosen = RuleToInject(exporter, found);
  if (chosen == nullptr) return std::nullopt;
  const provider::CredentialRule& rule = *chosen;
  if (!rule.query.empty()) return InjectedCredential{rule.query, std::string(key.value.Reveal()), true};
  std::string value = rule.scheme.empty() ? "" : rule.scheme + " ";
  value.append(key.value.Reveal());
  return InjectedCredential{rule.header, std::move(value), false};
}

bool ReplaceInTarget(const provider::ExporterInfo& exporter,
                     const std::optional<InjectedCredential>& injected, std::string* target) {
  if (!HasParameterRule(exporter)) return false;
  const bool removed = http::RemoveParameters(
      target, [&](const auto& parameter) { return IsCredentialParameter(exporter, parameter.name); });
  if (!injected || !injected->in_query) return removed;
  http::AppendParameter(injected->name, injected->value, target);
  return true;
}

void AddKey(const provider::ExporterInfo& exporter, const KeyOptions& key, std::string* url,
            std::vector<std::pair<std::string, std::string>>* fields) {
  const auto injected = InjectKey(exporter, {}, key);
  if (!injected) return;
  if (injected->in_query) {
    ReplaceInTarget(exporter, injected, url);
  } else {
    fields->emplace_back(injected->name, injected->value);
  }
}

}  // namespace apiquota::apis
