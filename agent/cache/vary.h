// By what an answer was selected (RFC 9111 section 4.1): the fields that Vary names, and what a request has
// under them. Values are kept as digests: they may be long, or secret. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/hash.h"
#include "http/fields.h"

namespace apiquota::cache {

struct Selector {
  std::string name;             // in lower case
  std::optional<Digest> value;  // nothing: the request had no such field

  friend bool operator==(const Selector&, const Selector&) = default;
};
using Selectors = std::vector<Selector>;  // by name

// Vary is "*": no request is known to be answered by it.
bool VariesByAnything(const http::Fields& response);

// REQUIRES: not VariesByAnything. An answer in a content coding varies by Accept-Encoding whether or not it
// says so.
Selectors SelectorsOf(const http::Fields& response, const http::Fields& request);

// The value as it is compared: lines joined, blanks around members left out, and case, where it means
// nothing.
std::optional<Digest> SelectingValue(const http::Fields& request, std::string_view name);

// Whether requests select alike, asked of several answers: values are worked out once.
class Selection {
 public:
  explicit Selection(const http::Fields& request) : request_(request) {}
  bool Matches(const Selectors& selectors);

 private:
  const std::optional<Digest>& ValueOf(std::string_view name);

  const http::Fields& request_;
  std::vector<std::pair<std::string_view, std::optional<Digest>>> known_;  // names of the answers asked about
};

}  // namespace apiquota::cache
