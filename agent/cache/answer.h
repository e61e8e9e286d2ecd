// An answer as it is kept, and what RFC 9111 says of it. Immutable once it is in the cache, and shared:
// whoever serves it holds it. Pure; thread-safe to read.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cache/question.h"
#include "http/codec.h"

namespace apiquota::cache {

struct Answer {
  http::ResponseHead head;  // as the upstream sent it, without what was for its hop alone; framing: kLength
  std::string body;
  // In running time (base/clock.h): when its request was sent, or last confirmed, and when its head came.
  SystemTime asked_at, received_at;
  Micros age_then{};        // corrected_initial_age (RFC 9111 section 4.2.3)
  Micros fresh_for{};       // freshness_lifetime (section 4.2.1)
  Micros stale_if_error{};  // how long past that it may be served while the API fails (RFC 5861 section 4)
  bool must_revalidate = false;  // must-revalidate, no-cache: never served stale …
  bool no_cache = false;         // … nor fresh, without asking
  // Vary's names in lower case, and what the request had under them (section 4.1).
  std::vector<std::pair<std::string, std::optional<std::string>>> varies;
  std::optional<double> tokens;  // that it took, where it said so

  size_t bytes() const;  // in memory
  Micros AgeAt(SystemTime now) const;
  bool FreshAt(SystemTime now) const;
  bool HasValidator() const;  // ETag, or Last-Modified
};
using AnswerPtr = std::shared_ptr<const Answer>;

// What of an answer may be done, by its request and its head (sections 3, 3.1, 4.1 of RFC 9111, for a private
// cache). `shareable`: identical requests that were waiting for it may have it, although it is not kept.
struct Storable {
  bool keep = false;
  bool shareable = false;
};
Storable Judge(const Question& question, const http::ResponseHead& head);

// REQUIRES: Judge said that it may be kept or shared. `system_ahead`: the system clock, of running time.
Answer MakeAnswer(const Question& question, const http::ResponseHead& head, std::string body,
                  SystemTime asked_at, SystemTime received_at, Micros system_ahead);

// The same, confirmed by a 304 (section 4.3.4).
Answer Freshened(const Answer& answer, const Question& question, const http::ResponseHead& not_modified,
                 SystemTime asked_at, SystemTime received_at, Micros system_ahead);

// What a client is sent: with Age (section 5.1); 304 without a body where its own conditions hold (section
// 4.3.2), 206 is never made. `body` views the answer's.
struct Served {
  http::ResponseHead head;
  std::string_view body;
};
Served Serve(const Answer& answer, const Question& question, SystemTime now);

// What is added to a request that asks whether the answer still holds (section 4.3.1): If-None-Match, else
// If-Modified-Since.
std::optional<http::FieldView> ConditionOf(const Answer& answer);

}  // namespace apiquota::cache
