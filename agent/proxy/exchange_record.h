// What one relayed exchange leaves behind: collects values while it passes, then counts and observes them
// once. One per client session, reused from request to request. Belongs to one loop.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apis/credentials.h"
#include "apis/observe.h"
#include "apis/route_table.h"
#include "base/clock.h"
#include "http/codec.h"
#include "http/exchange.h"
#include "provider/body_reader.h"
#include "provider/body_scan.h"

namespace apiquota::proxy {

class ExchangeRecord {
 public:
  ExchangeRecord(const Clock& clock, apis::Observer& observer) : clock_(clock), observer_(observer) {}

  // A request begins; `read_at` is when its head was complete. The route must live until Finish.
  void Begin(const apis::Route& route, const net::Fingerprinter& fingerprinter, const http::RequestHead& head,
             std::string_view path, std::string_view credential, const apis::KeyChoice& choice,
             SteadyTime read_at);
  bool active() const { return route_ != nullptr; }
  const apis::Route& route() const { return *route_; }  // while active

  // The routes this connection has used are about to go.
  void Forget() { key_ = nullptr; }

  void RequestBody(std::span<const std::string_view> slices);
  void ConnectionReady(bool waited);  // the wait for a connection is not our overhead
  void RequestSent();                 // its head has been handed to the upstream's socket

  void ResponseArrived();  // its first bytes; the clock is read here, nothing is analysed
  void ResponseSent(
      const http::ResponseHead& head);  // … have been handed to the client's socket: now there is time
  void ResponseBody(std::span<const std::string_view> slices);
  void UpstreamFailed(metrics::UpstreamError error, std::string_view detail);
  void AnsweredByUs(int status);  // with a route
  void Finish(bool whole);        // whole: the response came to its end

 private:
  void SetDate(std::string_view text);
  void ReadHead(const http::ResponseHead& head, SteadyTime now);
  void ObserveHead();
  void ObserveBody();
  apis::Observed Whose(bool body_unread) const;
  void SetKey(const net::Fingerprinter& fingerprinter, std::string_view credential,
              const apis::KeyChoice& choice);

  const Clock& clock_;
  apis::Observer& observer_;
  const apis::Route* route_ = nullptr;
  http::Exchange exchange_;
  std::string date_text_;  // what exchange_.date was read from
  std::optional<provider::BodyScanner> request_scan_;
  std::optional<provider::BodyReader> response_body_;  // while a rule waits for something it may say
  size_t scanned_bytes_ = 0;                           // of the request

  // The last credential of this connection and what it is called: a client hardly ever changes it.
  const apis::Route* key_route_ = nullptr;
  const apis::CallerOptions* key_caller_ = nullptr;
  const apis::KeyOptions* key_alias_ = nullptr;
  Secret credential_;
  std::string key_label_;
  metrics::KeyMetrics* key_ = nullptr;
  std::shared_ptr<quota::RequestCounter> counter_;  // null: the api declares no limits
  metrics::Counter* requests_ = nullptr;            // the last upstream_requests child
  std::string requests_method_;
  int requests_code_ = 0;

  bool unanswered_ = false;  // sent, and its answer or its failure not yet counted
  SteadyTime read_at_, sent_at_, arrived_at_, connect_began_;
  std::chrono::nanoseconds waited_{0};
};

}  // namespace apiquota::proxy
