// Addresses of the API's own in a response's head, led back through the agent: a client that follows a
// redirect or `rel=next` stays behind it (RFC 9110 10.2.2, 8.7; RFC 8288). Pure.
//
//   /v1/x                      an absolute path under the base URL's     → /route/x      (base path /v1)
//   https://api.example/v1/x   what begins with the base URL             → http://agent.host:4290/route/x
//   //api.example/v1/x         likewise; another host gets the base URL's scheme, as it meant it
//   x, ../x, ?page=2, #f, paths outside the base path, other origins, dot segments that leave      stay
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"
#include "http/forward.h"

namespace apiquota::http {

// Views: of a route, and of the request that is answered.
struct LinkMapping {
  const BaseUrl* base = nullptr;      // null: addresses are not led back
  std::string_view prefix;            // of the route: "/openai"; "/" or "" for all paths
  std::string_view scheme = "http";   // the listener's
  std::string_view host;              // the request's Host, judged; empty: addresses are given as paths
  std::span<const std::string> more;  // further fields that hold one address each, in lower case
  std::string_view withheld = {};     // a secret that the client did not send and is not shown
};

enum class LinkField : uint8_t { kNone, kAddress, kLink };

// Location, Content-Location and `more` hold an address, Link a list. (Refresh has a grammar of its own and
// is for browsers.)
inline LinkField LinkFieldOf(std::string_view name, const LinkMapping& mapping) {
  if (name.size() == 4 && EqualsIgnoreCase(name, "link")) return LinkField::kLink;
  if (name.size() == 8 && EqualsIgnoreCase(name, "location")) return LinkField::kAddress;
  if (name.size() == 16 && EqualsIgnoreCase(name, "content-location")) return LinkField::kAddress;
  for (const std::string_view field : mapping.more) {
    if (EqualsIgnoreCase(name, field)) return LinkField::kAddress;
  }
  return LinkField::kNone;
}

// The value as the client is to see it; nothing if it stays as it is.
std::optional<std::string> MapAddress(std::string_view reference, const LinkMapping& mapping);
std::optional<std::string> MapLinks(std::string_view value, const LinkMapping& mapping);

// Parameters that hold what is withheld, escaped up to three times, are left out of every address. Whether a
// field's value, so mapped, shows it elsewhere (in a path, a fragment, a cookie): then the field is for
// nobody.
bool ShowsWithheld(std::string_view value, const LinkMapping& mapping);

}  // namespace apiquota::http
