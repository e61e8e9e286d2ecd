// Why the proxy itself refused a request or failed to get an answer: two closed lists, each entry
// with its metric label, the status a client sees, RFC 9209's error token and one sentence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace apiquota::source {

// apiquota_http_rejected_total{reason}: the client's side.
enum class Rejection : uint8_t {
  kBadRequest,  // the codec refused the head or the body
  kHeadTooLarge,
  kTargetTooLong,
  kHeadTimeout,
  kBodyTimeout,
  kClientsMax,
  kNoRoute,
  kPath,
  kHost,
  kOrigin,
  kCaller,
  kLoop,
  kDraining,
};
inline constexpr size_t kRejectionCount = 13;

// apiquota_upstream_errors_total{reason}: the upstream's side.
enum class UpstreamError : uint8_t {
  kDns,
  kDnsTimeout,
  kAddressForbidden,
  kConnectRefused,
  kConnectTimeout,
  kTlsCertificate,
  kTlsHandshake,
  kTlsTimeout,
  kConnectionsMax,  // cap reached and the queue is full
  kQueueTimeout,
  kClosedEarly,  // the connection ended before a whole response head
  kTruncated,    // … in the middle of a body
  kBadResponse,  // what came is not HTTP as we accept it
  kFirstByteTimeout,
  kIdleTimeout,  // the body stood still
};
inline constexpr size_t kUpstreamErrorCount = 15;

struct ReasonInfo {
  std::string_view label;
  int status;
  std::string_view proxy_status;  // RFC 9209 2.3
  std::string_view detail;        // for a person
};

const ReasonInfo& Info(Rejection rejection);
const ReasonInfo& Info(UpstreamError error);

}  // namespace apiquota::source
