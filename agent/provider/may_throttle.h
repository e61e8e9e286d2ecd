// Which answers may be a throttle, as far as their status tells. Pure; thread-safe.
#pragma once

#include "provider/exporter.h"

namespace apiquota::provider {

// Some throttle rule speaks of this status; whether it holds, head and body say.
bool MayThrottle(const Exporter& exporter, int status);

}  // namespace apiquota::provider
