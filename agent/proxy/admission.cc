#include "proxy/admission.h"

#include <optional>
#include <string_view>

#include "base/text.h"
#include "http/forward.h"

namespace apiquota::proxy {
namespace {

constexpr std::string_view kSchemeEnd = "://";

// The digits behind the host, which may be a literal full of colons; "" if there are none.
std::string_view PortOf(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const bool none = colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos;
  return none ? std::string_view() : authority.substr(colon + 1);
}

}  // namespace

bool HostAllowed(const net::HostNames& names, uint16_t own_port, const http::RequestHead& head) {
  if (!head.host.empty() && !names.Allow(head.host)) return false;
  const auto authority = http::TargetAuthority(head.target);
  if (!authority) return true;
  const std::string_view port = PortOf(*authority);
  return names.Allow(*authority) && (port.empty() || ParseDigits(port) == own_port);
}

std::string_view RequestAuthority(const http::RequestHead& head) {
  return http::TargetAuthority(head.target).value_or(head.host);
}

bool SameOrigin(const http::RequestHead& head) {
  const auto site = head.fields.Find("sec-fetch-site");
  if (site && (*site == "cross-site" || *site == "same-site")) return false;
  const auto origin = head.fields.Find("origin");
  if (!origin) return true;
  const size_t scheme = origin->find(kSchemeEnd);
  return scheme != std::string_view::npos &&
         EqualsIgnoreCase(origin->substr(scheme + kSchemeEnd.size()), head.host);
}

}  // namespace apiquota::proxy
