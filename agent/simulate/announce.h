// What a simulated API announces and enforces: options and an exporter file's rules put together. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "provider/exporter_rules.h"
#include "simulate/limit_options.h"
#include "simulate/simulate.h"

namespace apiquota::simulate {

struct Announced {
  const provider::QuotaRule* rule;
  std::string star;    // what stands for the '*' of its name
  LimitOptions limit;  // as it is enforced; its name is the quota's
};

// A rule that speaks of every response.
bool Always(const provider::When& when);

// Fails when a quota of the options is not in the exporter file, or can't be said in a response. `exporter`
// must outlive what comes back.
Result<std::vector<Announced>> Announce(const SimulateOptions& options, const provider::Exporter& exporter);

}  // namespace apiquota::simulate
