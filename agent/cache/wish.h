// What a client's head says of answers from memory (RFC 9111 sections 4.3, 5.2.1, 5.4; RFC 9110
// sections 13.1, 14.2), gathered in one pass. Views into the fields. Pure; thread-safe.
#pragma once

#include <string_view>

#include "cache/cache_control.h"
#include "cache/question.h"

namespace apiquota::cache {

struct Wish {
  RequestDirectives control;  // Pragma: no-cache in it, where there is no Cache-Control
  bool range = false;
  bool strict_condition = false;  // If-Match, If-Unmodified-Since: no cache judges them
  bool none_match = false;        // If-None-Match is there
  std::string_view modified_since;

  bool Conditional() const { return none_match || !modified_since.empty(); }
};
Wish ReadWish(const http::Fields& fields);

// A method whose answers may come from here: GET, HEAD, a POST that has a body to be known by.
bool MayBeAnswered(const Question& question);

// Whether it may neither be answered from here nor its answer be kept.
bool Bypasses(const Question& question, const Wish& wish);

// If-None-Match names the entity tag (weak comparison, RFC 9110 section 13.1.2), or is "*".
bool NamesTag(const http::Fields& fields, std::string_view etag);

}  // namespace apiquota::cache
