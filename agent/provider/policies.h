// The IETF RateLimit fields of all drafts, as neutral values: RateLimit-Policy (what is allowed) and
// RateLimit (what is left). Pure. The field as a whole must be a structured field (RFC 9651); within it,
// members and parameters of a wrong type are passed over one by one, for that is how the drafts' own examples
// need to be read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apiquota::provider {

// One member of RateLimit-Policy, or of a RateLimit-Limit list: `100;w=60` or
// `"burst";q=100;w=60;qu="requests"`.
struct Policy {
  std::string name;  // empty: drafts 0 to 7 have none
  std::optional<double> limit;
  std::optional<double> window_seconds;
  std::string unit;           // qu; empty: not said
  std::string partition_key;  // pk

  friend bool operator==(const Policy&, const Policy&) = default;
};

// One quota of RateLimit. Drafts 8 and later name it; draft 7 has one without a name, which may say its
// limit.
struct PolicyStatus {
  std::string name;
  std::optional<double> limit;
  std::optional<double> remaining;
  std::optional<double> reset_seconds;  // as said: usually from now
  std::optional<double> window_seconds;
  std::string partition_key;

  friend bool operator==(const PolicyStatus&, const PolicyStatus&) = default;
};

// Nothing if the text is no structured field.
std::optional<std::vector<Policy>> ParsePolicies(std::string_view text);
std::optional<std::vector<PolicyStatus>> ParsePolicyStatuses(std::string_view text);

// Values longer than this are refused unread.
inline constexpr size_t kPolicyBytesMax = 8 * 1024;

}  // namespace apiquota::provider
