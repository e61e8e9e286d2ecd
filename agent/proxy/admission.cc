#include "proxy/admission.h"

#include <optional>
#include <string_view>

#include "base/text.h"

namespace apiquota::proxy {
namespace {

constexpr std::string_view kSchemeEnd = "://";

// The authority of an absolute-form target; nothing of origin-form.
std::optional<std::string_view> TargetAuthority(std::string_view target) {
  const size_t scheme = target.find(kSchemeEnd);
  if (target.starts_with('/') || scheme == std::string_view::npos) return std::nullopt;
  const std::string_view rest = target.substr(scheme + kSchemeEnd.size());
  return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

bool HostAllowed(const net::HostNames& names, const http::RequestHead& head) {
  if (!head.host.empty() && !names.Allow(head.host)) return false;
  const auto authority = TargetAuthority(head.target);
  return !authority || names.Allow(*authority);
}

std::string_view RequestAuthority(const http::RequestHead& head) {
  return TargetAuthority(head.target).value_or(head.host);
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
