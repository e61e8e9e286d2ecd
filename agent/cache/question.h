// A request as the cache knows it: by which key its answer is kept, and by which identical requests that are
// under way at once are known. Pure; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cache/hash.h"
#include "http/fields.h"

namespace apiquota::cache {

struct Question {
  std::string_view method;
  std::string_view target;  // path and query as sent upstream, without a credential that stands in it
  // Of the credential as sent upstream: what is kept for one is nobody else's. A digest; never shown.
  std::string_view credential;
  const http::Fields* fields = nullptr;  // the client's
  // Of a POST on a route whose answers are remembered: its canonical JSON (CanonicalJson); else nothing.
  std::optional<std::string_view> body = {};
  Micros ttl{};  // … and how long its answer is fresh, whatever it says
  // Names of fields that `credential` stands for, so that they make no two requests different: callers with
  // tokens of their own share what one key of the operator's may see.
  std::span<const std::string> credential_fields = {};
};

// JSON as one text whatever its spacing and the order of its members (RFC 8785 in spirit; numbers and escapes
// as they are written); nothing: it is not JSON, or nested more than 64 deep.
std::optional<std::string> CanonicalJson(std::string_view text);

// What an answer is kept under, before Vary: credential and target (RFC 9111 section 2); HEAD is answered
// from what GET was. A POST's names its body, too, and every field that may select an answer.
Digest KeyOf(const Question& question);

// What makes two requests the same while it is not known yet by what their answer varies: method, KeyOf and
// every field but those that never select an answer (User-Agent, tracing, an SDK's account of itself).
Digest IdentityOf(const Question& question);

}  // namespace apiquota::cache
