// The endpoint at which an API says what is left without doing anything else (`poll` in an exporter file), as
// values. Only safe methods: a poll must change nothing but, perhaps, the quota it asks about.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apiquota {
class YamlValue;
}

namespace apiquota::provider {

struct PollRule {
  std::string method = "GET";  // or HEAD
  std::string path;            // under the base URL, with a query if need be: "/v1/models"
  std::vector<std::pair<std::string, std::string>> headers;  // beside the credential; names in lower case
  std::string cost_unit;  // what one poll takes from the quota, as the file's author knows it; empty: nothing
  uint64_t cost = 0;

  friend bool operator==(const PollRule&, const PollRule&) = default;
};

// {method: GET, path: /v1/models, costs: requests 1 | nothing, headers: {name: value}}. Mistakes are recorded
// in the value's document.
PollRule ReadPollRule(const YamlValue& value);

// What a request target may look like: "/" and visible ASCII, without a fragment.
inline constexpr std::string_view kPollPathExpected = "a path such as /v1/models";
bool IsPollPath(std::string_view path);

}  // namespace apiquota::provider
