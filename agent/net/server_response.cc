// To the client: heads, bodies and their framing. What is sent together leaves in one write.
#include "http/websocket.h"
#include "net/server_connection.h"

namespace apiquota::net {
namespace {

constexpr size_t kKeptBytes = 16 * 1024;  // of scratch, by an idle connection

void ShrinkAbove(size_t bytes, std::string* text) {
  if (text->capacity() > bytes) std::string().swap(*text);
}

}  // namespace

void ServerConnection::Continue() {
  if (!continue_due_) return;
  continue_due_ = false;
  stream_.Write({"HTTP/1.1 100 Continue\r\n\r\n"});
}

void ServerConnection::SendInterim(const http::ResponseHead& head, const http::LinkMapping* links) {
  if (state_ != State::kBusy || request().minor_version != 1) return;
  head_.clear();
  http::AppendClientHead({.head = &head, .now = {}, .links = links}, &head_);
  stream_.Write({head_});
}

Stream ServerConnection::SwitchToWebSocket(const http::ResponseHead& head) {
  head_.clear();
  http::AppendClientHead({.head = &head, .now = {}, .upgrade = http::kWebSocket}, &head_);
  stream_.Write({head_});
  state_ = State::kGone;
  timer_.Disarm();
  Unlink();
  stream_.SetHandler(nullptr);
  return std::move(stream_);
}

void ServerConnection::WriteHead(const http::ResponseHead& head, const http::LinkMapping* links) {
  response_begun_ = true;
  // An answer to half a request: what is left of the request can't be told from the next one later.
  keep_alive_ = keep_alive_ && request_complete_ && !draining_;
  const bool undated = !head.fields.Find("date");
  head_.clear();
  framing_ = http::AppendClientHead({.head = &head,
                                     .client_minor_version = request().minor_version,
                                     .keep_alive = keep_alive_,
                                     .head_request = request().method == "HEAD",
                                     .add_date = undated,
                                     .now = undated ? loop_.clock().SystemNow() : SystemTime(),
                                     .links = links},
                                    &head_);
  if (framing_.close_after) keep_alive_ = false;
  if (framing_.until_close) stream_.ResetOnClose(true);  // until it is complete
}

void ServerConnection::Send(const http::ResponseHead* head, const http::LinkMapping* links,
                            std::span<const std::string_view> body, bool complete) {
  if (state_ != State::kBusy) return;
  pieces_.clear();
  if (head != nullptr) {
    WriteHead(*head, links);
    pieces_.push_back(head_);
  }
  if (framing_.bodiless) body = {};
  const bool chunk = framing_.chunked && !body.empty();
  if (chunk) {
    size_t size = 0;
    for (const std::string_view slice : body) size += slice.size();
    chunk_line_.clear();
    http::AppendChunkHeader(size, &chunk_line_);
    pieces_.push_back(chunk_line_);
  }
  pieces_.insert(pieces_.end(), body.begin(), body.end());
  if (chunk) pieces_.push_back(http::kChunkEnd);
  if (framing_.chunked && complete) pieces_.push_back(http::kLastChunk);
  if (!pieces_.empty()) stream_.Write(pieces_);
  if (complete) return FinishResponse();
  if (stream_.unsent() > 0) Rearm();
}

void ServerConnection::Answer(http::OwnAnswer answer) {
  if (state_ != State::kReading && state_ != State::kBusy) return;
  // A request whose body is still coming, or that was never whole, can't be followed by another.
  keep_alive_ = keep_alive_ && !answer.close && state_ == State::kBusy && request_complete_ && !draining_;
  answer.close = !keep_alive_;
  answer.head_request = request().method == "HEAD";
  answer.client_minor_version = request().minor_version;
  answer.fields = limits_.own_fields;
  head_.clear();
  http::AppendOwnAnswer(answer, loop_.clock().SystemNow(), &head_);
  stream_.Write({head_});
  FinishResponse();
}

// The next request, if it is there already, has to wait for a turn of its own.
void ServerConnection::FinishResponse() {
  if (!keep_alive_ || draining_) {
    if (framing_.until_close) stream_.ResetOnClose(false);
    return CloseAfterSending();
  }
  state_ = State::kReading;
  parser_.Reset();
  stream_.ShrinkInput();
  ShrinkAbove(kKeptBytes, &head_);
  if (in_requests_) return;
  if (!stream_.input().empty()) return loop_.Defer(*this);
  stream_.Resume();
  Rearm();
}

// A close-delimited body has no other sign of an early end than a reset.
void ServerConnection::CutShort() {
  if (state_ != State::kBusy) return;
  if (!response_begun_) return Abort();
  keep_alive_ = false;
  reset_at_end_ = framing_.until_close;
  CloseAfterSending();
}

}  // namespace apiquota::net
