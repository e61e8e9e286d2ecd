// What one client's request leaves behind, whatever attempts it takes: whose it is, what its body said, and
// what the client was told in the end. One per client connection, reused from request to request. Belongs to
// one loop.
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
#include "base/ip_network.h"
#include "guard/call_digest.h"
#include "guard/guard.h"
#include "http/codec.h"
#include "http/exchange.h"
#include "provider/request_reader.h"
#include "proxy/access_log.h"

namespace apiquota::proxy {

class RequestRecord {
 public:
  // `guard` null: nothing is guarded. `peer`: of the client's connection.
  RequestRecord(const Clock& clock, apis::Observer& observer, guard::Guard* guard, IpAddress peer = {},
                std::span<const IpNetwork> trusted_proxies = {}, bool access_log = false)
      : clock_(clock),
        observer_(observer),
        guard_(guard),
        peer_(peer),
        trusted_proxies_(trusted_proxies),
        access_log_(access_log) {}

  // A request begins; `read_at` is when its head was complete. The route must live until Finish.
  void Begin(const apis::Route& route, const net::Fingerprinter& fingerprinter, const http::RequestHead& head,
             std::string_view path, std::string_view credential, const apis::KeyChoice& choice,
             SteadyTime read_at);
  bool active() const { return route_ != nullptr; }
  const apis::Route& route() const { return *route_; }  // while active

  // While active. Null: its api is not guarded.
  const std::shared_ptr<guard::Account>& account() const { return account_; }
  const std::shared_ptr<guard::ApiGuard>& api_guard() const { return api_guard_; }
  // As the operator's own limits see it; views of the record and the head.
  guard::LimitedCall AsLimited(const http::RequestHead& head, double tokens);
  const std::string& key_label() const { return key_label_; }
  std::string_view caller_name() const;
  uint8_t caller_priority() const;
  // Its guard wants something of its body that has not come yet.
  bool BodyAwaited() const { return body_ && body_awaited_ && !body_->Done(); }
  provider::BodySize body_size() const { return body_ ? body_->size() : provider::BodySize(); }

  // The routes this connection has used are about to go.
  void Forget() { key_ = nullptr; }

  void Body(std::span<const std::string_view> slices);
  void AnsweredWith(int status);  // the client, by its upstream or by us
  // For the access log; null: there is none.
  AccessFacts* access() { return access_ ? &*access_ : nullptr; }
  void Finish(bool whole);  // whole: the response came to its end

  // For its attempts (attempt_record.h), while active. The request's part of the exchange is set; what the
  // body said is there after TakeBodyValues.
  http::Exchange& exchange() { return exchange_; }
  void TakeBodyValues();
  apis::Observed Whose(bool body_unread) const;
  void Waited(std::chrono::nanoseconds span) { waited_ += span; }  // for a connection
  // An attempt begins that had to wait for its turn: what the agent spends is counted from here.
  void BeginsAt(SteadyTime now) {
    read_at_ = now;
    waited_ = {};
  }
  std::chrono::nanoseconds SpentOn(SteadyTime until) const { return until - read_at_ - waited_; }
  void CountSent();                // an attempt; against the limits its api declares
  void CountResponse(int status);  // the upstream's
  void AnswerStreams() { streamed_ = true; }

 private:
  void ReadBody(const http::RequestHead& head);
  void ReportCall();
  void SetKey(const net::Fingerprinter& fingerprinter, std::string_view credential,
              const apis::KeyChoice& choice);

  const Clock& clock_;
  apis::Observer& observer_;
  guard::Guard* const guard_;
  const apis::Route* route_ = nullptr;
  SteadyTime read_at_;
  std::chrono::nanoseconds waited_{};
  http::Exchange exchange_;
  std::optional<provider::RequestReader> body_;
  bool body_awaited_ = false;
  // For the report of its calls (guard/call_report.h), where its api is guarded.
  guard::CallDigest digest_;
  bool sent_ = false;
  bool streamed_ = false;  // its answer
  // The last route of this connection: a client hardly ever changes it.
  struct CallRoute {
    std::string method, path;
    guard::CallReport::Route route;
    bool batchable = false;
  };
  CallRoute call_route_;

  // The last credential of this connection and what it is called: a client hardly ever changes it.
  const apis::Route* key_route_ = nullptr;
  const apis::CallerOptions* key_caller_ = nullptr;
  const apis::KeyOptions* key_alias_ = nullptr;
  Secret credential_;
  std::string key_label_;
  metrics::KeyMetrics* key_ = nullptr;
  std::shared_ptr<quota::RequestCounter> counter_;  // null: the api declares no limits
  std::shared_ptr<guard::Account> account_;
  std::shared_ptr<guard::ApiGuard> api_guard_;
  const IpAddress peer_;
  const std::span<const IpNetwork> trusted_proxies_;
  const bool access_log_;
  std::optional<AccessFacts> access_;      // only where there is one
  std::string address_;                    // of the client, as its limits count it
  metrics::Counter* responses_ = nullptr;  // the last upstream_requests child
  std::string responses_method_;
  int responses_code_ = 0;
};

}  // namespace apiquota::proxy
