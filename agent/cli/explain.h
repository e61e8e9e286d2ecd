// `apiquota explain`: reads what a person has of an answer (what `curl -i` and others print, a recording, a
// HAR file) and says what it means for quotas.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "base/clock.h"

namespace apiquota::cli {

struct ExplainOptions {
  std::string exporter = {};     // empty: by host, else by the headers
  std::string request_url = {};  // empty: unknown
  std::string now = {};  // RFC 3339 or seconds since the epoch; empty: the response's Date, else the clock
  std::string format = "text";     // text or json
  std::string file = {};           // empty or "-": `in`
  std::string exporters_dir = {};  // empty: the embedded exporters alone
  size_t entry = 0;                // of a HAR file, from 1; 0: every one that speaks of limits
  bool colour = false;             // the caller knows about terminals and NO_COLOR
};

// 0: a quota or a throttle was understood. 3: the response says nothing about limits. 2: unreadable input or
// options, with one sentence on `err`.
int RunExplain(const ExplainOptions& options, const Clock& clock, std::istream& in, std::ostream& out,
               std::ostream& err);

}  // namespace apiquota::cli
