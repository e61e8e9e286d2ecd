// From the upstream to the client. A piece that arrives leaves in the same turn; head and first bytes in one
// write.
#include "proxy/client_session.h"
#include "proxy/worker.h"

namespace apiquota::proxy {

void ClientSession::OnConnection(bool waited) {
  record_.ConnectionReady(waited);
  if (!continue_due_) return;
  continue_due_ = false;
  client_.Write({"HTTP/1.1 100 Continue\r\n\r\n"});
}

void ClientSession::OnRequestSent() { record_.RequestSent(); }

void ClientSession::OnUpstreamDrained() {
  if (state_ != State::kRelaying || request_complete_) return;
  ReadBody();
  if (state_ == State::kRelaying && exchange_.unsent() < worker_.shared().options.buffer_high_bytes)
    client_.Resume();
  if (state_ == State::kRelaying) ArmForRelaying();
}

void ClientSession::OnInterim(const http::ResponseHead& head) {
  if (parser_.head().minor_version != 1) return;
  head_.clear();
  const auto links = LinksOf(record_.route(), "http", parser_.head().host);
  http::AppendClientHead({.head = &head, .now = {}, .links = links ? &*links : nullptr}, &head_);
  client_.Write({head_});
}

void ClientSession::OnResponseArrived() { record_.ResponseArrived(); }

void ClientSession::WriteHead(const http::ResponseHead& head) {
  const http::RequestHead& request = parser_.head();
  response_begun_ = true;
  // An answer to half a request: what is left of the request can't be told from the next one later.
  keep_alive_ = keep_alive_ && request_complete_ && !draining_;
  const auto links = LinksOf(record_.route(), "http", request.host);
  const bool undated = !head.fields.Find("date");
  head_.clear();
  framing_ = http::AppendClientHead({.head = &head,
                                     .client_minor_version = request.minor_version,
                                     .keep_alive = keep_alive_,
                                     .head_request = request.method == "HEAD",
                                     .add_date = undated,
                                     .now = undated ? worker_.shared().clock.SystemNow() : SystemTime(),
                                     .links = links ? &*links : nullptr},
                                    &head_);
  if (framing_.close_after) keep_alive_ = false;
}

void ClientSession::OnResponse(const http::ResponseHead* head, std::span<const std::string_view> body,
                               bool complete) {
  pieces_.clear();
  if (head != nullptr) {
    WriteHead(*head);
    pieces_.push_back(head_);
  }
  if (framing_.chunked && !body.empty()) {
    size_t size = 0;
    for (const std::string_view slice : body) size += slice.size();
    chunk_line_.clear();
    http::AppendChunkHeader(size, &chunk_line_);
    pieces_.push_back(chunk_line_);
  }
  pieces_.insert(pieces_.end(), body.begin(), body.end());
  if (framing_.chunked && !body.empty()) pieces_.push_back(http::kChunkEnd);
  if (framing_.chunked && complete) pieces_.push_back(http::kLastChunk);
  if (!pieces_.empty()) client_.Write(pieces_);
  if (head != nullptr) record_.ResponseSent(*head);
  record_.ResponseBody(body);
  if (!complete) ApplyBackpressure();
}

void ClientSession::ApplyBackpressure() {
  if (client_.unsent() >= worker_.shared().options.buffer_high_bytes) exchange_.Pause();
  if (client_.unsent() > 0) ArmForRelaying();
}

void ClientSession::OnComplete() {
  record_.Finish(true);
  if (!keep_alive_ || draining_) return CloseAfterSending();
  NextRequest();
  ReadRequests();
  if (state_ != State::kDone) client_.Resume();
}

void ClientSession::OnUpstreamError(metrics::UpstreamError error) {
  record_.UpstreamFailed(error);
  if (!response_begun_) {
    const metrics::ReasonInfo& info = Info(error);
    const auto& refusal = exchange_.refusal();
    Answer(info.status, info.proxy_status, info.label,
           refusal ? Detail(error, *refusal) : std::string(info.detail));
    if (in_requests_ || state_ != State::kReading) return;
    ReadRequests();
    if (state_ != State::kDone) client_.Resume();
    return;
  }
  // What came has been sent; the end must not look like one. A close-delimited body has no other sign than a
  // RST.
  record_.Finish(false);
  reset_at_end_ = !framing_.chunked && framing_.close_after;
  CloseAfterSending();
}

}  // namespace apiquota::proxy
