#include "net/host_names.h"

#include <algorithm>

#include "base/ip_address.h"
#include "base/text.h"

namespace apiquota::net {
namespace {

bool IsAllAddresses(const std::string& host) {
  const auto address = IpAddress::Parse(host);
  return host.empty() || (address && address->IsUnspecified());
}

// "[::1]:9429" → "::1", "Agent:9429" → "agent"; "" if it is neither form.
std::string NameOf(std::string_view authority) {
  std::string_view name = authority;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return "";
    name = authority.substr(1, end - 1);
    rest = authority.substr(end + 1);
  } else if (const size_t colon = authority.find(':'); colon != std::string_view::npos) {
    name = authority.substr(0, colon);
    rest = authority.substr(colon);
  }
  const bool port_fits = rest.empty() || rest == ":" || (rest[0] == ':' && ParseDigits(rest.substr(1)));
  return port_fits ? ToLower(name) : "";
}

}  // namespace

HostNames::HostNames(const ListenAddress& listen, const std::vector<std::string>& hosts)
    : all_hosts_(listen.is_unix()), all_addresses_(IsAllAddresses(listen.host)) {
  names_.push_back(ToLower(listen.host));
  for (const std::string& host : hosts) names_.push_back(ToLower(host));
}

bool HostNames::Allow(std::string_view authority) const {
  if (all_hosts_) return true;
  const std::string name = NameOf(authority);
  if (name.empty()) return false;
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  if (std::ranges::find(names_, name) != names_.end()) return true;
  const auto address = IpAddress::Parse(name);
  return address && (address->IsLoopback() || all_addresses_);
}

}  // namespace apiquota::net
