// What the command line asks for, as values: parsing is apart from doing (main.cc).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/serve_options.h"
#include "base/error.h"
#include "cli/explain.h"
#include "cli/exporters.h"
#include "cli/healthcheck.h"
#include "cli/probe.h"
#include "cli/record.h"
#include "simulate/simulate.h"

namespace apiquota::cli {

struct CheckConfigCommand {
  std::vector<std::string> files;
  std::string exporters_dir;
};

struct SimulateCommand {
  std::string exporter;
  std::string exporters_dir;
  simulate::SimulateOptions options;
};

struct ShowText {
  std::string text;  // of --help or --version
};

using Command =
    std::variant<ShowText, app::ServeOptions, CheckConfigCommand, ExplainOptions, ExportersOptions,
                 SimulateCommand, ProbeOptions, RecordOptions, HealthcheckOptions>;

// One sentence if the arguments can't be understood. `version` is what --version shows.
Result<Command> ParseCommandLine(int argc, const char* const* argv, const std::string& version);

}  // namespace apiquota::cli
