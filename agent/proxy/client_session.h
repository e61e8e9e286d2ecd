// One client's connection: reads requests one after the other, decides about each (admission, route, key),
// relays it through an UpstreamExchange and writes what comes back. Reading stays armed throughout, so a
// client that leaves takes its upstream exchange with it at once. Belongs to one worker's loop.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apis/route_table.h"
#include "http/codec.h"
#include "http/forward.h"
#include "net/stream.h"
#include "proxy/exchange_record.h"
#include "proxy/upstream_exchange.h"

namespace apiquota::proxy {

class Worker;

class ClientSession final : public net::TimerLink,
                            private net::StreamHandler,
                            private net::TimerHandler,
                            private ExchangeClient {
 public:
  ClientSession(Worker& worker, net::Stream stream);

  // No further request: an idle connection is closed now, a busy one after its response.
  void Drain();

 private:
  enum class State : uint8_t {
    kReading,    // a request's head, or waiting for one
    kRelaying,   // an exchange is under way
    kClosing,    // the last answer is being sent
    kLingering,  // … has been sent; what the client still sends is discarded so that it can read the answer
    kDone,
  };

  // client_session.cc: the connection's life
  void OnBytes() override;
  void OnEnd(net::StreamEnd end) override;
  void OnHangUp() override;
  void OnDrained() override;
  void OnTimer(net::Timer& timer) override;
  void ArmForReading();
  void ArmForRelaying();
  void CloseAfterSending();
  void Linger();
  void Finish();
  void Abort();

  // client_request.cc: from the client to the upstream
  void ReadRequests();
  void StartRequest(const http::ParseStep& step);
  bool Decide(apis::RouteMatch* match, apis::FoundCredential* found, apis::KeyChoice* choice);
  bool MayAsk(const http::RequestHead& head);  // by the name it asks for
  void BuildUpstreamHead(const apis::RouteMatch& match, const apis::FoundCredential& found,
                         const apis::KeyChoice& choice, std::string* out) const;
  void ReadBody();
  void NextRequest();
  void Refuse(const http::Refusal& refusal);
  void Reject(metrics::Rejection rejection, std::string_view detail);
  void Answer(int status, std::string_view proxy_status, std::string_view rule, std::string_view detail);

  // client_response.cc: from the upstream to the client
  void OnConnection(bool waited) override;
  void OnRequestSent() override;
  void OnUpstreamDrained() override;
  void OnInterim(const http::ResponseHead& head) override;
  void OnResponseArrived() override;
  void OnResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                  bool complete) override;
  void OnComplete() override;
  void OnUpstreamError(metrics::UpstreamError error) override;
  void WriteHead(const http::ResponseHead& head);
  void ApplyBackpressure();

  Worker& worker_;
  net::Stream client_;
  net::Timer timer_;
  http::RequestParser parser_;
  std::shared_ptr<const apis::RouteTable> routes_;
  ExchangeRecord record_;
  UpstreamExchange exchange_;

  State state_ = State::kReading;
  std::string host_allowed_;  // the last that was: a client hardly ever changes it
  bool loopback_ = false;
  bool first_request_ = true;
  bool in_head_ = false;      // part of a head has come; its deadline runs
  bool in_requests_ = false;  // ReadRequests is running
  bool reset_at_end_ = false;
  bool draining_ = false;
  bool request_complete_ = false;  // the whole request has been read
  bool response_begun_ = false;
  bool keep_alive_ = true;
  bool continue_due_ = false;  // Expect: 100-continue waits for our word
  http::ClientFraming framing_;
  uint64_t progress_ = 0;  // of sending to the client, when the timer was armed
  std::vector<std::string_view> slices_;
  std::vector<std::string_view> pieces_;
  std::string head_;  // scratch, like chunk_line_
  std::string chunk_line_;
};

}  // namespace apiquota::proxy
