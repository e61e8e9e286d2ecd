// One attempt to have a request answered by its upstream: gets a connection, sends head and body as they
// come, parses the response and hands it on piece by piece, and gives the connection back or throws it away.
// What it was given to send is sent at most once.
//
// One object serves a client's requests in turn. Whoever is called may end the attempt and begin the next one
// before it returns, so bytes are consumed before anyone is told, and after every call it is asked whether
// this is still the same attempt (IsStill). Belongs to one loop.
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

// Where an attempt's response goes. Told from the loop, never from inside a call to the attempt, unless said
// so.
class ResponseSink {
 public:
  // There is a connection, and the body may flow. Also from inside Start.
  virtual void OnConnection(bool waited) = 0;
  // The head has been handed to the socket. From inside Send.
  virtual void OnRequestSent() = 0;
  // What was to be sent has been: more of the request's body is welcome.
  virtual void OnUpstreamDrained() = 0;
  // An interim response (1xx).
  virtual void OnInterim(const http::ResponseHead& head) = 0;
  // A 101 grants the switch to WebSocket that was asked for: Detach() the connection now.
  virtual void OnSwitched(const http::ResponseHead& head) = 0;
  virtual void OnResponseArrived() = 0;
  // More of the response: `head` with the first piece.
  virtual void OnResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                          bool complete) = 0;
  // The response was complete, and the connection has been given back: another attempt may begin.
  virtual void OnComplete() = 0;
  // It is over without a (whole) response; `detail` says it in a sentence. Also from inside Start.
  virtual void OnAttemptFailed(metrics::UpstreamError error, std::string_view detail) = 0;

 protected:
  ~ResponseSink() = default;
};

class Attempt final : private net::StreamHandler, private net::UpstreamAsker, private net::TimerHandler {
 public:
  Attempt(net::Loop& loop, const ProxyOptions& options, ResponseSink& sink);
  ~Attempt() { Cancel(); }

  // Of `timeouts` those after the connection is there; connecting has the pool's. `head` is the request's
  // head as it goes on the wire; `chunked`: how its body is framed. `websocket_accept`: the head asks for
  // WebSocket, and this proves that it was granted. May fail at once.
  void Start(net::UpstreamPool& pool, const apis::UpstreamTimeouts& timeouts, std::string_view method,
             std::string head, bool chunked, std::string websocket_accept = {});
  std::string TakeHeadBuffer() { return std::move(head_); }  // to build the next head in

  // More of the request's body; before there is a connection it is kept. The slices are not needed
  // afterwards.
  void Send(std::span<const std::string_view> body, bool complete);

  bool active() const { return pool_ != nullptr; }
  bool connected() const { return connection_ != nullptr; }
  bool request_complete() const { return request_complete_; }
  size_t unsent() const;

  void Pause();  // the client can't take more of the response now
  void Resume();

  // From OnSwitched: the connection is the caller's, with what came behind the 101 unread.
  net::DetachedUpstream Detach();
  // The client is gone, or the attempt pointless: the connection is reset at once.
  void Cancel();

 private:
  // A model thinks after its head, too: what governs until then is one deadline.
  enum class Phase : uint8_t { kIdle, kConnecting, kHead, kFirstBodyByte, kBody };

  void OnUpstream(net::UpstreamConnection& connection) override;
  void OnUpstreamFailed(net::ConnectFailure failure) override;
  void OnBytes() override;
  void OnEnd(net::StreamEnd end) override;
  void OnDrained() override;
  void OnTimer(net::Timer& timer) override;

  bool IsStill(uint64_t attempt) const { return connection_ != nullptr && attempt == attempts_; }
  bool TakeInterim(size_t bytes);
  std::optional<http::Refusal> JudgeInterim(size_t bytes);
  void Complete(bool reusable);
  void Fail(metrics::UpstreamError error, std::string_view detail);
  void Fail(metrics::UpstreamError error) { Fail(error, Info(error).detail); }
  void ArmTimer();

  net::Loop& loop_;
  const ProxyOptions& options_;
  ResponseSink& sink_;
  net::Timer timer_;
  http::ResponseParser parser_;

  Phase phase_ = Phase::kIdle;
  net::UpstreamPool* pool_ = nullptr;
  net::UpstreamConnection* connection_ = nullptr;
  Micros first_byte_timeout_{};
  Micros idle_timeout_{};
  std::string method_;
  std::string head_;  // to be sent
  std::string websocket_accept_;
  std::string backlog_;  // body that came before there was a connection
  bool chunked_ = false;
  bool head_sent_ = false;
  bool request_complete_ = false;
  bool paused_ = false;
  http::InterimBudget interims_;
  uint64_t attempts_ = 0;  // begun so far
  std::vector<std::string_view> slices_;
  std::vector<std::string_view> pieces_;
  std::string chunk_line_;
};

}  // namespace apiquota::proxy
