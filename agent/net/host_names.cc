#include "net/host_names.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/text.h"

namespace apiquota::net {
namespace {

enum class Literal { kNone, kLoopback, kAny, kOther };

Literal Classify(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    const uint32_t address = ntohl(v4.s_addr);
    return address >> 24 == 127 ? Literal::kLoopback : address == 0 ? Literal::kAny : Literal::kOther;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return Literal::kNone;
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return Literal::kLoopback;
  return IN6_IS_ADDR_UNSPECIFIED(&v6) ? Literal::kAny : Literal::kOther;
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
    : all_addresses_(listen.host.empty() || Classify(listen.host) == Literal::kAny) {
  names_.push_back(ToLower(listen.host));
  for (const std::string& host : hosts) names_.push_back(ToLower(host));
}

bool HostNames::Allow(std::string_view authority) const {
  const std::string name = NameOf(authority);
  if (name.empty()) return false;
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  if (std::ranges::find(names_, name) != names_.end()) return true;
  const Literal literal = Classify(name);
  return literal == Literal::kLoopback || (all_addresses_ && literal != Literal::kNone);
}

}  // namespace apiquota::net
