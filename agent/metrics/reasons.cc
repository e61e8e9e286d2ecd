#include "metrics/reasons.h"

#include "base/log.h"

namespace apiquota::metrics {
namespace {

constexpr std::array<ReasonInfo, kRejectionCount> kRejections = {{
    {"clients_max", 503, "connection_limit_reached", "too many client connections"},
    {"no_route", 404, "destination_not_found", "no configured api has this path"},
    {"loop", 508, "proxy_loop_detected", "the request has come through this agent before"},
    {"host", 421, "http_request_denied",
     "the Host field names neither this machine nor a host of proxy.hosts"},
    {"origin", 403, "http_request_denied", "pages of other origins may not use the agent's keys"},
    {"caller", 403, "http_request_denied", "this caller may not use this api"},
    {"token_leak", 403, "http_request_denied",
     "a caller's token stands where it would be passed on to the API: only the place of the API's credential "
     "may hold it"},
    {"credentials", 400, "http_request_error",
     "more than one field or parameter holds a credential for the API"},
    {"own_token", 401, "http_request_denied",
     "the agent's own pages want one caller's token where the API's credential would stand"},
    {"own_method", 405, "http_request_error", "the agent's own pages answer GET and HEAD alone"},
}};

constexpr std::array<ReasonInfo, kUpstreamErrorCount> kUpstreamErrors = {{
    {"dns", 502, "dns_error", "the upstream's name could not be resolved"},
    {"dns_timeout", 504, "dns_timeout", "resolving the upstream's name took too long"},
    {"address_forbidden", 502, "destination_ip_prohibited",
     "the upstream's address is private or this agent's own, and no base URL of the configuration says so"},
    {"connect_refused", 502, "connection_refused", "the upstream refused the connection"},
    {"unreachable", 502, "destination_ip_unroutable", "no route leads to the upstream's address"},
    {"connect_timeout", 504, "connection_timeout", "connecting to the upstream took too long"},
    {"tls_certificate", 502, "tls_certificate_error", "the upstream's certificate can't be trusted"},
    {"tls_handshake", 502, "tls_protocol_error", "the TLS handshake with the upstream failed"},
    {"tls_timeout", 504, "connection_timeout", "the TLS handshake with the upstream took too long"},
    {"local_descriptors", 503, "connection_limit_reached",
     "the agent has no file descriptor or port left for a connection to the upstream"},
    {"queue_full", 503, "connection_limit_reached",
     "all connections to the upstream are in use, and the queue is full"},
    {"queue_timeout", 503, "connection_limit_reached", "no connection to the upstream became free in time"},
    {"closed_early", 502, "connection_terminated", "the upstream closed the connection before it answered"},
    {"truncated", 502, "http_response_incomplete", "the upstream's response was cut short"},
    {"bad_response", 502, "http_protocol_error", "the upstream's response is not valid HTTP/1.1"},
    {"first_byte_timeout", 504, "http_response_timeout", "the upstream took too long to answer"},
    {"idle_timeout", 504, "http_response_timeout", "the upstream's response stood still for too long"},
    {"response_head_size", 502, "http_response_header_section_size",
     "the head of the upstream's response is longer than head_bytes_max"},
    {"response_fields_max", 502, "http_response_header_section_size",
     "the upstream's response has more header fields than fields_max"},
    {"interim_limit", 502, "http_protocol_error", "the upstream sent too much before its final response"},
    {"client_gone", 499, "", "the client left before the upstream had answered"},
}};

}  // namespace

const ReasonInfo& Info(Rejection rejection) { return kRejections[static_cast<size_t>(rejection)]; }
const ReasonInfo& Info(UpstreamError error) { return kUpstreamErrors[static_cast<size_t>(error)]; }

UpstreamError ToUpstreamError(const http::Refusal& refusal) {
  if (refusal.rule == "head_size") return UpstreamError::kResponseHeadSize;
  if (refusal.rule == "field_count") return UpstreamError::kResponseFieldsMax;
  if (refusal.rule == "interim") return UpstreamError::kInterimLimit;
  return UpstreamError::kBadResponse;
}

std::string Detail(UpstreamError error, const http::Refusal& refusal) {
  return std::string(Info(error).detail)
      .append(": ")
      .append(refusal.detail)
      .append(" (")
      .append(refusal.rule)
      .append(")");
}

RejectionCounters::RejectionCounters(AgentMetrics& metrics) : metrics_(metrics) {
  for (const ReasonInfo& info : kRejections) counters_.try_emplace(std::string(info.label));
  for (const std::string_view rule : http::kRefusalRules) counters_.try_emplace(std::string(rule));
}

void RejectionCounters::Count(std::string_view reason, int status, std::string_view detail,
                              std::string_view api) {
  const auto found = counters_.find(reason);
  if (found == counters_.end()) return;
  found->second.Get([&] { return metrics_.http_rejected.With({std::string(reason)}); }).Add();
  const std::string key = std::string(api).append("/").append(reason).append("/").append(detail);
  const LogField why{"reason", std::string(reason)};
  const LogField answered{"status", std::to_string(status)};
  const LogField sentence{"detail", std::string(detail)};
  if (api.empty()) return LogFolded(LogLevel::kWarn, "request_refused", key, {why, answered, sentence});
  LogFolded(LogLevel::kWarn, "request_refused", key, {{"api", std::string(api)}, why, answered, sentence});
}

}  // namespace apiquota::metrics
