// `apiquota record`: turns an answer into a recording of tests/providers (redact.h) with what `explain` says
// of it, for a person to look through and correct.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/clock.h"

namespace apiquota::cli {

struct RecordOptions {
  std::string exporter = {};  // whose answer it is
  std::string url = {};       // asked now; empty: an answer is read
  std::string file = {};      // where it is read; empty or "-": `in`

  // How the URL is asked, as by `probe`.
  std::vector<std::string> headers = {};
  std::string key_from_env = {};
  std::string method = {};
  Micros timeout = std::chrono::seconds(30);

  std::string request_url = {};  // of an answer that is read and does not say
  size_t entry = 0;              // of a HAR file, from 1; 0: the only one that speaks of limits
  std::string name = {};         // of the case; empty: "throttled" or "ordinary"
  std::string source = {};       // of the recording; empty: how it came about
  std::string folder = {};       // empty: tests/providers/NAME where there is such a tree, else this folder
  bool force = false;            // files of these names are overwritten
  std::string exporters_dir = {};
  std::string version = {};
};

// 0: written. 3: written, and nothing of it is understood yet. 4: there was no answer. 2: unreadable input or
// options, or the files are there already, with one sentence on `err`; nothing is written.
int RunRecord(const RecordOptions& options, const Clock& clock, std::istream& in, std::ostream& out,
              std::ostream& err);

}  // namespace apiquota::cli
