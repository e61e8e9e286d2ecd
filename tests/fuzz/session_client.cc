// The client's half of session_peers.h.
#include <algorithm>
#include <utility>

#include "tests/fuzz/http_text.h"
#include "tests/fuzz/session_peers.h"

namespace apiquota::fuzz {

std::string ClientSide::Mark() { return MarkFor(number_, ++requests_); }

void ClientSide::Say(std::string_view bytes) {
  Trace("client says", bytes);
  if (peer_->Send(bytes) && said_) said_->bytes += bytes;
}

void ClientSide::Send(const RequestFragment& fragment, int times) {
  for (int i = 0; i < times; ++i) {
    const std::string mark = Mark();
    const std::string text = Expand(fragment.text, mark);
    const bool websocket = fragment.whole && text.find("\r\nUpgrade: websocket\r\n") != std::string::npos;
    whole_requests_ = whole_requests_ && fragment.whole;
    if (whole_requests_) unanswered_.push_back({mark, text.starts_with("HEAD "), websocket});
    Say(text);
    if (!websocket) continue;
    if (!said_) said_ = std::make_shared<Said>();
    traffic_.tunnels[mark].to_upstream = {.said = said_, .heard = said_->bytes.size()};
  }
}

void ClientSide::SendPart(const RequestFragment& fragment, size_t bytes) {
  whole_requests_ = false;
  Say(std::string_view(Expand(fragment.text, Mark())).substr(0, bytes));
}

void ClientSide::SendRaw(std::string_view bytes) {
  whole_requests_ = false;
  Say(bytes);
}

void ClientSide::ShutdownSend() {
  if (said_) said_->finished = true;
  peer_->ShutdownSend();
}

void ClientSide::Close() {
  if (peer_->readable() > 0) return Reset();
  if (said_) said_->finished = true;
  peer_->Close();
}

void ClientSide::Reset() {
  if (said_) said_->cut = true;
  peer_->Reset();
}

void ClientSide::CheckAtRest() const {
  if (tunnel_ == nullptr || !reading || !peer_->attached() || peer_->closed()) return;
  tunnel_->to_client.RequireHeard();
}

void ClientSide::Read(size_t max) {
  const std::string bytes = peer_->Read(max);
  Trace("client reads", bytes);
  FindMarks(bytes);
  if (sure_) {
    unread_ += bytes;
    while (sure_ && Step()) {
    }
  }
  if (!sure_) unread_.clear();
  if (unread_.empty()) unread_.shrink_to_fit();
  if (peer_->ended()) CheckEnd();
}

// Every mark is one of ours, and they come in the order of our requests. (A chunk may end within a mark.)
void ClientSide::FindMarks(std::string_view bytes) {
  const std::string text = std::exchange(marks_tail_, {}) + std::string(bytes);
  for (size_t at = text.find('~'); at != std::string::npos; at = text.find('~', at + 1)) {
    if (text.size() < at + kMarkLength) {
      marks_tail_ = text.substr(at);
      return;
    }
    const std::string_view mark = std::string_view(text).substr(at, kMarkLength);
    const auto request = ToNumber(mark.substr(5, 4), 10);
    if (!request || mark[4] != '.' || mark[9] != '~' || !ToNumber(mark.substr(1, 3), 10)) continue;
    Require(mark == MarkFor(number_, static_cast<unsigned>(*request)), "an answer goes to whom it belongs");
    Require(*request >= newest_ && *request <= requests_, "answers come in the order of their requests");
    newest_ = static_cast<unsigned>(*request);
    at += kMarkLength - 1;
  }
}

bool ClientSide::Step() {
  switch (body_) {
    case Body::kHead: {
      const size_t end = unread_.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      const std::string head = unread_.substr(0, end + 4);
      unread_.erase(0, end + 4);
      TakeHead(head);
      return true;
    }
    case Body::kLength: {
      const size_t n = std::min(body_left_, unread_.size());
      unread_.erase(0, n);
      body_left_ -= n;
      if (body_left_ == 0) body_ = Body::kHead;
      return body_left_ == 0;
    }
    case Body::kChunkLine:
    case Body::kTrailers:
      return TakeChunkLine();
    case Body::kChunk:
      return TakeChunk();
    case Body::kTunnel:
      tunnel_->to_client.Hear(unread_);
      unread_.clear();
      return false;
    case Body::kUntilEnd:
      unread_.clear();
      return false;
  }
  return false;
}

bool ClientSide::TakeChunkLine() {
  const size_t end = unread_.find("\r\n");
  if (end == std::string::npos) return false;
  const std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 2);
  if (body_ == Body::kTrailers) {
    if (line.empty()) body_ = Body::kHead;
    return true;
  }
  const auto size = ToNumber(line, 16);
  Require(size.has_value(), "chunks to the client are well-formed");
  body_left_ = *size;
  body_ = *size == 0 ? Body::kTrailers : Body::kChunk;
  return true;
}

bool ClientSide::TakeChunk() {
  const size_t n = std::min(body_left_, unread_.size());
  unread_.erase(0, n);
  body_left_ -= n;
  if (body_left_ > 0 || unread_.size() < 2) return false;
  Require(unread_.starts_with("\r\n"), "chunks to the client end in CRLF");
  unread_.erase(0, 2);
  body_ = Body::kChunkLine;
  return true;
}

void ClientSide::TakeHead(std::string_view head) {
  Require(WellFormedHead(head) && head.starts_with("HTTP/1.1 "),
          "a response's head to the client is well-formed");
  const auto status = ToNumber(head.substr(9, 3), 10);
  Require(status.has_value(), "a response has a status");
  if (*status / 100 == 1 && *status != 101) return;
  if (unanswered_.empty() && !whole_requests_) {  // what was sent in pieces may have asked for anything
    sure_ = false;
    return;
  }
  if (*status == 101) return BeginTunnel();
  const bool unasked = (*status == 408 || *status == 503) && FieldOf(head, "connection") == "close";
  Require(unasked || !unanswered_.empty(), "nobody gets more answers than he asked for");
  const bool bodiless =
      *status == 204 || *status == 304 || (!unanswered_.empty() && unanswered_.front().head_request);
  if (!unanswered_.empty()) unanswered_.pop_front();
  const auto mark = FieldOf(head, "x-id");
  answer_mark_ = mark ? std::string(*mark) : "";
  if (!bodiless) FindBody(head);
}

void ClientSide::FindBody(std::string_view head) {
  const auto length = FieldOf(head, "content-length");
  const auto coding = FieldOf(head, "transfer-encoding");
  Require(!length || !coding, "a response to the client is framed in one way");
  if (coding) {
    Require(*coding == "chunked", "the only transfer coding is chunked");
    body_ = Body::kChunkLine;
  } else if (length) {
    const auto value = ToNumber(*length, 10);
    Require(value.has_value(), "a Content-Length to the client is a number");
    body_left_ = *value;
    body_ = *value == 0 ? Body::kHead : Body::kLength;
  } else {
    body_ = Body::kUntilEnd;
  }
}

void ClientSide::BeginTunnel() {
  Require(!unanswered_.empty() && unanswered_.front().websocket, "nobody is switched who did not ask for it");
  TunnelWays& ways = traffic_.tunnels.at(unanswered_.front().mark);
  sure_ = ways.granted || !traffic_.switched_unasked;
  if (!sure_) return;
  tunnel_ = &ways;
  Require(tunnel_->granted, "nobody is switched by anyone but the upstream that got the request");
  body_ = Body::kTunnel;
}

// A body that the end of the connection ends must have come to its end, if it is not a RST; so must a
// tunnel's side.
void ClientSide::CheckEnd() {
  if (!sure_ || peer_->saw_reset() || peer_->closed()) return;
  if (tunnel_ != nullptr) return tunnel_->to_client.HearEnd();
  if (body_ != Body::kUntilEnd || answer_mark_.empty() || answer_mark_ == kNoMark) return;
  Require(traffic_.whole.contains(answer_mark_), "an answer that was cut does not look whole");
}

}  // namespace apiquota::fuzz
