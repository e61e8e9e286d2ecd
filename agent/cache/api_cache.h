// What is remembered of one api's answers, and who asks for the same at this moment: a private cache (RFC
// 9111) of bounded memory, least recently used goes first, and coalescing of identical requests. Thread-safe.
//
// Who uses it (proxy/cached_request.h): asks Find for each request it may answer; on a miss Join: the first
// of identical requests leads, asks upstream, and tells what came of it; those that follow wait, hold
// nothing, and are told by `Rim::Wake`. A leader that goes without a word has failed: exactly one follower
// leads then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cache/answer.h"
#include "cache/question.h"

namespace apiquota::cache {

struct Options {
  size_t bytes_max = 64 * 1024 * 1024;
  Micros stale_if_error{};  // where an answer names none
};

enum class Use : uint8_t {
  kNothing,       // ask upstream
  kServe,         // fresh, or as stale as the client allows
  kRevalidate,    // ask upstream with its condition
  kOnlyIfCached,  // the client wants no other, and there is none: 504 (RFC 9111 section 5.2.1.7)
};

struct Found {
  Use use = Use::kNothing;
  AnswerPtr answer;  // kServe, kRevalidate
  bool bypass =
      false;  // the request may not be answered from here, nor its answer kept: no-store, a method, …
};

// Who waits for a leader's answer.
struct Follower {
  uint32_t home = 0;  // its event loop
  uint64_t id = 0;
};

// What a follower is told.
struct Outcome {
  enum class Kind : uint8_t {
    kAnswer,  // this is it
    kLead,    // the leader failed: ask upstream, you lead now
    kAlone,   // the answer can't be shared: ask upstream for yourself
  };
  Kind kind = Kind::kAlone;
  AnswerPtr answer;
};

// Called from any thread, without a lock held.
class Rim {
 public:
  virtual void Wake(Follower follower, Outcome outcome) = 0;

 protected:
  ~Rim() = default;
};

class ApiCache;

// The leading of one group; gives up (kLead for the next one) when it goes without a word. Move-only.
class Lead {
 public:
  Lead() = default;
  Lead(std::shared_ptr<ApiCache> cache, std::string identity, uint64_t generation);
  Lead(Lead&& other) noexcept;
  Lead& operator=(Lead&& other) noexcept;
  ~Lead();

  explicit operator bool() const { return cache_ != nullptr; }
  bool Followed() const;         // somebody waits
  void Share(AnswerPtr answer);  // all have it
  void Scatter();                // each for itself, and so is who comes within a while: it can't be shared
  void Fail();                   // the next one leads

 private:
  std::shared_ptr<ApiCache> cache_;
  std::string identity_;
  uint64_t generation_ = 0;
};

struct CacheView {
  size_t bytes = 0, bytes_max = 0, answers = 0, groups = 0, followers = 0;
  uint64_t evicted = 0;                       // since the start
  std::optional<SystemTime> served_stale_at;  // when FindForError had one last
};

class ApiCache : public std::enable_shared_from_this<ApiCache> {
 public:
  ApiCache(const Options& options, Rim& rim);
  ~ApiCache();

  void Configure(const Options& options);

  Found Find(const Question& question, SystemTime now);
  // One to serve while the API fails, or is not asked; null: none.
  AnswerPtr FindForError(const Question& question, SystemTime now);

  // What came from upstream for the question. Replaces what it stands for.
  void Keep(const Question& question, AnswerPtr answer);
  // A method that changes something was answered well (RFC 9111 section 4.4): target, and what Location and
  // Content-Location name of the same origin. `authority`: the upstream's.
  void Invalidate(const Question& question, const http::ResponseHead& head, std::string_view authority);

  // Leads (a Lead that is true), follows (false, and the follower will be woken), or neither: the identity
  // can't be shared (false, and *alone set).
  Lead Join(const Question& question, Follower follower, bool* alone, SystemTime now);
  void Leave(const Question& question, Follower follower);  // its client has gone

  void Clear();
  CacheView View() const;

 private:
  friend class Lead;
  struct State;
  std::unique_ptr<State> state_;
  Rim& rim_;
};

}  // namespace apiquota::cache
