// Where an exporter's rules look for what has to be known before a request is sent, and before its answer is
// handed on. Pure; thread-safe.
#pragma once

#include "provider/exporter.h"

namespace apiquota::provider {

// Whether, with its head and body, an answer of this status may be a throttle.
bool MaySayThrottle(const Exporter& exporter, int status);

// Whether the API has resources at all, …
bool HasResources(const Exporter& exporter);
// … and only answers say which one a request was about.
bool OnlyAnswersNameResource(const Exporter& exporter);

}  // namespace apiquota::provider
