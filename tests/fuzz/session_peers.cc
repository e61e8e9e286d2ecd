#include "tests/fuzz/session_peers.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "tests/fuzz/http_text.h"

namespace apiquota::fuzz {
namespace {

constexpr size_t kHeadMax = 256 * 1024;
constexpr size_t kSaidMax = 4 * 1024 * 1024;  // then upstreams answer briefly

std::string MarkIn(std::string_view text) {
  const size_t at = text.find('~');
  if (at == std::string_view::npos || text.size() < at + kMarkLength) return {};
  return std::string(text.substr(at, kMarkLength));
}

// The next line of `text`, without its CRLF; taken off.
std::optional<std::string> TakeLine(std::string* text) {
  const size_t end = text->find("\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string line = text->substr(0, end);
  text->erase(0, end + 2);
  return line;
}

std::optional<std::string> TakeHeadFrom(std::string* text) {
  const size_t end = text->find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string head = text->substr(0, end + 4);
  text->erase(0, end + 4);
  return head;
}

// A chunk with its CRLF, counted down; false: more is needed.
bool TakeChunk(std::string* text, size_t* left, std::string_view who) {
  const size_t n = std::min(*left, text->size());
  text->erase(0, n);
  *left -= n;
  if (*left > 0 || text->size() < 2) return false;
  Require(text->starts_with("\r\n"), who);
  text->erase(0, 2);
  return true;
}

}  // namespace

void Require(bool holds, std::string_view rule) {
  if (holds) return;
  std::cerr << "BROKEN: " << rule << "\n";
  std::abort();
}

void Trace(std::string_view what, std::string_view bytes) {
  static const bool wanted = std::getenv("SESSION_FUZZ_TRACE") != nullptr;
  if (!wanted || bytes.empty()) return;
  std::cerr << "-- " << what << ", " << bytes.size() << " bytes:\n" << bytes.substr(0, 400) << "\n";
}

// A tunnel's ways

void Way::Hear(std::string_view bytes) {
  const std::string_view expected = std::string_view(said->bytes).substr(heard);
  Require(expected.starts_with(bytes), "a tunnel passes on what was said, unchanged and in order");
  heard += bytes.size();
}

void Way::HearEnd() const {
  Require(said->finished && heard == said->bytes.size(),
          "an end in a tunnel was said, and stands behind all that was");
}

void Way::RequireHeard() const {
  Require(said->cut || heard == said->bytes.size(), "a tunnel holds nothing back from one who reads");
}

size_t Traffic::held() const {
  size_t held = (arrived.size() + whole.size()) * 256;
  for (const auto& [mark, ways] : tunnels) held += 512 + ways.to_client.said->bytes.capacity();
  return held;
}

// A request of the agent's has its own Host, which no client writes: where it stands in a body, the upstream
// took a request for a part of the one before.
void UpstreamSide::CheckBody(size_t bytes) const {
  const std::string_view body = std::string_view(unread_).substr(0, bytes);
  Require(body.find("Host: 127.0.0.1:9000\r\n") == std::string_view::npos,
          "no request goes out as another's body");
}

// What the upstream reads

void UpstreamSide::Read(size_t max) {
  const std::string bytes = peer_->Read(max);
  Trace("upstream reads", bytes);
  if (switched_) {
    if (!bytes.empty()) traffic_.tunnels_moved_at = FakeKernel::Get().now();
    if (tunnel_ == nullptr) return;
    tunnel_->to_upstream.Hear(bytes);
    if (peer_->ended() && !peer_->saw_reset() && !peer_->closed()) tunnel_->to_upstream.HearEnd();
    return;
  }
  unread_ += bytes;
  while (Step()) {
  }
  if (unread_.empty()) unread_.shrink_to_fit();
}

bool UpstreamSide::Step() {
  switch (body_) {
    case Body::kHead: {
      const auto head = TakeHeadFrom(&unread_);
      if (head) TakeHead(*head);
      Require(head || unread_.size() < kHeadMax, "a request's head to the upstream ends");
      return head.has_value();
    }
    case Body::kLength: {
      const size_t n = std::min(body_left_, unread_.size());
      CheckBody(n);
      unread_.erase(0, n);
      body_left_ -= n;
      if (body_left_ == 0) body_ = Body::kHead;
      return body_left_ == 0;
    }
    case Body::kChunkLine: {
      const auto line = TakeLine(&unread_);
      if (!line) return false;
      const auto size = ToNumber(*line, 16);
      Require(size.has_value(), "chunks to the upstream are well-formed");
      body_left_ = *size;
      body_ = *size == 0 ? Body::kTrailers : Body::kChunk;
      return true;
    }
    case Body::kChunk:
      CheckBody(std::min(body_left_, unread_.size()));
      if (!TakeChunk(&unread_, &body_left_, "chunks to the upstream end in CRLF")) return false;
      body_ = Body::kChunkLine;
      return true;
    case Body::kTrailers: {
      const auto line = TakeLine(&unread_);
      if (line && line->empty()) body_ = Body::kHead;
      return line.has_value();
    }
  }
  return false;
}

void UpstreamSide::TakeHead(std::string_view head) {
  Require(WellFormedHead(head), "a request's head to the upstream is well-formed");
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const size_t target = line.find(' ') + 1;
  Require(target > 1 && line.substr(target).starts_with('/'),
          "a request line to the upstream is well-formed");
  rule_(head);
  ++requests_;
  ++traffic_.heads;
  with_password_ = FieldOf(head, "authorization") == "Basic dTpw";  // as fragment A has it
  Require(rogue_ || waiting_.empty(), "the upstream gets one request at a time");
  const auto length = FieldOf(head, "content-length");
  const auto coding = FieldOf(head, "transfer-encoding");
  Require(!length || !coding, "a request to the upstream is framed in one way");
  if (coding) {
    Require(*coding == "chunked", "the only transfer coding is chunked");
    body_ = Body::kChunkLine;
  } else if (length) {
    const auto value = ToNumber(*length, 10);
    Require(value.has_value(), "a Content-Length to the upstream is a number");
    body_left_ = *value;
    body_ = *value == 0 ? Body::kHead : Body::kLength;
  }
  const std::string mark = MarkIn(line);
  Require(mark.empty() || ++traffic_.arrived[mark] <= traffic_.sends_max,
          "a request is sent to the upstream once, or as often as it may be");
  waiting_.push_back({.mark = mark.empty() ? std::string(kNoMark) : mark,
                      .head_request = line.starts_with("HEAD "),
                      .websocket = FieldOf(head, "upgrade") == "websocket"});
}

// What the upstream says

void UpstreamSide::Answer(const ReplyFragment& reply) {
  if (switched_) return Say(Expand(reply.text, rogue_ ? kNoMark : std::string_view(open_mark_)));
  if (reply.to == Reply::kTunnel && reply.from == Reply::kNone) return Switch(reply);
  const bool opens = reply.from == Reply::kNone;
  if (reply.to == Reply::kRogue || reply.from != reply_ || (opens && waiting_.empty())) TurnRogue();
  if (!rogue_ && opens) open_mark_ = waiting_.front().mark;
  const std::string mark = rogue_ ? std::string(kNoMark) : open_mark_;
  std::string text = Expand(reply.text, mark);
  if (!opens || rogue_ || reply.to == Reply::kInterim) {
    if (!rogue_ && !opens && reply.to == Reply::kNone) traffic_.whole.insert(mark);
    if (!rogue_ && reply.to != Reply::kInterim) reply_ = reply.to;
    if (rogue_ && opens && !waiting_.empty() && reply.to != Reply::kInterim) waiting_.pop_front();
    return Say(text);
  }
  const bool head_request = waiting_.front().head_request;
  waiting_.pop_front();
  if (head_request) text.resize(text.find("\r\n\r\n") + 4);
  reply_ = head_request ? Reply::kNone : reply.to;
  if (reply_ == Reply::kNone) traffic_.whole.insert(mark);
  Say(text);
}

// From here on both sides say what they like. Unasked, or asked by whom nobody knows, it binds nobody.
void UpstreamSide::Switch(const ReplyFragment& reply) {
  const bool asked = !rogue_ && reply_ == Reply::kNone && !waiting_.empty() && waiting_.front().websocket;
  const auto known = traffic_.tunnels.find(asked ? waiting_.front().mark : std::string());
  if (known == traffic_.tunnels.end()) TurnRogue();
  Say(Expand(reply.text, kNoMark));
  switched_ = true;
  traffic_.tunnels_moved_at = FakeKernel::Get().now();
  waiting_.clear();
  traffic_.switched_unasked = traffic_.switched_unasked || rogue_;
  if (rogue_) return;
  Require(unread_.empty(), "nothing is said in a tunnel before it is one");
  reply_ = Reply::kTunnel;
  open_mark_ = known->first;
  tunnel_ = &known->second;
  tunnel_->granted = true;
}

void UpstreamSide::AnswerByItself(char letter) {
  const ReplyFragment& reply = ReplyFor(traffic_.said < kSaidMax ? letter : 'h');
  if (reply.to == Reply::kTunnel && !waiting_.front().websocket) return Answer(ReplyFor('a'));
  Answer(reply);
  if (reply.to == Reply::kInterim) Answer(ReplyFor('a'));
}

void UpstreamSide::Say(std::string_view bytes) {
  Trace("upstream says", bytes);
  traffic_.said += bytes.size();
  const bool taken = peer_->Send(bytes);
  if (switched_) traffic_.tunnels_moved_at = FakeKernel::Get().now();
  if (taken && tunnel_ != nullptr) tunnel_->to_client.said->bytes += bytes;
}

void UpstreamSide::TurnRogue() {
  rogue_ = true;
  traffic_.whole.insert(open_mark_);  // nobody can tell whether it is
}

void UpstreamSide::SendRaw(std::string_view bytes) {
  if (!switched_) TurnRogue();
  Say(bytes);
}

void UpstreamSide::EndOfStream() {
  if (reply_ == Reply::kUntilEnd && !rogue_) traffic_.whole.insert(open_mark_);
  if (tunnel_ != nullptr) tunnel_->to_client.said->finished = true;
}

void UpstreamSide::ShutdownSend() {
  EndOfStream();
  peer_->ShutdownSend();
}

void UpstreamSide::Close() {
  if (peer_->readable() > 0) return Reset();
  EndOfStream();
  peer_->Close();
}

void UpstreamSide::Reset() {
  if (tunnel_ != nullptr) tunnel_->to_client.said->cut = true;
  peer_->Reset();
}

void UpstreamSide::CheckAtRest() const {
  if (tunnel_ != nullptr && peer_->attached() && !peer_->closed()) tunnel_->to_upstream.RequireHeard();
}

}  // namespace apiquota::fuzz
