// An answer as it is kept, and what RFC 9111 says of it. Immutable once it is in the cache, and shared:
// whoever serves it holds it. Pure; thread-safe to read.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cache/question.h"
#include "cache/vary.h"
#include "http/codec.h"

namespace apiquota::cache {

struct Answer {
  // As the upstream sent it, without what was for its hop alone (RFC 9111 section 3.1) and without Age; with
  // Date. Framing: kLength, of `body`.
  http::ResponseHead head;
  std::string body;
  // In running time (base/clock.h): when its request was sent, or last confirmed, and when its head came.
  SystemTime asked_at, received_at;
  Micros age_then{};   // corrected_initial_age (RFC 9111 section 4.2.3)
  Micros fresh_for{};  // freshness_lifetime (section 4.2.1)
  // How long past that it may be served while the API fails (RFC 5861 section 4), where it says so.
  std::optional<Micros> stale_if_error;
  bool must_revalidate = false;  // must-revalidate, no-cache: never served stale …
  bool no_cache = false;         // … nor fresh, without asking
  Selectors varies;
  std::optional<double> tokens;  // that it took, where it said so

  size_t bytes() const;  // in memory, with all that hangs on it
  Micros AgeAt(SystemTime now) const;
  bool FreshAt(SystemTime now) const;
  bool HasValidator() const;  // ETag, or Last-Modified
};
using AnswerPtr = std::shared_ptr<const Answer>;

// What of an answer may be done, by its request and its head (sections 3, 3.1, 4.1 of RFC 9111, for a private
// cache). `shareable`: identical requests that were waiting for it may have it, although it is not kept.
// What can never be used again is not kept, either. Of a POST by opt-in (Question::body) a 200 is kept for
// its ttl, whatever its Cache-Control says; its Set-Cookie is not.
struct Storable {
  bool keep = false;
  bool shareable = false;
};
// `stale_if_error`: how long one that names no such time may be served while the API fails.
Storable Judge(const Question& question, const http::ResponseHead& head, Micros stale_if_error = {});
// Cookies are kept with an answer that says how long it is fresh, and with no other.
bool KeepsCookies(const http::ResponseHead& head);

// REQUIRES: Judge said that it may be kept or shared. `system_ahead`: the system clock, of running time.
Answer MakeAnswer(const Question& question, const http::ResponseHead& head, std::string body,
                  SystemTime asked_at, SystemTime received_at, Micros system_ahead);

// Whether a 304 speaks of this answer: it names no other entity tag (section 4.3.4).
bool Confirms(const http::ResponseHead& not_modified, const Answer& answer);

// The same, confirmed by a 304 (sections 3.2, 4.3.4): its fields take the place of those of their names, but
// for what describes the body that was stored. With an age of its own: that of the 304. Without
// cookies where it does not say now how long it is fresh: those of the 304 are its client's alone.
Answer Freshened(const Answer& answer, const Question& question, const http::ResponseHead& not_modified,
                 SystemTime asked_at, SystemTime received_at, Micros system_ahead);

// What a client is sent: with Age (section 5.1); 304 without a body where its own conditions hold (section
// 4.3.2), 206 is never made. `body` views the answer's, and is empty for HEAD and 304.
struct Served {
  http::ResponseHead head;
  std::string_view body;
};
Served Serve(const Answer& answer, const Question& question, SystemTime now);

// What is added to a request that asks whether the answer still holds (section 4.3.1): If-None-Match, else
// If-Modified-Since. It takes the place of the client's own under that name.
std::optional<http::FieldView> ConditionOf(const Answer& answer);

}  // namespace apiquota::cache
