#include "source/poll_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"

namespace apiquota::source {
namespace {

// Until the first of the exhausted quotas is back.
std::optional<Micros> UntilReset(const provider::Signals& signals, SystemTime now) {
  std::optional<Micros> soonest;
  for (const provider::Reading& reading : signals.readings) {
    if (!reading.remaining || *reading.remaining > 0 || !reading.reset_at) continue;
    const Micros wait = *reading.reset_at - now;
    if (wait > Micros(0) && (!soonest || wait < *soonest)) soonest = wait;
  }
  return soonest;
}

PollVerdict Throttled(const provider::Signals& signals, std::optional<Micros> wait) {
  PollVerdict verdict;
  verdict.success = !signals.readings.empty();
  verdict.result = "throttled";
  verdict.reason =
      fmt::format("the API throttles the agent's polls (scope {})", ToText(signals.throttle->scope));
  if (wait) verdict.reason += ", and asks to wait " + FormatDuration(*wait);
  verdict.outcome = {.failed = !verdict.success || !wait, .wait = wait};
  return verdict;
}

}  // namespace

UpstreamError ToUpstreamError(net::ClientError error) {
  switch (error) {
    case net::ClientError::kDns:
      return UpstreamError::kDns;
    case net::ClientError::kDnsTimeout:
      return UpstreamError::kDnsTimeout;
    case net::ClientError::kForbidden:
      return UpstreamError::kAddressForbidden;
    case net::ClientError::kRefused:
      return UpstreamError::kConnectRefused;
    case net::ClientError::kConnectTimeout:
      return UpstreamError::kConnectTimeout;
    case net::ClientError::kCertificate:
      return UpstreamError::kTlsCertificate;
    case net::ClientError::kHandshake:
      return UpstreamError::kTlsHandshake;
    case net::ClientError::kTlsTimeout:
      return UpstreamError::kTlsTimeout;
    case net::ClientError::kClosedEarly:
      return UpstreamError::kClosedEarly;
    case net::ClientError::kTruncated:
      return UpstreamError::kTruncated;
    case net::ClientError::kBadResponse:
      return UpstreamError::kBadResponse;
    case net::ClientError::kFirstByteTimeout:
      return UpstreamError::kFirstByteTimeout;
    case net::ClientError::kIdleTimeout:
      return UpstreamError::kIdleTimeout;
  }
  return UpstreamError::kBadResponse;
}

PollVerdict JudgeFailure(UpstreamError error) {
  const ReasonInfo& info = Info(error);
  return {.success = false,
          .result = info.label,
          .reason = std::string(info.detail),
          .outcome = {.failed = true, .wait = {}}};
}

PollVerdict JudgeAnswer(int status, const provider::Signals& signals, SystemTime now) {
  const bool good = status / 100 == 2;
  std::optional<Micros> wait;
  if (signals.retry_after_seconds) wait = SecondsToMicros(*signals.retry_after_seconds);
  if (signals.throttle) return Throttled(signals, wait ? wait : UntilReset(signals, now));
  PollVerdict verdict{
      .success = good, .result = "ok", .reason = "", .outcome = {.failed = !good, .wait = {}}};
  if (good && signals.readings.empty()) {
    verdict.result = "silent";
    verdict.reason = "the answer says nothing about limits";
  } else if (status == 401 || status == 403) {
    verdict.result = "rejected";
    verdict.reason = fmt::format("the API rejects the credential ({})", status);
  } else if (!good) {
    verdict.result = "status";
    verdict.reason =
        fmt::format("the API answered {}{}", status, status / 100 == 3 ? "; redirects are not followed" : "");
  }
  if (!good) verdict.outcome.wait = wait;
  return verdict;
}

}  // namespace apiquota::source
