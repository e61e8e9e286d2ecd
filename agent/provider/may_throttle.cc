#include "provider/may_throttle.h"

#include <cstddef>

#include "provider/exporter_rules.h"

namespace apiquota::provider {

bool MayThrottle(const Exporter& exporter, int status) {
  return status >= 0 && static_cast<size_t>(status) < exporter.refusals.size() &&
         exporter.refusals[static_cast<size_t>(status)];
}

}  // namespace apiquota::provider
