// `apiquota exporters`: which APIs are known, how one of them speaks about limits, and what may stand in a
// file.
#pragma once

#include <ostream>
#include <string>

namespace apiquota::cli {

struct ExportersOptions {
  std::string name = {};           // empty: list them all
  std::string format = "text";     // text or json
  std::string exporters_dir = {};  // empty: the embedded exporters alone
  bool schema = false;             // the grammar of exporter files as JSON Schema
  bool keys = false;               // … as tables in Markdown
};

// 0; 2 after one sentence on `err` when the options or a file of `exporters_dir` can't be understood.
int RunExporters(const ExportersOptions& options, std::ostream& out, std::ostream& err);

}  // namespace apiquota::cli
