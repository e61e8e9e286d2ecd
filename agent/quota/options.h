// Bounds of the ledger; plain values with their defaults.
#pragma once

#include <string>

#include "base/clock.h"

namespace apiquota::quota {

struct LedgerOptions {
  Micros expire_after = std::chrono::minutes(15);  // a reading without reset and window holds this long
  size_t quotas_max = 1200;                        // slots in all, shared fairly among the apis
  size_t resources_per_key_max = 64;               // per api and key
  size_t quotas_per_resource_max = 32;             // names that a response chose, per api, key and resource
  size_t keys_per_api_max = 100;                   // fingerprints met at run time, per api

  friend bool operator==(const LedgerOptions&, const LedgerOptions&) = default;
};

// A documented limit of an API that does not say it (`limits:` in the configuration), in requests.
struct DeclaredLimit {
  std::string quota;  // its name; one per api
  double limit = 0;   // requests per window
  Micros window{};    // sliding

  friend bool operator==(const DeclaredLimit&, const DeclaredLimit&) = default;
};

}  // namespace apiquota::quota
