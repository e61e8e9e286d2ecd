// `apiquota probe`: asks APIs now and says what is left.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/clock.h"

namespace apiquota::cli {

struct ProbeOptions {
  std::vector<std::string> targets;  // URLs, names of configured apis, names of exporters
  std::string config_file;           // whose apis and keys the names may be; empty: none
  std::string exporter;              // for URLs; empty: found out
  std::vector<std::string> headers;  // "Name: value"
  std::string key_from_env;          // the variable that holds the credential; empty: none
  std::string method;                // GET or HEAD; empty: GET, or the exporter's
  Micros timeout = std::chrono::seconds(30);
  std::string format = "text";  // text or json
  std::string exporters_dir;
  bool colour = false;
  std::string version;
};

// 0: every answer said something about limits. 3: one said nothing. 4: one could not be had. 2: options that
// can't be understood, with one sentence on `err`, and nothing was asked.
int RunProbe(const ProbeOptions& options, const Clock& clock, std::ostream& out, std::ostream& err);

}  // namespace apiquota::cli
