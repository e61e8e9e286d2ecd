#include "poll/poll_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"

namespace apiquota::poll {
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

metrics::UpstreamError ToUpstreamError(net::ClientError error) {
  switch (error) {
    case net::ClientError::kDns:
      return metrics::UpstreamError::kDns;
    case net::ClientError::kDnsTimeout:
      return metrics::UpstreamError::kDnsTimeout;
    case net::ClientError::kForbidden:
      return metrics::UpstreamError::kAddressForbidden;
    case net::ClientError::kRefused:
      return metrics::UpstreamError::kConnectRefused;
    case net::ClientError::kUnreachable:
      return metrics::UpstreamError::kUnreachable;
    case net::ClientError::kLocalLimit:
      return metrics::UpstreamError::kLocalDescriptors;
    case net::ClientError::kConnectTimeout:
      return metrics::UpstreamError::kConnectTimeout;
    case net::ClientError::kCertificate:
      return metrics::UpstreamError::kTlsCertificate;
    case net::ClientError::kHandshake:
      return metrics::UpstreamError::kTlsHandshake;
    case net::ClientError::kTlsTimeout:
      return metrics::UpstreamError::kTlsTimeout;
    case net::ClientError::kClosedEarly:
      return metrics::UpstreamError::kClosedEarly;
    case net::ClientError::kTruncated:
      return metrics::UpstreamError::kTruncated;
    case net::ClientError::kBadResponse:
      return metrics::UpstreamError::kBadResponse;
    case net::ClientError::kFirstByteTimeout:
      return metrics::UpstreamError::kFirstByteTimeout;
    case net::ClientError::kIdleTimeout:
      return metrics::UpstreamError::kIdleTimeout;
  }
  return metrics::UpstreamError::kBadResponse;
}

metrics::UpstreamError FailureOf(const net::ClientResult& result) {
  return result.refusal ? metrics::ToUpstreamError(*result.refusal) : ToUpstreamError(*result.error);
}

std::string FailureDetail(const net::ClientResult& result) {
  const metrics::UpstreamError error = FailureOf(result);
  return result.refusal ? Detail(error, *result.refusal) : std::string(Info(error).detail);
}

PollVerdict JudgeFailure(metrics::UpstreamError error, const std::optional<http::Refusal>& refusal) {
  const metrics::ReasonInfo& info = Info(error);
  return {.success = false,
          .result = info.label,
          .reason = refusal ? Detail(error, *refusal) : std::string(info.detail),
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

}  // namespace apiquota::poll
