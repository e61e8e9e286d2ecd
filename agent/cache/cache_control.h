// Cache-Control as it is written (RFC 9111 sections 5.2.1, 5.2.2; RFC 5861 section 4). Of what is said twice
// the stricter counts; an argument that is none makes an answer stale and a wish as strict as it can be.
// Directives of shared caches (s-maxage, proxy-revalidate), extensions, and CDN-Cache-Control are not read.
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "http/fields.h"

namespace apiquota::cache {

// The longest that a delta-seconds may say (RFC 9111 section 1.2.2).
inline constexpr Micros kDeltaMax = std::chrono::seconds(int64_t{1} << 31);

// delta-seconds: digits alone. Too large for us is kDeltaMax; nothing: it is none.
std::optional<Micros> ParseDelta(std::string_view text);

struct ResponseDirectives {
  bool present = false;  // the field is there, whatever it says
  bool no_store = false;
  bool no_cache = false;  // with names of fields, too: then all of the answer is asked for again
  bool must_revalidate = false;
  bool must_understand = false;
  bool is_public = false;
  bool is_private = false;
  std::optional<Micros> max_age;
  std::optional<Micros> stale_if_error;
};
ResponseDirectives ReadResponseDirectives(const http::Fields& fields);

struct RequestDirectives {
  bool present = false;
  bool no_store = false;
  bool no_cache = false;
  bool only_if_cached = false;
  std::optional<Micros> max_age;
  std::optional<Micros> min_fresh;
  std::optional<Micros> max_stale;  // without an argument: kDeltaMax
  std::optional<Micros> stale_if_error;
};
// One field line more.
void NoteRequestDirectives(std::string_view line, RequestDirectives* directives);

}  // namespace apiquota::cache
