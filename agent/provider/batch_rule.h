// What an API says of an endpoint that takes many calls at once and answers them later: a value. Pure.
#pragma once

#include <string>
#include <vector>

#include "http/exchange.h"

namespace apiquota::provider {

struct BatchRule {
  std::string endpoint;            // where a batch is made: a path
  std::vector<std::string> paths;  // of the calls that one may hold; with at most one "*" each

  friend bool operator==(const BatchRule&, const BatchRule&) = default;
};

// Whether one may hold this request: a POST, by its path as sent or as described.
bool Takes(const BatchRule& batch, const http::Exchange& request);

}  // namespace apiquota::provider
