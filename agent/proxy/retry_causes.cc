#include "proxy/retry_causes.h"

#include <array>
#include <cstddef>

namespace apiquota::proxy {
namespace {

struct Failure {
  metrics::UpstreamError error;
  std::optional<guard::RetryCause> cause;
  guard::Health health;
};

constexpr auto kNoCause = std::nullopt;
constexpr auto kUnsent = guard::RetryCause::kUnsent;
constexpr auto kTransient = guard::RetryCause::kTransient;
constexpr auto kIll = guard::Health::kIll;
constexpr auto kUnknown = guard::Health::kUnknown;

using enum metrics::UpstreamError;

// What fails again for certain is no cause. The agent's own limits and rules, and a client that left, say
// nothing of the API.
constexpr std::array<Failure, metrics::kUpstreamErrorCount> kFailures = {{
    {kDns, kUnsent, kIll},
    {kDnsTimeout, kUnsent, kIll},
    {kAddressForbidden, kNoCause, kUnknown},
    {kConnectRefused, kUnsent, kIll},
    {kUnreachable, kUnsent, kIll},
    {kConnectTimeout, kUnsent, kIll},
    {kTlsCertificate, kNoCause, kIll},
    {kTlsHandshake, kUnsent, kIll},
    {kTlsTimeout, kUnsent, kIll},
    {kLocalDescriptors, kNoCause, kUnknown},
    {kQueueFull, kNoCause, kUnknown},
    {kQueueTimeout, kNoCause, kUnknown},
    {kClosedEarly, kTransient, kIll},
    {kTruncated, kTransient, kIll},
    {kBadResponse, kNoCause, kIll},
    {kFirstByteTimeout, kTransient, kIll},
    {kIdleTimeout, kNoCause, kIll},
    {kResponseHeadSize, kNoCause, kUnknown},
    {kResponseFieldsMax, kNoCause, kUnknown},
    {kInterimLimit, kNoCause, kUnknown},
    {kClientGone, kNoCause, kUnknown},
}};

// Each stands where its error's number says.
static_assert([] {
  for (size_t i = 0; i < kFailures.size(); ++i) {
    if (static_cast<size_t>(kFailures[i].error) != i) return false;
  }
  return true;
}());

const Failure& FailureOf(metrics::UpstreamError error) { return kFailures[static_cast<size_t>(error)]; }

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

// Who is told to come back later has met a server that works; a 5xx that says so tells nothing either way.
guard::Health HealthOf(int status, const provider::Throttle* throttle) {
  if (status >= 500 && (throttle != nullptr || NamesThrottle(status))) return guard::Health::kUnknown;
  return IsTransient(status) ? guard::Health::kIll : guard::Health::kWell;
}

std::optional<guard::RetryCause> CauseOfFailure(metrics::UpstreamError error) {
  return FailureOf(error).cause;
}
guard::Health HealthOf(metrics::UpstreamError error) { return FailureOf(error).health; }

}  // namespace apiquota::proxy
