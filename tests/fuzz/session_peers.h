// The two sides of the agent in the session fuzzers, and what they hold it to. A mark (session_fragments.h)
// goes out with each request; the upstream's answer carries it back. Whatever breaks a rule stops the program
// (Require).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
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

// One way through a tunnel: what was said at its beginning, from `heard` on, must come out at its end.
struct Said {
  std::string bytes;
  bool finished = false;  // by an end of its own, not a reset
  bool cut = false;       // … but a reset
};
struct Way {
  std::shared_ptr<Said> said = std::make_shared<Said>();
  size_t heard = 0;

  void Hear(std::string_view bytes);
  void HearEnd() const;
  void RequireHeard() const;  // all of it, by one who reads
};

// Of a request that asks for WebSocket: what becomes of it once that is granted.
struct TunnelWays {
  bool granted = false;  // by the upstream
  Way to_upstream, to_client;
};

// What all connections of one run have in common.
struct Traffic {
  std::map<std::string, unsigned> arrived;    // how often an upstream got the request of a mark,
  unsigned sends_max = 1;                     // … at most
  size_t heads = 0;                           // of requests that any upstream got, with a mark or without
  std::set<std::string> whole;                // … whose answer was sent to its end
  std::map<std::string, TunnelWays> tunnels;  // by the marks of the requests that asked for them
  bool switched_unasked = false;              // by an upstream that had not read who asked for it
  SteadyTime tunnels_moved_at;                // when an upstream last heard or said something in one
  size_t said = 0;                            // by upstreams, in bytes

  size_t held() const;  // bytes of memory, about
};

// What a request's head to the upstream must be like beyond being well-formed.
using HeadRule = void (*)(std::string_view head);

// One of the agent's connections to the upstream. Reads what comes as a strict server would: whatever clients
// do, the agent's requests are well-formed, one at a time, and each is sent once.
class UpstreamSide {
 public:
  UpstreamSide(FakePeerPtr peer, Traffic& traffic, HeadRule rule)
      : peer_(std::move(peer)), traffic_(traffic), rule_(rule) {}

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
  size_t requests() const { return requests_; }  // whose heads have come so far
  bool between_requests() const { return body_ == Body::kHead && unread_.empty(); }
  bool with_password() const { return with_password_; }  // the newest one
  bool busy() const { return !peer_->closed() && (!waiting_.empty() || reply_ != Reply::kNone); }
  void CheckAtRest() const;  // of one that reads
  const FakePeer& peer() const { return *peer_; }
  size_t held() const { return peer_->held() + unread_.capacity(); }

 private:
  enum class Body : uint8_t { kHead, kLength, kChunkLine, kChunk, kTrailers };
  struct Waiting {
    std::string mark;
    bool head_request;
    bool websocket;
  };

  bool Step();
  void TakeHead(std::string_view head);
  void CheckBody(size_t bytes) const;
  void Switch(const ReplyFragment& reply);
  void EndOfStream();
  void TurnRogue();
  void Say(std::string_view bytes);

  FakePeerPtr peer_;
  Traffic& traffic_;
  HeadRule rule_;
  std::string unread_;
  Body body_ = Body::kHead;
  size_t body_left_ = 0;
  size_t requests_ = 0;
  bool with_password_ = false;
  std::deque<Waiting> waiting_;
  Reply reply_ = Reply::kNone;
  std::string open_mark_;         // of the answer that is under way
  bool rogue_ = false;            // what it sends belongs to nobody: no marks any more
  bool switched_ = false;         // it has said that from here on nothing is HTTP
  TunnelWays* tunnel_ = nullptr;  // … to whom it was asked by: of a client that is known
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
  void ShutdownSend();
  void Close();
  void Reset();

  bool reading = true;                    // takes all there is whenever it can
  SteadyTime gone_at{SteadyTime::max()};  // when the agent could first know that it has left

  void CheckAtRest() const;

  unsigned newest_mark() const { return newest_; }    // that came back; 0: none
  bool owed() const { return !unanswered_.empty(); }  // an answer, whoever may give it
  const FakePeer& peer() const { return *peer_; }
  size_t held() const { return peer_->held() + unread_.capacity() + (said_ ? said_->bytes.capacity() : 0); }

 private:
  enum class Body : uint8_t { kHead, kLength, kChunkLine, kChunk, kTrailers, kUntilEnd, kTunnel };
  struct Asked {
    std::string mark;
    bool head_request;
    bool websocket;
  };

  std::string Mark();
  void Say(std::string_view bytes);
  void FindMarks(std::string_view bytes);
  bool Step();
  bool TakeChunkLine();
  bool TakeChunk();
  void TakeHead(std::string_view head);
  void FindBody(std::string_view head);
  void BeginTunnel();
  void CheckEnd();

  FakePeerPtr peer_;
  unsigned number_;
  Traffic& traffic_;
  unsigned requests_ = 0;         // marks given away
  unsigned newest_ = 0;           // mark seen in what came back
  std::string marks_tail_;        // the last bytes, where a mark may have begun
  bool whole_requests_ = true;    // nothing else was sent so far,
  bool sure_ = true;              // … or the answers that come are to those before it: one each
  std::deque<Asked> unanswered_;  // of those
  std::string unread_;
  Body body_ = Body::kHead;
  size_t body_left_ = 0;
  std::string answer_mark_;     // of the answer being read
  std::shared_ptr<Said> said_;  // from the first request for WebSocket on; null: none yet
  TunnelWays* tunnel_ = nullptr;
};

}  // namespace apiquota::fuzz
