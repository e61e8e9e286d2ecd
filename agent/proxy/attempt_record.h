// What one attempt at a client's request leaves behind: collects values while its response passes, then
// counts and observes them once. One per client connection, reused from attempt to attempt. Belongs to one
// loop.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apis/observe.h"
#include "base/clock.h"
#include "http/codec.h"
#include "provider/body_reader.h"
#include "proxy/request_record.h"

namespace apiquota::proxy {

// Told what an answer said of quotas, once that is known. A sink that throws stops observing, not the answer.
class SignalSink {
 public:
  // Of a document, or of a stream's head.
  virtual void OnSignals(const http::Exchange& exchange, const provider::Signals& signals) = 0;
  // … and at the end of a stream what its events said, if anything.
  virtual void OnStreamSignals(const http::Exchange& exchange, const provider::Signals& signals) = 0;

 protected:
  ~SignalSink() = default;
};

class AttemptRecord {
 public:
  // `request` outlives it and is active from Begin to Finish.
  AttemptRecord(const Clock& clock, apis::Observer& observer, RequestRecord& request)
      : clock_(clock), observer_(observer), request_(request) {}

  // `sink` (null: nobody) must live until Finish.
  void Begin(SteadyTime now, SignalSink* sink = nullptr);
  void ConnectionReady(bool waited);
  void RequestSent();  // its head has been handed to the upstream's socket

  void ResponseArrived();  // its first bytes; the clock is read here, nothing is analysed
  // What has come is looked at, a head (or null) before its body. Where nobody decides by it, that is done
  // when it has been handed to the client's socket: then there is time.
  void Response(const http::ResponseHead* head, std::span<const std::string_view> body);
  void HeadSent();  // has been handed to the client's socket
  void Failed(metrics::UpstreamError error, std::string_view detail);
  void Finish();  // what has come is all there is

 private:
  void ResponseHead(const http::ResponseHead& head);
  void ResponseBody(std::span<const std::string_view> slices);
  void SetDate(std::string_view text);
  void ReadHead(const http::ResponseHead& head, SteadyTime now);
  void ObserveHead();
  void ObserveBody();
  void Tell(const http::Exchange& exchange, const provider::Signals& signals);  // the access log
  metrics::ApiMetrics& metrics() const { return *request_.route().metrics; }

  const Clock& clock_;
  apis::Observer& observer_;
  RequestRecord& request_;
  SignalSink* sink_ = nullptr;
  std::string date_text_;                     // what the exchange's date was read from
  std::optional<provider::BodyReader> body_;  // while a rule waits for something it may say
  bool head_observed_ = false;
  bool unanswered_ = false;  // sent, and its answer or its failure not yet counted
  SteadyTime began_at_, sent_at_, arrived_at_;
};

}  // namespace apiquota::proxy
