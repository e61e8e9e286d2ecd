// `apiquota healthcheck`: is the agent on this machine alive? For containers without a shell or curl.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "base/clock.h"
#include "net/options.h"

namespace apiquota::cli {

struct HealthcheckOptions {
  net::ListenAddress admin{"127.0.0.1", 9429};  // as `serve --web.listen-address` has it
  std::string url;                              // asked instead of the agent's own page
};

// 0: it answers 200. 1: it does not, and one sentence on `err` says what it does.
int RunHealthcheck(const HealthcheckOptions& options, const Clock& clock, std::ostream& err);

}  // namespace apiquota::cli
