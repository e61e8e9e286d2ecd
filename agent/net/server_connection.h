// One client's HTTP/1.1 connection as every server of the agent holds it (RFC 9112): reads requests one after
// the other, hands each to a RequestHandler and writes what that answers, framed for this client. What a
// slow, broken or hostile client does to a connection ends here:
//
// - Input is consumed before anything is done about it, and a request is only ever begun from a turn of the
//   loop's own: a handler that answers, closes or fails finds nothing half done beneath it.
// - No request is begun while `high_bytes` of answers are unread.
// - A head, a body and a reader have deadlines, and bodies and readers a lowest rate.
// - The client's leaving is told at once, also while nothing is read of it.
// - A response that is cut short never looks complete.
//
// Belongs to one loop. The handler owns the connection and destroys it only after OnGone, not from inside it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/codec.h"
#include "http/forward.h"
#include "net/pace.h"
#include "net/stream.h"

namespace apiquota::net {

struct ServerLimits {
  http::CodecLimits codec;
  size_t high_bytes = 32 * 1024;                    // unsent answers: no further request above,
  size_t low_bytes = 16 * 1024;                     // OnDrained below
  Micros head_timeout = std::chrono::seconds(10);   // from a head's first byte to its last
  Micros idle_timeout = std::chrono::seconds(60);   // between requests
  Micros stall_timeout = std::chrono::seconds(30);  // in which a body, or its reading, must have moved
  size_t rate_min = 0;                              // by so many bytes a second on average
  std::string_view own_fields =
      http::kOwnFields;  // more header lines of the server's own answers, each with its CRLF
};

// Refusals of the connection's own, beside the codec's; their rules are of http::kRefusalRules.
inline constexpr http::Refusal kHeadTimeout{
    .status = 408, .rule = "head_timeout", .detail = "the request head took too long to arrive"};
inline constexpr http::Refusal kBodyTimeout{
    .status = 408, .rule = "body_timeout", .detail = "a body moved too slowly, or not at all"};

// Nobody is left to answer.
inline constexpr http::Refusal kTlsHandshake{
    .status = 400, .rule = "tls_handshake", .detail = "the client's TLS handshake failed"};

// Told what a client asks. Every call but OnGone may answer, cut or abort the connection.
class RequestHandler {
 public:
  // A request's head is there (connection.request()), and what came of its body with it. Slices are valid
  // until the call returns.
  virtual void OnRequest(std::span<const std::string_view> body, bool complete) = 0;
  // Whether more of the body may be read now; if not, say ResumeBody() when it may.
  virtual bool WantsBody() = 0;
  virtual void OnBody(std::span<const std::string_view> body, bool complete) = 0;
  // The request can't be read to its end. After the call the connection answers by itself, or aborts if a
  // response has begun. `request_begun`: OnRequest was called for it.
  virtual void OnRefused(const http::Refusal& refusal, bool request_begun) = 0;
  // unsent() came down to the low mark while a response is under way.
  virtual void OnDrained() = 0;
  // The connection has ended, in whatever way; nothing follows. Also from inside Abort() and Drain().
  virtual void OnGone() = 0;

 protected:
  ~RequestHandler() = default;
};

class ServerConnection final : private StreamHandler, private TimerHandler, private Deferred {
 public:
  // `limits` and `handler` must outlive the connection. Reading begins at once.
  ServerConnection(Loop& loop, Stream stream, const ServerLimits& limits, RequestHandler& handler);

  // Of the request under way: from OnRequest until its response is complete.
  const http::RequestHead& request() const { return parser_.head(); }
  bool request_complete() const { return request_complete_; }
  bool response_begun() const { return response_begun_; }
  size_t unsent() const { return stream_.unsent(); }

  // 100 Continue, if the client waits for it (RFC 9110 10.1.1).
  void Continue();
  void ResumeBody();

  // 1xx; HTTP/1.0 clients are not sent one. `links` null: addresses stay as they are.
  void SendInterim(const http::ResponseHead& head, const http::LinkMapping* links);
  // More of the response: `head` with its first piece, `complete` with its last. One write. Where the client
  // expects no body (HEAD), none is sent.
  void Send(const http::ResponseHead* head, const http::LinkMapping* links,
            std::span<const std::string_view> body, bool complete);
  // An answer of the agent's own, whole; also without a request, to turn a client away. `close`: the
  // connection ends with it; `head_request` and version are the connection's to say.
  void Answer(http::OwnAnswer answer);

  // The response ends here without being complete: what was sent leaves, then the connection ends so that the
  // client can tell.
  void CutShort();
  // At once. A response that has begun ends in a reset.
  void Abort();
  // The request under way is answered by `head`, a 101 that grants the switch to WebSocket, and the stream is
  // given away, with what has come behind the request unread. Nothing more is told, not even OnGone.
  Stream SwitchToWebSocket(const http::ResponseHead& head);
  // No further request: an idle connection ends when its answers have been read, a busy one after its
  // response.
  void Drain();

 private:
  enum class State : uint8_t {
    kReading,    // a request's head, or waiting for one
    kBusy,       // a request is being answered
    kClosing,    // the last answer is being sent
    kLingering,  // … has been sent; what the client still sends is discarded so that it can read the answer
    kGone,
  };

  void OnBytes() override;
  void OnEnd(StreamEnd end) override;
  void OnHangUp() override;
  void OnDrained() override;
  void OnTimer(Timer& timer) override;
  void OnTurn() override;

  void ReadRequests();
  void Begin(const http::ParseStep& step);
  void ReadBody();
  void Refuse(const http::Refusal& refusal);
  void WriteHead(const http::ResponseHead& head, const http::LinkMapping* links);
  void FinishResponse();
  void CloseAfterSending();
  void Linger();
  void End();

  // server_deadlines.cc
  void Rearm();
  void ArmForHead();
  void ArmForPace();
  bool Stalled() const;
  bool BodyDue();

  Loop& loop_;
  Stream stream_;
  const ServerLimits& limits_;
  const PaceLimit pace_;
  RequestHandler& handler_;
  Timer timer_;
  http::RequestParser parser_;

  State state_ = State::kReading;
  bool first_request_ = true;
  bool in_head_ = false;      // part of a head has come; its deadline runs
  bool in_requests_ = false;  // ReadRequests is running
  bool draining_ = false;
  bool request_complete_ = false;
  bool response_begun_ = false;
  bool keep_alive_ = true;
  bool continue_due_ = false;
  bool reset_at_end_ = false;
  http::ClientFraming framing_;
  Pace body_;     // how much of the request's body has come
  Pace reading_;  // how much of the answer the client has taken
  uint64_t received_ = 0;
  SteadyTime linger_until_;
  std::vector<std::string_view> slices_;
  std::vector<std::string_view> pieces_;
  std::string head_;  // scratch, like chunk_line_
  std::string chunk_line_;
};

}  // namespace apiquota::net
