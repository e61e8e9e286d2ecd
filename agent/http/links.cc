#include "http/links.h"

#include <algorithm>

#include "base/text.h"
#include "http/query.h"

namespace apiquota::http {
namespace {

std::string_view PrefixOf(const LinkMapping& mapping) {
  return mapping.prefix == "/" ? std::string_view() : mapping.prefix;
}

// Path, query and fragment under the route, if they are under the base URL's path.
std::optional<std::string> UnderRoute(std::string_view path, const LinkMapping& mapping) {
  const size_t fragment = std::min(path.find('#'), path.size());
  const auto under = PathUnderRoute(path.substr(0, fragment), mapping.base->path);
  if (!under || path.find('\\') != std::string_view::npos) return std::nullopt;
  return std::string(PrefixOf(mapping)).append(*under).append(path.substr(fragment));
}

// "https://host[:port]…" or "//host[:port]…" with `scheme_size` bytes before the host.
std::optional<std::string> MapAbsolute(std::string_view url, std::string_view scheme, size_t scheme_size,
                                       const LinkMapping& mapping) {
  const size_t end = std::min(url.find_first_of("/?#\\", scheme_size), url.size());
  const auto origin =
      ParseBaseUrl(std::string(scheme).append("://").append(url.substr(scheme_size, end - scheme_size)));
  const BaseUrl& base = *mapping.base;
  if (!origin || origin->tls != base.tls || origin->host != base.host || origin->port != base.port)
    return std::nullopt;
  auto path = UnderRoute(url.substr(end), mapping);
  if (!path) return std::nullopt;
  if (mapping.host.empty()) {
    if (path->starts_with("//")) return std::nullopt;  // would name a host
    return path->starts_with('/') ? *path : "/" + *path;
  }
  return std::string(mapping.scheme).append("://").append(mapping.host).append(*path);
}

std::optional<std::string> MapNetworkPath(std::string_view reference, const LinkMapping& mapping) {
  const std::string_view scheme = mapping.base->tls ? "https" : "http";
  if (auto mapped = MapAbsolute(reference, scheme, 2, mapping)) return mapped;
  if (scheme == mapping.scheme) return std::nullopt;
  return std::string(scheme).append(":").append(reference);
}

// Where the quoted string at `at` ends, behind its closing quote.
size_t EndOfQuoted(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
  return std::min(at + 1, text.size());
}

// Where the parameters behind a target end: at the next comma outside of quotes.
size_t EndOfParameters(std::string_view text, size_t at) {
  while (at < text.size() && text[at] != ',') at = text[at] == '"' ? EndOfQuoted(text, at) : at + 1;
  return at;
}

// As it stands, or escaped: an address within an address is escaped twice. Shorter secrets are words that
// stand anywhere.
bool Shows(std::string_view text, std::string_view secret) {
  constexpr size_t kSecretBytesMin = 8;
  constexpr int kDecodedTimes = 3;
  if (secret.size() < kSecretBytesMin) return false;
  if (text.find(secret) != std::string_view::npos) return true;
  std::string decoded(text);
  for (int times = 0; times < kDecodedTimes && decoded.find('%') != std::string::npos; ++times) {
    decoded = PercentDecoded(decoded);
    if (decoded.find(secret) != std::string::npos) return true;
  }
  return false;
}

// Whatever holds the secret, wherever the address leads.
bool Withhold(std::string_view secret, std::string* address) {
  return RemoveParameters(address, [secret](const QueryParameter& parameter) {
    return PercentDecoded(parameter.value) == secret || Shows(parameter.text, secret);
  });
}

std::optional<std::string> LeadBack(std::string_view reference, const LinkMapping& mapping) {
  if (mapping.base == nullptr) return std::nullopt;
  if (reference.starts_with("//")) return MapNetworkPath(reference, mapping);
  if (reference.starts_with('/')) {
    auto path = UnderRoute(reference, mapping);
    if (!path || path->starts_with("//")) return std::nullopt;
    if (!path->starts_with('/')) path->insert(path->begin(), '/');
    return path == reference ? std::nullopt : path;
  }
  for (const std::string_view scheme : {"https", "http"}) {
    const size_t size = scheme.size() + 3;
    if (reference.size() < size || reference.substr(scheme.size(), 3) != "://") continue;
    if (EqualsIgnoreCase(reference.substr(0, scheme.size()), scheme))
      return MapAbsolute(reference, scheme, size, mapping);
  }
  return std::nullopt;
}

}  // namespace

bool ShowsWithheld(std::string_view value, const LinkMapping& mapping) {
  return !mapping.withheld.empty() && Shows(value, mapping.withheld);
}

std::optional<std::string> MapAddress(std::string_view reference, const LinkMapping& mapping) {
  if (mapping.withheld.empty()) return LeadBack(reference, mapping);
  std::string address(reference);
  if (!Withhold(mapping.withheld, &address)) return LeadBack(reference, mapping);
  auto mapped = LeadBack(address, mapping);
  return mapped ? mapped : address;
}

// #( "<" URI-Reference ">" *( ";" parameter ) ). What is no such list stays from there on.
std::optional<std::string> MapLinks(std::string_view value, const LinkMapping& mapping) {
  std::string out;
  size_t copied = 0;
  for (size_t at = 0; at < value.size();) {
    const size_t open = value.find_first_not_of(" \t,", at);
    if (open == std::string_view::npos || value[open] != '<') break;
    const size_t close = value.find('>', open);
    if (close == std::string_view::npos) break;
    if (const auto mapped = MapAddress(value.substr(open + 1, close - open - 1), mapping)) {
      out.append(value.substr(copied, open + 1 - copied)).append(*mapped);
      copied = close;
    }
    at = EndOfParameters(value, close + 1);
  }
  if (copied == 0) return std::nullopt;
  return out.append(value.substr(copied));
}

}  // namespace apiquota::http
