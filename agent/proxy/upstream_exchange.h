// The upstream's half of one request: gets a connection, sends head and body as they come, parses the
// response and hands it on piece by piece, and gives the connection back or throws it away. One per client
// session, reused. What it was given to send is sent at most once. Belongs to one loop.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apis/options.h"
#include "http/codec.h"
#include "http/interim.h"
#include "metrics/reasons.h"
#include "net/upstream_pool.h"
#include "proxy/options.h"

namespace apiquota::proxy {

// Told what happens; never from inside a call to the exchange, unless said so.
class ExchangeClient {
 public:
  // There is a connection, and the body may flow. Also from inside Start.
  virtual void OnConnection(bool waited) = 0;
  // The head has been handed to the socket. From inside Send.
  virtual void OnRequestSent() = 0;
  // What was to be sent has been: more of the request's body is welcome.
  virtual void OnUpstreamDrained() = 0;
  // An interim response (1xx).
  virtual void OnInterim(const http::ResponseHead& head) = 0;
  virtual void OnResponseArrived() = 0;
  // More of the response: `head` with the first piece.
  virtual void OnResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                          bool complete) = 0;
  // The response was complete, and the connection has been given back: another exchange may start at once.
  virtual void OnComplete() = 0;
  // The exchange is over without a (whole) response. Also from inside Start.
  virtual void OnUpstreamError(metrics::UpstreamError error) = 0;

 protected:
  ~ExchangeClient() = default;
};

class UpstreamExchange final : private net::StreamHandler,
                               private net::UpstreamAsker,
                               private net::TimerHandler {
 public:
  UpstreamExchange(net::Loop& loop, const ProxyOptions& options, ExchangeClient& client);
  ~UpstreamExchange() { Cancel(); }

  // `head` is the request's head as it goes on the wire; `chunked`: how its body is framed. May fail at once.
  void Start(net::UpstreamPool& pool, std::string_view method, std::string head, bool chunked);
  std::string TakeHeadBuffer() { return std::move(head_); }  // to build the next head in

  // More of the request's body; before there is a connection it is kept. The slices are not needed
  // afterwards.
  void Send(std::span<const std::string_view> body, bool complete);

  bool active() const { return pool_ != nullptr; }
  bool connected() const { return connection_ != nullptr; }
  bool request_complete() const { return request_complete_; }
  size_t unsent() const;
  // With OnUpstreamError: what the codec said, if that is why.
  const std::optional<http::Refusal>& refusal() const { return refusal_; }

  void Pause();  // the client can't take more of the response now
  void Resume();

  // The client is gone, or the exchange pointless: the connection is closed at once.
  void Cancel();

 private:
  enum class Phase : uint8_t { kIdle, kConnecting, kFirstByte, kBody };

  void OnUpstream(net::UpstreamConnection& connection) override;
  void OnUpstreamFailed(net::ConnectError error) override;
  void OnBytes() override;
  void OnEnd(net::StreamEnd end) override;
  void OnDrained() override;
  void OnTimer(net::Timer& timer) override;

  bool IsStill(uint64_t exchange) const { return connection_ != nullptr && exchange == exchanges_; }
  bool TakeInterim(size_t bytes);
  void Complete(bool reusable);
  void Fail(metrics::UpstreamError error);
  void ArmTimer();

  net::Loop& loop_;
  const ProxyOptions& options_;
  ExchangeClient& client_;
  net::Timer timer_;
  http::ResponseParser parser_;

  Phase phase_ = Phase::kIdle;
  net::UpstreamPool* pool_ = nullptr;
  net::UpstreamConnection* connection_ = nullptr;
  std::string method_;
  std::string head_;     // to be sent
  std::string backlog_;  // body that came before there was a connection
  bool chunked_ = false;
  bool head_sent_ = false;
  bool request_complete_ = false;
  bool paused_ = false;
  http::InterimBudget interims_;
  std::optional<http::Refusal> refusal_;
  uint64_t exchanges_ = 0;  // begun so far
  std::vector<std::string_view> slices_;
  std::vector<std::string_view> pieces_;
  std::string chunk_line_;
};

}  // namespace apiquota::proxy
