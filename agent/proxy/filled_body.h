// The body of an answer on its way into a cache, and how much of it its client has been sent: a client that
// keeps up gets each piece as it comes, one that falls behind reads on from here. Also what is left to send
// of an answer that is kept already, which is shared and not copied. One per request; belongs to one loop.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "cache/answer.h"
#include "proxy/kept_body.h"

namespace apiquota::proxy {

class FilledBody {
 public:
  struct Limits {
    size_t bytes_max = 0;     // of this body
    size_t together_max = 0;  // of all that are on their way
  };

  FilledBody() = default;
  FilledBody(const FilledBody&) = delete;
  FilledBody& operator=(const FilledBody&) = delete;
  ~FilledBody() { Clear(); }

  // `all` must live until Clear.
  void Begin(KeptBytes& all, const Limits& limits);
  bool kept() const { return all_ != nullptr; }
  // More of it; a client that is not behind gets it by itself. False: it does not fit, and is not there.
  bool Add(std::span<const std::string_view> slices);
  // Nothing is kept any more but what its client has not been sent.
  void LetGo();
  // … which this is, too. REQUIRES: behind.
  void AddUnsent(std::span<const std::string_view> slices);
  void Complete() { whole_ = true; }
  std::string Take();  // all of it

  // The client can't take more now: it reads on from here.
  void FallBehind() { behind_ = true; }
  bool behind() const { return behind_; }
  void ReadNoMore() { behind_ = false; }  // it has gone
  size_t sent() const { return sent_; }
  // The client is to read `body`, which is the answer's, from `at` to its end.
  void Read(cache::AnswerPtr answer, std::string_view body, size_t at);

  // The next piece, of at most `most` bytes, for a client that is behind; valid until the next call. `last`:
  // nothing follows it. Empty and not the last: the client has caught up.
  std::string_view Next(size_t most, bool* last);

  void Clear();

 private:
  void Append(std::span<const std::string_view> slices);
  void Account();

  KeptBytes* all_ = nullptr;
  Limits limits_;
  std::string bytes_;
  size_t accounted_ = 0;
  cache::AnswerPtr answer_;
  std::string_view body_;  // the answer's
  size_t sent_ = 0;
  bool behind_ = false;
  bool whole_ = false;
};

}  // namespace apiquota::proxy
