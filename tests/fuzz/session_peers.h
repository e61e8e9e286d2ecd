// The two sides of the agent in the session fuzzer, and what they hold it to. A mark (session_fragments.h)
// goes out with each request; the upstream's answer carries it back. Whatever breaks a rule stops the program
// (Require).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "tests/fuzz/fake_kernel.h"
#include "tests/fuzz/session_fragments.h"

namespace apiquota::fuzz {

// Says what was broken, and aborts.
void Require(bool holds, std::string_view rule);

// With SESSION_FUZZ_TRACE in the environment: who said what, on stderr.
void Trace(std::string_view what, std::string_view bytes);

// What all connections of one run have in common.
struct Traffic {
  std::set<std::string> arrived;  // marks of requests that an upstream got: each at most once
  std::set<std::string> whole;    // … whose answer was sent to its end
  size_t said = 0;                // by upstreams, in bytes
};

// One of the agent's connections to the upstream. Reads what comes as a strict server would: whatever clients
// do, the agent's requests are well-formed, one at a time, and each is sent once.
class UpstreamSide {
 public:
  UpstreamSide(FakePeerPtr peer, Traffic& traffic) : peer_(std::move(peer)), traffic_(traffic) {}

  void Read(size_t max);
  void Answer(const ReplyFragment& reply);
  void AnswerByItself(char letter);  // … and after an interim one, finally
  void SendRaw(std::string_view bytes);
  void ShutdownSend();
  void Close();
  void Reset();

  // Requests read and not answered; counted when their head has come, or all of them.
  size_t heads_waiting() const { return waiting_.size(); }
  size_t whole_waiting() const { return body_ == Body::kHead ? waiting_.size() : 0; }
  bool busy() const { return !peer_->closed() && (!waiting_.empty() || reply_ != Reply::kNone); }
  const FakePeer& peer() const { return *peer_; }
  size_t held() const { return peer_->held() + unread_.capacity(); }

 private:
  enum class Body : uint8_t { kHead, kLength, kChunkLine, kChunk, kTrailers };
  struct Waiting {
    std::string mark;
    bool head_request;
  };

  bool Step();
  void TakeHead(std::string_view head);
  void CheckBody(size_t bytes) const;
  void EndOfStream();
  void TurnRogue();
  void Say(std::string_view bytes);

  FakePeerPtr peer_;
  Traffic& traffic_;
  std::string unread_;
  Body body_ = Body::kHead;
  size_t body_left_ = 0;
  std::deque<Waiting> waiting_;
  Reply reply_ = Reply::kNone;
  std::string open_mark_;  // of the answer that is under way
  bool rogue_ = false;     // what it sends belongs to nobody: no marks any more
};

// One client's connection to the agent.
class ClientSide {
 public:
  ClientSide(FakePeerPtr peer, unsigned number, Traffic& traffic)
      : peer_(std::move(peer)), number_(number), traffic_(traffic) {}

  void Send(const RequestFragment& fragment, int times);
  void SendPart(const RequestFragment& fragment, size_t bytes);
  void SendRaw(std::string_view bytes);
  void Read(size_t max);
  void ShutdownSend() { peer_->ShutdownSend(); }
  void Close() { peer_->Close(); }
  void Reset() { peer_->Reset(); }

  bool reading = true;                    // takes all there is whenever it can
  SteadyTime gone_at{SteadyTime::max()};  // when the agent could first know that it has left

  unsigned newest_mark() const { return newest_; }  // that came back; 0: none
  const FakePeer& peer() const { return *peer_; }
  size_t held() const { return peer_->held() + unread_.capacity(); }

 private:
  enum class Body : uint8_t { kHead, kLength, kChunkLine, kChunk, kTrailers, kUntilEnd };

  std::string Mark();
  void Say(std::string_view bytes);
  void FindMarks(std::string_view bytes);
  bool Step();
  void TakeHead(std::string_view head);
  void CheckEnd();

  FakePeerPtr peer_;
  unsigned number_;
  Traffic& traffic_;
  unsigned requests_ = 0;        // marks given away
  unsigned newest_ = 0;          // mark seen in what came back
  std::string marks_tail_;       // the last bytes, where a mark may have begun
  bool sure_ = true;             // only whole requests were sent: the answers must be theirs, one each
  std::deque<bool> unanswered_;  // of a sure client: whether it was a HEAD
  std::string unread_;
  Body body_ = Body::kHead;
  size_t body_left_ = 0;
  std::string answer_mark_;  // of the answer being read
};

}  // namespace apiquota::fuzz
