#include "apis/credential_owner.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "http/query.h"
#include "provider/body_scan.h"
#include "provider/sf_encodings.h"

namespace apiquota::apis {
namespace {

constexpr std::string_view kPieces = "\n";  // between two pieces that identify together

// "name=value" and "name="quoted value"", between commas, semicolons, ampersands or blanks; what has no name
// is passed over.
class AuthParameters {
 public:
  explicit AuthParameters(std::string_view text) : rest_(text) {}

  bool Next(std::string_view* name, std::string_view* value) {
    constexpr std::string_view kBetween = " \t,;&";
    while (true) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(kBetween), rest_.size()));
      if (rest_.empty()) return false;
      const size_t end = std::min(rest_.find_first_of(" \t,;&="), rest_.size());
      *name = rest_.substr(0, end);
      const bool named = end < rest_.size() && rest_[end] == '=';
      rest_.remove_prefix(named ? end + 1 : end);
      if (!named) continue;
      *value = rest_.starts_with('"') ? Quoted() : rest_.substr(0, rest_.find_first_of(kBetween));
      if (!rest_.starts_with('"'))
        rest_.remove_prefix(value->size());
      else
        rest_.remove_prefix(std::min(value->size() + 2, rest_.size()));
      return true;
    }
  }

 private:
  // Escapes stay: whoever wrote them writes them again.
  std::string_view Quoted() const {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    return rest_.substr(1, std::min(end, rest_.size()) - 1);
  }

  std::string_view rest_;
};

std::string_view Parameter(std::string_view parameters, std::string_view wanted) {
  AuthParameters reader(parameters);
  for (std::string_view name, value; reader.Next(&name, &value);) {
    if (EqualsIgnoreCase(name, wanted)) return value;
  }
  return {};
}

// Schemes whose parameters name the owner: by `name`, which must be there, and by `more`.
struct NamedOwner {
  std::string_view scheme, name, more;
};
constexpr NamedOwner kNamedOwners[] = {
    {"OAuth", "oauth_consumer_key", "oauth_token"},
    {"Digest", "username", "realm"},
    {"Digest", "username*", "realm"},
    {"Hawk", "id", ""},
    {"MAC", "id", ""},
    {"Signature", "keyId", ""},
    {"hmac", "username", ""},
    {"acquia-http-hmac", "id", ""},
    {"EG1-HMAC-SHA256", "client_token", ""},
    {"SDK-HMAC-SHA256", "Access", ""},
    {"AWS3-HTTPS", "AWSAccessKeyId", ""},
    {"AWS3", "AWSAccessKeyId", ""},
    {"UsernameToken", "Username", ""},
};

// Schemes of the form "AWS ID:signature".
constexpr std::string_view kColonSchemes[] = {"AWS", "GOOG1",         "OSS",   "OBS",
                                              "acs", "SharedKeyLite", "Qiniu", "SharedKey"};

Owner Joined(std::string_view first, std::string_view second, bool escaped) {
  if (second.empty() && !(escaped && first.find('%') != std::string_view::npos)) return {first, {}};
  std::string text = escaped ? http::PercentDecoded(first) : std::string(first);
  if (!second.empty()) {
    text.append(kPieces);
    escaped ? text.append(http::PercentDecoded(second)) : text.append(second);
  }
  return {first, Secret(std::move(text))};
}

// "ID/date/region/service/request" → "ID", whose slashes may be escaped.
std::string_view BeforeScope(std::string_view credential) {
  for (size_t i = 0; i < credential.size(); ++i) {
    if (credential[i] == '/' || EqualsIgnoreCase(credential.substr(i, 3), "%2f"))
      return credential.substr(0, i);
  }
  return credential;
}

// Parameters that hold the id in the query of a signed request.
constexpr std::string_view kIdParameters[] = {"AWSAccessKeyId", "GoogleAccessId", "OSSAccessKeyId"};

// "X-Amz-Credential", "X-Goog-Credential", "x-oss-credential", …
bool IsScopedCredential(std::string_view name) {
  constexpr std::string_view kEnd = "-Credential";
  return name.size() > kEnd.size() && StartsWithIgnoreCase(name, "X-") &&
         EqualsIgnoreCase(name.substr(name.size() - kEnd.size()), kEnd);
}

}  // namespace

std::optional<Owner> SignerOf(std::string_view field_value) {
  const size_t blank = field_value.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = field_value.substr(0, blank);
  if (EqualsIgnoreCase(scheme, "Bearer") || EqualsIgnoreCase(scheme, "Basic")) return std::nullopt;
  const std::string_view rest = Trim(field_value.substr(blank));
  for (const std::string_view colon_scheme : kColonSchemes) {
    const size_t colon = rest.find(':');
    if (EqualsIgnoreCase(scheme, colon_scheme) && colon != 0 && colon != std::string_view::npos)
      return Owner{rest.substr(0, colon), {}};
  }
  for (const NamedOwner& named : kNamedOwners) {
    if (!EqualsIgnoreCase(scheme, named.scheme)) continue;
    const std::string_view owner = Parameter(rest, named.name);
    if (owner.empty()) continue;
    const std::string_view more = named.more.empty() ? std::string_view() : Parameter(rest, named.more);
    return Joined(owner, more, EqualsIgnoreCase(scheme, "OAuth"));
  }
  const std::string_view credential = BeforeScope(Parameter(rest, "Credential"));
  if (credential.empty() || Parameter(rest, "Signature").empty()) return std::nullopt;
  return Owner{credential, {}};
}

std::optional<Owner> SignerOfMessage(std::string_view signature_input) {
  const std::string_view key = Parameter(signature_input, "keyid");
  if (key.empty()) return std::nullopt;
  return Owner{key, {}};
}

std::optional<Owner> SignerOfQuery(std::string_view query) {
  std::string_view consumer, token;
  http::QueryReader reader(query);
  for (http::QueryParameter parameter; reader.Next(&parameter);) {
    if (parameter.value.empty()) continue;
    if (IsScopedCredential(parameter.name)) return OwnerOfParameter(BeforeScope(parameter.value));
    if (std::ranges::find(kIdParameters, parameter.name) != std::end(kIdParameters))
      return OwnerOfParameter(parameter.value);
    if (parameter.name == "oauth_consumer_key") consumer = parameter.value;
    if (parameter.name == "oauth_token") token = parameter.value;
  }
  if (consumer.empty()) return std::nullopt;
  return Joined(consumer, token, true);
}

Owner OwnerOfParameter(std::string_view value) { return Joined(value, {}, true); }

Owner TokenOfBasic(std::string_view encoded, const provider::CredentialRule& rule) {
  auto decoded = provider::sf::DecodeBase64(encoded);
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return {encoded, {}};
  const Secret text(std::move(*decoded));
  const std::string_view user = text.Reveal().substr(0, colon);
  const std::string_view password = text.Reveal().substr(colon + 1);
  const bool by_user = rule.part == provider::CredentialPart::kUser;
  const std::string_view named = by_user ? user : password;
  const std::string_view other = by_user ? password : user;
  const bool elsewhere = named.empty() || (!rule.except.empty() && named == rule.except);
  const std::string_view token = elsewhere ? other : named;
  if (token.empty()) return {encoded, {}};
  return {encoded, Secret(std::string(token))};
}

// Claims are read, never believed: the API judges the signature, and the name counts requests.
Owner ClaimOf(std::string_view token, const std::string& claim) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return {token, {}};
  std::string payload(token.substr(first + 1, second - first - 1));
  std::ranges::replace(payload, '-', '+');
  std::ranges::replace(payload, '_', '/');
  const auto decoded = provider::sf::DecodeBase64(payload);
  if (!decoded) return {token, {}};
  provider::BodyScanner scanner(std::vector<std::string>{"/" + claim});
  scanner.Write(*decoded);
  const auto values = scanner.TakeValues();
  if (values.empty() || values.front().value.empty()) return {token, {}};
  return {token, Secret(values.front().value)};
}

}  // namespace apiquota::apis
