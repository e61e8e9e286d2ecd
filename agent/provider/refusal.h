// The body of a refusal that never reached the API, in the API's own error shape (`refusal:` of an exporter
// file), so that clients show its sentence; else problem details (RFC 9457) of the types that
// draft-ietf-httpapi-ratelimit-headers-10 section 6 registers. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "provider/exporter.h"

namespace apiquota::provider {

struct RefusalFacts {
  bool unavailable = false;  // 503: the API is not well, or too many wait; else a limit, 429 or the file's
  std::string message;       // the sentence for a person
  double retry_after_seconds = 0;
  std::string quota = {};  // what ran out; empty: none
  std::string rule = {};   // what refused
  std::vector<std::string> violated_policies = {};
};

struct RefusalBody {
  int status = 429;
  std::string content_type;
  std::string body;

  friend bool operator==(const RefusalBody&, const RefusalBody&) = default;
};

RefusalBody RenderRefusal(const Exporter& exporter, const RefusalFacts& facts);

// A template, taken apart: JSON with {placeholders}, whose values are escaped for a JSON string.
struct RefusalRule {
  enum class Value : uint8_t { kLiteral, kMessage, kRetryAfter, kRetryAfterMs, kStatus, kQuota, kRule };
  struct Piece {
    Value value = Value::kLiteral;
    std::string text = {};  // kLiteral
  };

  int status = 429;
  std::string content_type = "application/json";
  std::vector<Piece> body;
};

// The words between the braces: message, retry_after, retry_after_ms, status, quota, rule.
std::vector<std::string_view> RefusalPlaceholders();

// Nothing of a rule but its body: what is wrong with it, for the file's author.
std::expected<std::vector<RefusalRule::Piece>, std::string> ParseRefusalBody(std::string_view text);

}  // namespace apiquota::provider
