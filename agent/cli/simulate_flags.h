// The flags of `apiquota simulate`, but for where it listens and which exporter it speaks as.
#pragma once

#include <CLI/CLI.hpp>

#include "simulate/simulate.h"

namespace apiquota::cli {

// `options` must outlive the parsing.
void AddSimulateFlags(CLI::App& command, simulate::SimulateOptions* options);

}  // namespace apiquota::cli
