#include "proxy/retry_causes.h"

namespace apiquota::proxy {
namespace {

// Of those that no throttle rule speaks of: a server that has a bad moment, not one that can't do it.
bool IsTransient(int status) {
  return status >= 500 && status != 501 && status != 505 && status != 508 && status != 510 && status != 511;
}

constexpr bool NamesThrottle(int status) { return status == 429 || status == 529; }

}  // namespace

// A recognised throttle shows that the request was not carried out (RFC 9110 section 9.2.2). Who has spent
// all of a budget of money is told so at once.
std::optional<guard::RetryCause> CauseOfAnswer(int status, const provider::Throttle* throttle) {
  if (throttle != nullptr && throttle->scope == provider::ThrottleScope::kSpend) return std::nullopt;
  if (throttle != nullptr || NamesThrottle(status)) return guard::RetryCause::kThrottle;
  if (IsTransient(status)) return guard::RetryCause::kTransient;
  return std::nullopt;
}

std::optional<guard::RetryCause> CauseOfFailure(metrics::UpstreamError error) {
  switch (error) {
    case metrics::UpstreamError::kDns:
    case metrics::UpstreamError::kDnsTimeout:
    case metrics::UpstreamError::kConnectRefused:
    case metrics::UpstreamError::kUnreachable:
    case metrics::UpstreamError::kConnectTimeout:
    case metrics::UpstreamError::kTlsHandshake:
    case metrics::UpstreamError::kTlsTimeout:
      return guard::RetryCause::kUnsent;
    case metrics::UpstreamError::kClosedEarly:
    case metrics::UpstreamError::kTruncated:
    case metrics::UpstreamError::kFirstByteTimeout:
      return guard::RetryCause::kTransient;
    default:
      return std::nullopt;
  }
}

// Who is told to come back later has met a server that works; a 5xx that says so tells nothing either way.
guard::Health HealthOf(int status, const provider::Throttle* throttle) {
  if (status >= 500 && (throttle != nullptr || NamesThrottle(status))) return guard::Health::kUnknown;
  return IsTransient(status) ? guard::Health::kIll : guard::Health::kWell;
}

// The agent's own limits and rules, and a client that left, say nothing of the API.
guard::Health HealthOf(metrics::UpstreamError error) {
  switch (error) {
    case metrics::UpstreamError::kDns:
    case metrics::UpstreamError::kDnsTimeout:
    case metrics::UpstreamError::kConnectRefused:
    case metrics::UpstreamError::kUnreachable:
    case metrics::UpstreamError::kConnectTimeout:
    case metrics::UpstreamError::kTlsCertificate:
    case metrics::UpstreamError::kTlsHandshake:
    case metrics::UpstreamError::kTlsTimeout:
    case metrics::UpstreamError::kClosedEarly:
    case metrics::UpstreamError::kTruncated:
    case metrics::UpstreamError::kBadResponse:
    case metrics::UpstreamError::kFirstByteTimeout:
    case metrics::UpstreamError::kIdleTimeout:
      return guard::Health::kIll;
    case metrics::UpstreamError::kAddressForbidden:
    case metrics::UpstreamError::kLocalDescriptors:
    case metrics::UpstreamError::kQueueFull:
    case metrics::UpstreamError::kQueueTimeout:
    case metrics::UpstreamError::kResponseHeadSize:
    case metrics::UpstreamError::kResponseFieldsMax:
    case metrics::UpstreamError::kInterimLimit:
    case metrics::UpstreamError::kClientGone:
      return guard::Health::kUnknown;
  }
  return guard::Health::kUnknown;
}

}  // namespace apiquota::proxy
