// `apiquota serve`: the agent, from its first line of log to its last.
#pragma once

#include <ostream>

#include "app/serve_options.h"
#include "base/clock.h"

namespace apiquota::app {

// Runs until SIGTERM or SIGINT, then drains; a second one ends the process at once. 0: asked to stop. 2: one
// sentence on `err` says why nothing was started.
int RunServe(const ServeOptions& options, const Clock& clock, std::ostream& err);

}  // namespace apiquota::app
