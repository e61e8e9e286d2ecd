// What is remembered of one api's answers, and who asks for the same at this moment: a private cache (RFC
// 9111) of bounded memory, least recently used goes first, and coalescing of identical requests. Thread-safe.
//
// Who uses it (proxy/cached_request.h): asks Find for each request it may answer; on a miss Join: the first
// of identical requests leads, asks Find once more (what it wants may have come in between), then upstream,
// and tells what came of it, having kept it; those that follow wait, hold nothing, and are told by
// `Rim::Wake`. A leader that goes without a word has failed: exactly one follower leads then.
//
// Times are running time (base/clock.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "cache/answer.h"
#include "cache/groups.h"
#include "cache/question.h"

namespace apiquota::cache {

struct Options {
  size_t bytes_max = 64 * 1024 * 1024;
  Micros stale_if_error{};  // where an answer names none
};

enum class Use : uint8_t {
  kNothing,       // ask upstream
  kServe,         // fresh, or as stale as the client allows
  kRevalidate,    // ask upstream with its condition, in place of the client's own: Serve judges that later
  kOnlyIfCached,  // the client wants no other, and there is none: 504 (RFC 9111 section 5.2.1.7)
};

struct Found {
  Use use = Use::kNothing;
  AnswerPtr answer;  // kServe, kRevalidate
  // The request may not be answered from here, nor its answer kept: no-store, a range, a method, …
  bool bypass = false;
};

class ApiCache;

// The leading of one group; gives up (kLead for the next one) when it goes without a word. Move-only; may be
// used from any thread, by one at a time.
class Lead {
 public:
  Lead() = default;
  Lead(std::shared_ptr<ApiCache> cache, Turn turn);
  Lead(Lead&& other) noexcept;
  Lead& operator=(Lead&& other) noexcept;
  ~Lead();

  explicit operator bool() const { return cache_ != nullptr; }
  bool Followed() const;                // somebody waits
  void Share(const AnswerPtr& answer);  // all have it
  void Scatter(SystemTime now);  // each for itself, and so is who comes within a while: it can't be shared
  void Fail();                   // the next one leads

 private:
  std::shared_ptr<ApiCache> cache_;
  Turn turn_;
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
  Lead lead;  // kLead. An outcome that reaches nobody gives up, and the next one leads
};

// Called from any thread, without a lock held. Hands the outcome on (to the follower's loop) and returns: an
// outcome that leads and is dropped in the call itself wakes the next follower within it. Outlives the cache.
class Rim {
 public:
  virtual void Wake(Follower follower, Outcome outcome) = 0;

 protected:
  ~Rim() = default;
};

struct CacheView {
  size_t bytes = 0, bytes_max = 0, answers = 0, groups = 0, followers = 0;
  uint64_t evicted = 0;  // since the start
  // Requests that go on for their answer although their client has gone, and those that might not, since the
  // start; of whoever asks upstream.
  size_t orphans = 0;
  uint64_t orphans_given_up = 0;
  std::optional<SystemTime> served_stale_at;  // FindForError had one past its freshness
};

class ApiCache : public std::enable_shared_from_this<ApiCache> {
 public:
  ApiCache(const Options& options, Rim& rim);
  ~ApiCache();

  void Configure(const Options& options);
  // What one answer may take: an eighth of all. A body that grows beyond it need not be gathered further.
  size_t answer_bytes_max() const;

  Found Find(const Question& question, SystemTime now);
  // One to serve while the API fails, or is not asked; null: none (RFC 9111 section 4.2.4, RFC 5861 section
  // 4).
  AnswerPtr FindForError(const Question& question, SystemTime now);

  // What came from upstream for the question (Judge said keep). Replaces what it stands for. What was asked
  // for before the last change of its path is not kept.
  void Keep(const Question& question, AnswerPtr answer);
  // A method that changes something was answered well (RFC 9111 section 4.4): what is kept of the target's
  // path, and of what Location and Content-Location name of the same origin, whatever the query, and whoever
  // asked. Nothing where the method is safe, the answer an error, or the question a POST whose answers are
  // remembered.
  void Invalidate(const Question& question, const http::ResponseHead& head, std::string_view authority,
                  SystemTime now);
  // … or was sent, and nobody knows what came of it: its target's path alone.
  void InvalidateUnanswered(const Question& question, SystemTime now);

  // Leads (a Lead that is true), follows (false, and the follower will be woken), or neither: the identity
  // can't be shared, or the client wants no answer that another asked for (false, and *alone set).
  Lead Join(const Question& question, Follower follower, bool* alone, SystemTime now);
  void Leave(Follower follower);  // its client has gone; it may have been told already

  void Clear(SystemTime now);  // nor is anything kept that was asked for before
  CacheView View() const;

 private:
  friend class Lead;
  struct State;
  void Change(std::span<const Digest> paths, SystemTime now);
  void Tell(Follower follower, Outcome outcome) { rim_.Wake(follower, std::move(outcome)); }

  std::unique_ptr<State> state_;
  Rim& rim_;
};

}  // namespace apiquota::cache
