// What one poll came to: a success or not, why, and what it means for the schedule. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "metrics/reasons.h"
#include "net/http_client.h"
#include "poll/poll_schedule.h"
#include "provider/signals.h"

namespace apiquota::poll {

struct PollVerdict {
  bool success = false;
  // ok; silent: 2xx, but nothing about limits; throttled: a success if it said what is left; rejected: the
  // credential (401, and 403 that is no throttle); status: any other; else the label of an UpstreamError.
  std::string_view result;
  std::string reason;  // one sentence; empty for ok
  PollOutcome outcome;

  bool ok() const { return result == "ok"; }
};

metrics::UpstreamError ToUpstreamError(net::ClientError error);

// Why a request has no answer, as a reason and as a sentence: both doors name what the codec refused alike.
// REQUIRES: result.error.
metrics::UpstreamError FailureOf(const net::ClientResult& result);
std::string FailureDetail(const net::ClientResult& result);

// With what the codec said of the answer, if that is why.
PollVerdict JudgeFailure(metrics::UpstreamError error, const std::optional<http::Refusal>& refusal = {});
PollVerdict JudgeAnswer(int status, const provider::Signals& signals, SystemTime now);

}  // namespace apiquota::poll
