// Why the proxy itself refused a request or failed to get an answer: closed lists, each entry with its metric
// label, the status a client sees, RFC 9209's error token and one sentence. What the codec refuses brings the
// same along (http::Refusal, http::kRefusalRules).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "http/codec.h"
#include "metrics/agent_metrics.h"

namespace apiquota::metrics {

// apiquota_http_rejected_total{reason}, beside the codec's rules: the client's side.
enum class Rejection : uint8_t {
  kClientsMax,
  kNoRoute,
  kLoop,
  kHost,
  kOrigin,
  kCaller,
  kTokenLeak,    // it would have been passed on
  kCredentials,  // several, and one of them decides
  // At the agent's own addresses.
  kOwnToken,
  kOwnMethod,
};
inline constexpr size_t kRejectionCount = 10;

// apiquota_upstream_errors_total{reason}: the upstream's side.
enum class UpstreamError : uint8_t {
  kDns,
  kDnsTimeout,
  kAddressForbidden,
  kConnectRefused,
  kUnreachable,
  kConnectTimeout,
  kTlsCertificate,
  kTlsHandshake,
  kTlsTimeout,
  kLocalDescriptors,  // the agent's own, not the upstream's
  kQueueFull,
  kQueueTimeout,
  kClosedEarly,  // the connection ended before a whole response head
  kTruncated,    // … in the middle of a body
  kBadResponse,  // not HTTP as we accept it
  kFirstByteTimeout,
  kIdleTimeout,        // the body stood still
  kResponseHeadSize,   // more than head_bytes_max
  kResponseFieldsMax,  // more than fields_max
  kInterimLimit,       // too much of 1xx responses
  kClientGone,  // the client left, or was refused in the middle of its request, before the answer's head
};
inline constexpr size_t kUpstreamErrorCount = 21;

struct ReasonInfo {
  std::string_view label;
  int status;
  std::string_view proxy_status;
  std::string_view detail;
};

const ReasonInfo& Info(Rejection rejection);
const ReasonInfo& Info(UpstreamError error);

// What a response that the codec refuses counts as. The metric tells limits, which an operator can raise,
// from grammar; the fine rule (of http::kResponseRefusalRules) is for logs and Proxy-Status.
UpstreamError ToUpstreamError(const http::Refusal& refusal);

// The error's sentence with what the codec said: "the upstream's response is not valid HTTP/1.1: a CR that is
// not followed by LF (line_ending)".
std::string Detail(UpstreamError error, const http::Refusal& refusal);

// The counters of apiquota_http_rejected_total; a reason appears with its first refusal. Whatever is counted
// here is also told, in one folded line per api, reason and detail (event request_refused). Thread-safe.
class RejectionCounters {
 public:
  explicit RejectionCounters(AgentMetrics& metrics);

  // A reason of the closed lists; `detail` is a sentence for a person, without anything the client sent;
  // `api` once it is known which one was meant.
  void Count(std::string_view reason, int status, std::string_view detail, std::string_view api = {});
  void Count(const http::Refusal& refusal) { Count(refusal.rule, refusal.status, refusal.detail); }
  void Count(Rejection rejection, std::string_view api = {}) {
    const ReasonInfo& info = Info(rejection);
    Count(info.label, info.status, info.detail, api);
  }

 private:
  AgentMetrics& metrics_;
  std::map<std::string, LazyChild<Counter>, std::less<>> counters_;  // the closed lists: never changes
};

}  // namespace apiquota::metrics
