#include "source/admission.h"

#include <algorithm>

#include "base/text.h"
#include "net/address.h"

namespace apiquota::source {
namespace {

// "[::1]:4290" → "::1", "LocalHost:4290" → "localhost"
std::string HostOnly(std::string_view authority) {
  if (authority.starts_with('[')) {
    return ToLower(
        authority.substr(1, authority.find(']') == std::string_view::npos ? 0 : authority.find(']') - 1));
  }
  return ToLower(authority.substr(0, authority.find(':')));
}

// The authority of an absolute-form target; nothing of origin-form.
std::optional<std::string_view> TargetAuthority(std::string_view target) {
  const size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return std::nullopt;
  const std::string_view rest = target.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

Admission::Admission(const net::ListenAddress& listen, const std::vector<std::string>& hosts) {
  const auto address = net::IpAddress::Parse(listen.host);
  all_addresses_ =
      listen.host.empty() || (address && std::ranges::all_of(address->bytes, [](auto b) { return b == 0; }));
  if (!all_addresses_)
    names_.push_back(HostOnly(address && address->v6 ? "[" + listen.host + "]" : listen.host));
  for (const std::string& host : hosts) {
    const bool bare_v6 = !host.starts_with('[') && std::ranges::count(host, ':') > 1;
    names_.push_back(HostOnly(bare_v6 ? "[" + host + "]" : host));
  }
}

bool Admission::NameAllowed(std::string_view authority) const {
  const std::string name = HostOnly(authority);
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  if (const auto address = net::IpAddress::Parse(name)) {
    if (address->IsLoopback() || all_addresses_) return true;
  }
  return std::ranges::find(names_, name) != names_.end();
}

bool Admission::HostAllowed(const http::RequestHead& head) const {
  if (!head.host.empty() && !NameAllowed(head.host)) return false;
  const auto authority = TargetAuthority(head.target);
  return !authority || NameAllowed(*authority);
}

bool SameOrigin(const http::RequestHead& head) {
  const auto site = head.fields.Find("sec-fetch-site");
  if (site && (*site == "cross-site" || *site == "same-site")) return false;
  const auto origin = head.fields.Find("origin");
  if (!origin) return true;
  const size_t scheme = origin->find("://");
  return scheme != std::string_view::npos && EqualsIgnoreCase(origin->substr(scheme + 3), head.host);
}

}  // namespace apiquota::source
